#include "init.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_stat(pid_t pid, char *text, size_t size)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

/* proc(5): field 3 is the state, 4 the parent, 22 the start in clock ticks since boot; field 2 may contain anything. */
bool process_read(pid_t pid, struct process *process)
{
	char text[1024];
	if (read_stat(pid, text, sizeof text) <= 0)
		return false;
	char *after_name = strrchr(text, ')');
	process->pid = pid;
	return after_name != NULL &&
	       sscanf(after_name + 1,
		      " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		      &process->state, &process->parent, &process->start) == 3;
}

void process_each_child(process_visitor *visit, void *context)
{
	struct process process;
	struct dirent *entry;
	pid_t self = getpid();
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return;
	while ((entry = readdir(proc)) != NULL) {
		pid_t pid = atoi(entry->d_name);
		if (pid > 0 && process_read(pid, &process) && process.parent == self)
			visit(&process, context);
	}
	closedir(proc);
}
