#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t boottime_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Ended by a NUL. The length, or -1 and errno. */
ssize_t file_read(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

enum verdict verdict_read(void)
{
	char text[32];
	if (file_read("verdict", text, sizeof text) < 0)
		return errno == ENOENT ? UNDECIDED : GARBLED;
	if (strcmp(text, "released\n") == 0)
		return RELEASED;
	if (strcmp(text, "running\n") == 0)
		return RUNNING;
	return strcmp(text, "aborted\n") == 0 ? ABORTED : GARBLED;
}

/* The lease's end, or `otherwise_ns` where there is no readable lease. */
int64_t lease_read(int64_t otherwise_ns)
{
	char text[32], *end;
	if (file_read("lease", text, sizeof text) <= 0)
		return otherwise_ns;
	errno = 0;
	int64_t deadline = strtoll(text, &end, 10);
	return errno == 0 && end != text && (*end == '\0' || *end == '\n') && deadline > 0 ? deadline : otherwise_ns;
}

/* A new file of this name, whole; its blocks are reserved, not yet on the disk. 0, or -1 and errno. */
int file_write(const char *name, const char *text)
{
	ssize_t length = (ssize_t)strlen(text);
	/* Never written through an old name: it may be the other link of a verdict. */
	unlink(name);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	int result = write(fd, text, (size_t)length) == length ? 0 : -1;
	return close(fd) == 0 ? result : -1;
}

static int sync_path(const char *name, int flags)
{
	int fd = open(name, flags | O_RDONLY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return result;
}

/* Gives the written file its name, durably; EEXIST where the name is taken. */
int file_decide(const char *written, const char *name)
{
	if (sync_path(written, O_NOFOLLOW) != 0 || link(written, name) != 0)
		return -1;
	return sync_path(".", O_DIRECTORY);
}

/* Whoever linked the verdict may not have come to the directory's fsync yet. */
bool verdict_sync(void)
{
	return sync_path("verdict", O_NOFOLLOW) == 0 && sync_path(".", O_DIRECTORY) == 0;
}
