#include "hold.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of the kept pipes: whether the dumped tree had it open, and whether the restored one has. */
struct kept {
	const char *name;
	uint64_t inode;
	bool expected, found;
};

static struct kept kept_from(const char *name, const char *inode_variable, const char *expect_variable)
{
	const char *inode = getenv(inode_variable), *expect = getenv(expect_variable);
	return (struct kept){
		.name = name,
		.inode = inode == NULL ? 0 : strtoull(inode, NULL, 10),
		.expected = expect != NULL && strcmp(expect, "1") == 0,
	};
}

static void look_at_descriptor(const char *directory, const char *entry, struct kept *kept)
{
	char path[512], target[64];
	uint64_t inode;
	snprintf(path, sizeof path, "%s/%s", directory, entry);
	ssize_t length = readlink(path, target, sizeof target - 1);
	if (length <= 0)
		return;
	target[length] = '\0';
	if (sscanf(target, "pipe:[%" SCNu64 "]", &inode) != 1)
		return;
	for (int i = 0; i < 2; i++)
		kept[i].found |= inode == kept[i].inode;
}

static void look_at_task(pid_t pid, struct kept *kept)
{
	char directory[64];
	struct dirent *entry;
	snprintf(directory, sizeof directory, "/proc/%d/fd", pid);
	DIR *descriptors = opendir(directory);
	if (descriptors == NULL) {
		complain("cannot read %s: %m", directory);
		return;
	}
	while ((entry = readdir(descriptors)) != NULL)
		if (entry->d_name[0] != '.')
			look_at_descriptor(directory, entry->d_name, kept);
	closedir(descriptors);
}

static void look_at_tree(pid_t pid, struct kept *kept);

static void look_at_thread_children(pid_t pid, const char *thread, struct kept *kept)
{
	char path[320];
	int child;
	snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, thread);
	FILE *children = fopen(path, "re");
	if (children == NULL)
		return;
	while (fscanf(children, "%d", &child) == 1)
		look_at_tree(child, kept);
	fclose(children);
}

static void look_at_tree(pid_t pid, struct kept *kept)
{
	char directory[64];
	struct dirent *entry;
	look_at_task(pid, kept);
	snprintf(directory, sizeof directory, "/proc/%d/task", pid);
	DIR *threads = opendir(directory);
	while (threads != NULL && (entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			look_at_thread_children(pid, entry->d_name, kept);
	if (threads != NULL)
		closedir(threads);
}

/* A restore with a wrong --inherit-fd key succeeds and gives the tree a pipe that nobody reads. */
bool stdio_is_ours(pid_t root)
{
	struct kept kept[2] = {
		kept_from("stdout", "FASTMIG_STDOUT_INODE", "FASTMIG_EXPECT_STDOUT"),
		kept_from("stderr", "FASTMIG_STDERR_INODE", "FASTMIG_EXPECT_STDERR"),
	};
	bool ours = true;
	look_at_tree(root, kept);
	for (int i = 0; i < 2; i++) {
		if (!kept[i].expected || kept[i].found)
			continue;
		complain("the restored tree does not have the service's %s, pipe:[%" PRIu64 "]", kept[i].name, kept[i].inode);
		ours = false;
	}
	return ours;
}
