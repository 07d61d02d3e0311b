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

static bool look_at_process(pid_t pid, void *kept)
{
	char directory[64];
	struct dirent *entry;
	snprintf(directory, sizeof directory, "/proc/%d/fd", pid);
	DIR *descriptors = opendir(directory);
	if (descriptors == NULL) {
		complain("cannot read %s: %m", directory);
		return false;
	}
	while ((entry = readdir(descriptors)) != NULL)
		if (entry->d_name[0] != '.')
			look_at_descriptor(directory, entry->d_name, kept);
	closedir(descriptors);
	return true;
}

/* A restore with a wrong --inherit-fd key succeeds and gives the tree a pipe that nobody reads. */
bool stdio_is_ours(pid_t root)
{
	struct kept kept[2] = {
		kept_from("stdout", "FASTMIG_STDOUT_INODE", "FASTMIG_EXPECT_STDOUT"),
		kept_from("stderr", "FASTMIG_STDERR_INODE", "FASTMIG_EXPECT_STDERR"),
	};
	bool ours = true;
	tree_each(root, look_at_process, kept);
	for (int i = 0; i < 2; i++) {
		if (!kept[i].expected || kept[i].found)
			continue;
		complain("the restored tree does not have the service's %s, pipe:[%" PRIu64 "]", kept[i].name, kept[i].inode);
		ours = false;
	}
	return ours;
}
