#include "hold.h"

#include <dirent.h>
#include <stdio.h>

static bool each_child(pid_t pid, const char *thread, bool (*visit)(pid_t pid, void *with), void *with)
{
	char path[320];
	int child;
	bool all = true;
	snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, thread);
	FILE *children = fopen(path, "re");
	if (children == NULL)
		return true;
	while (fscanf(children, "%d", &child) == 1)
		all = tree_each(child, visit, with) && all;
	fclose(children);
	return all;
}

/* Visits this process and all below it. Whether all visits were said to have gone well. */
bool tree_each(pid_t pid, bool (*visit)(pid_t pid, void *with), void *with)
{
	char directory[64];
	struct dirent *entry;
	bool all = visit(pid, with);
	snprintf(directory, sizeof directory, "/proc/%d/task", pid);
	DIR *threads = opendir(directory);
	while (threads != NULL && (entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			all = each_child(pid, entry->d_name, visit, with) && all;
	if (threads != NULL)
		closedir(threads);
	return all;
}
