#include "init.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { MOST_WATCHES = 512 };

static struct pollfd polled[MOST_WATCHES];
static struct {
	watch_handler *handler;
	void *context;
} handlers[MOST_WATCHES];
static size_t count;
static int64_t wake_at = INT64_MAX;

/* Whoever finds no room is served in a later turn: everybody asks again in each one. */
void watch(int fd, short events, watch_handler *handler, void *context)
{
	if (fd < 0 || count == MOST_WATCHES)
		return;
	polled[count] = (struct pollfd){.fd = fd, .events = events};
	handlers[count].handler = handler;
	handlers[count].context = context;
	count++;
}

void watch_at_latest(int64_t at_ms)
{
	if (at_ms < wake_at)
		wake_at = at_ms;
}

static int timeout(void)
{
	if (wake_at == INT64_MAX)
		return -1;
	int64_t left = wake_at - now_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

void watch_turn(void)
{
	size_t watched = count;
	int ready = poll(polled, count, timeout());
	count = 0;
	wake_at = INT64_MAX;
	if (ready < 0 && errno != EINTR)
		die(EXIT_OS, "poll: %s", strerror(errno));
	for (size_t i = 0; ready > 0 && i < watched; i++)
		if (polled[i].revents != 0)
			handlers[i].handler(polled[i].revents, handlers[i].context);
}
