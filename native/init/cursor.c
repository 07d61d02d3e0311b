#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* PIDs wrap to 300 (the kernel's RESERVED_PIDS) at pid_max: a target that near it could be passed by. */
enum { SLICE_US = 2000, WRAP_MARGIN = 256 };

static struct {
	bool active;
	long request, target;
	unsigned generation;
} move;

/* -1 where the file cannot be read. */
static long kernel_number(const char *path)
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

static long last_pid(void)
{
	return kernel_number("/proc/sys/kernel/ns_last_pid");
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const char *cursor_begin(struct request *request, long target)
{
	if (move.active)
		return "the PID cursor is being moved already";
	if (last_pid() < 0)
		return "cannot read /proc/sys/kernel/ns_last_pid";
	if (target > kernel_number("/proc/sys/kernel/pid_max") - WRAP_MARGIN)
		return "that PID is too near to pid_max";
	move.active = true;
	move.request = request->id;
	move.generation = request->generation;
	move.target = target;
	return NULL;
}

void cursor_cancel(void)
{
	move.active = false;
}

static bool spend_by_child(void)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(0);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid > 0;
}

/*
 * copy_process() (kernel/fork.c) takes the PID before it stores the pidfd: where the pointer is bad, the PID is
 * spent and no child ever exists, in a third of the time of one. CLONE_VFORK, should a kernel yet make one.
 */
static bool spend_by_failure(void)
{
	static const uintptr_t nowhere = 8;
	long flags = CLONE_PIDFD | CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD;
	long pid = syscall(SYS_clone, flags, 0, nowhere, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EFAULT;
}

/* Where /proc/sys is read-only the kernel offers no way to move the cursor but to spend PIDs. */
static bool spend(long *last)
{
	static bool failure_spends = true;
	long before = *last;
	if (failure_spends) {
		failure_spends = spend_by_failure();
		*last = last_pid();
		failure_spends &= *last != before;
	}
	if (*last == before && !spend_by_child())
		return false;
	*last = last_pid();
	return true;
}

static bool finish(bool ok, const char *text)
{
	move.active = false;
	answer(move.request, move.generation, ok, text);
	return false;
}

/* Spends PIDs for a while; returns whether more are to be spent. */
bool cursor_slice(void)
{
	char text[16];
	int64_t end = now_us() + SLICE_US;
	if (!move.active)
		return false;
	long last = last_pid();
	while (last < move.target) {
		long before = last;
		if (!spend(&last))
			return finish(false, strerror(errno));
		if (last < before)
			return finish(false, "the PIDs wrapped around");
		if (now_us() >= end)
			return true;
	}
	snprintf(text, sizeof text, "%ld", last);
	return finish(true, text);
}
