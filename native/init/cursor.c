#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* PIDs wrap to 300 (the kernel's RESERVED_PIDS) at pid_max: a target that near it would be passed by. */
enum { SLICE_US = 2000, WRAP_MARGIN = 256 };

static struct {
	bool active;
	long request, target, last;
	unsigned generation;
} move;

/* -1 where the file cannot be read. */
static long read_kernel_number(const char *path)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	return strtol(text, NULL, 10);
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const char *cursor_begin(struct request *request, long target)
{
	long most = read_kernel_number("/proc/sys/kernel/pid_max");
	if (most > 0 && target > most - WRAP_MARGIN)
		return "that PID is too near to pid_max";
	if (move.active)
		return "the PID cursor is being moved already";
	move.active = true;
	move.request = request->id;
	move.generation = request->generation;
	move.target = target;
	move.last = read_kernel_number("/proc/sys/kernel/ns_last_pid");
	return NULL;
}

void cursor_cancel(void)
{
	move.active = false;
}

static void finish(bool ok, const char *text)
{
	move.active = false;
	answer(move.request, move.generation, ok, text);
}

/* One PID is spent. The kernel offers no other way where /proc/sys is read-only. */
static bool step(void)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(0);
	if (pid < 0) {
		finish(false, strerror(errno));
		return false;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pid < move.last) {
		finish(false, "the PIDs wrapped around");
		return false;
	}
	move.last = pid;
	return true;
}

/* Spends PIDs for a while; returns whether more are to be spent. */
bool cursor_slice(void)
{
	char text[16];
	int64_t end = now_us() + SLICE_US;
	while (move.active && move.last < move.target)
		if (!step() || now_us() >= end)
			return move.active;
	if (move.active) {
		snprintf(text, sizeof text, "%ld", move.last);
		finish(true, text);
	}
	return false;
}
