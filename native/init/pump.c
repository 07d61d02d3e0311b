#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STDOUT_PUMP, STDERR_PUMP, PUMPS };

struct pump {
	int from, write_end, to;
	bool to_socket, deaf;
	size_t most;
	size_t start, end;
	char buffer[65536];
};

static struct pump pumps[PUMPS];

/*
 * Our own stdout is shared with whoever started us: O_NONBLOCK must not be set on it. A pipe or a
 * terminal is opened anew; where that fails, a pipe that polls writable takes PIPE_BUF without blocking.
 */
static void pump_aim(struct pump *pump, int own)
{
	struct stat about;
	char path[32];
	pump->to = own;
	pump->most = PIPE_BUF;
	if (fstat(own, &about) != 0)
		pump->deaf = true;
	else if (S_ISSOCK(about.st_mode))
		pump->to_socket = true;
	if (S_ISREG(about.st_mode))
		pump->most = sizeof pump->buffer;
	if (!S_ISFIFO(about.st_mode) && !S_ISCHR(about.st_mode))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", own);
	int fresh = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fresh < 0)
		return;
	pump->to = fresh;
	pump->most = sizeof pump->buffer;
}

static void pump_open(struct pump *pump, int own)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		die(EXIT_OS, "pipe: %s", strerror(errno));
	pump->from = ends[0];
	pump->write_end = ends[1];
	fcntl(pump->from, F_SETFL, O_NONBLOCK);
	pump_aim(pump, own);
}

void pumps_open(void)
{
	pump_open(&pumps[STDOUT_PUMP], STDOUT_FILENO);
	pump_open(&pumps[STDERR_PUMP], STDERR_FILENO);
}

static void pump_read(short events, void *context)
{
	struct pump *pump = context;
	(void)events;
	ssize_t length = read(pump->from, pump->buffer, sizeof pump->buffer);
	if (length <= 0)
		return;
	pump->start = 0;
	pump->end = pump->deaf ? 0 : (size_t)length;
}

static ssize_t pump_try(struct pump *pump)
{
	size_t length = pump->end - pump->start;
	if (length > pump->most)
		length = pump->most;
	if (pump->to_socket)
		return send(pump->to, pump->buffer + pump->start, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(pump->to, pump->buffer + pump->start, length);
}

/* Where nobody reads our output any more, the service's is thrown away: it must not block for that. */
static void pump_write(short events, void *context)
{
	struct pump *pump = context;
	(void)events;
	ssize_t length = pump_try(pump);
	if (length > 0)
		pump->start += (size_t)length;
	else if (length < 0 && errno != EAGAIN && errno != EINTR) {
		pump->deaf = true;
		pump->start = pump->end;
	}
}

void pumps_watch(void)
{
	for (struct pump *pump = pumps; pump < pumps + PUMPS; pump++) {
		if (pump->start < pump->end)
			watch(pump->to, POLLOUT, pump_write, pump);
		else
			watch(pump->from, POLLIN, pump_read, pump);
	}
}

static bool pump_idle(const struct pump *pump)
{
	struct pollfd more = {.fd = pump->from, .events = POLLIN};
	return pump->start == pump->end && poll(&more, 1, 0) == 0;
}

bool pumps_idle(void)
{
	return pump_idle(&pumps[STDOUT_PUMP]) && pump_idle(&pumps[STDERR_PUMP]);
}

/*
 * A description of its own, above all descriptors a child is given: O_NONBLOCK, which one holder sets, must not
 * reach the others.
 */
int pump_fresh_end(int which)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", pumps[which].write_end);
	int fresh = open(path, O_WRONLY | O_CLOEXEC);
	return lift(fresh >= 0 ? fresh : pumps[which].write_end);
}

int pumps_chown(uid_t uid, gid_t gid)
{
	for (struct pump *pump = pumps; pump < pumps + PUMPS; pump++)
		if (fchown(pump->write_end, uid, gid) != 0)
			return -1;
	return 0;
}

uint64_t pump_inode(int which)
{
	struct stat about;
	return fstat(pumps[which].write_end, &about) == 0 ? about.st_ino : 0;
}
