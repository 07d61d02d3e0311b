#include "hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CHANGES, TIMER, CRIU, SOURCES };

static struct pollfd sources[SOURCES];

/* Before the first look at the files, so that no change falls between look and wait. */
void waiter_open(void)
{
	int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (changes >= 0)
		inotify_add_watch(changes, ".", IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
	sources[CHANGES] = (struct pollfd){.fd = changes, .events = POLLIN};
	sources[TIMER] = (struct pollfd){.fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK), .events = POLLIN};
	sources[CRIU] = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, getppid(), 0), .events = POLLIN};
}

static void drain(void)
{
	char events[4096];
	while (read(sources[CHANGES].fd, events, sizeof events) > 0)
		;
}

/* Until something changed or `until_ns` (boot time) has come. Looks every 100 ms too, should inotify fail. False: CRIU is dead. */
bool waiter_wait(int64_t until_ns)
{
	struct itimerspec end = {.it_value = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000}};
	if (until_ns != INT64_MAX)
		timerfd_settime(sources[TIMER].fd, TFD_TIMER_ABSTIME, &end, NULL);
	poll(sources, SOURCES, 100);
	drain();
	return (sources[CRIU].revents & POLLIN) == 0;
}
