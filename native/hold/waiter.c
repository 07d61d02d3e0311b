#include "hold.h"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t MS = 1000000, SECOND = INT64_C(1000000000);

static struct pollfd criu;
static int64_t opened_at, returned_at;

void waiter_open(void)
{
	opened_at = returned_at = boottime_ns();
	criu = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, getppid(), 0), .events = POLLIN};
}

/*
 * A 128th of the downtime so far, so that looking late adds less than a hundredth to it: every look takes processor time
 * from what the service waits for. Seldom where somebody has to be waited for for long.
 */
static int64_t interval(int64_t now)
{
	int64_t waited = now - opened_at, pause = waited / 128;
	int64_t most = waited < 600 * SECOND ? 5 * MS : 50 * MS;
	pause = pause < MS / 2 ? MS / 2 : pause > most ? most : pause;
	/* On a slow machine a look takes long itself: no more than a twentieth of the time goes into looking. */
	int64_t rest = 20 * (now - returned_at);
	return rest < pause ? pause : rest > 20 * MS ? 20 * MS : rest;
}

/*
 * A look at the files is due when this returns, at `until_ns` (boot time) at the latest. False: CRIU is dead.
 * No inotify: to close it, as exit does, takes the kernel 10 to 30 ms (it waits for an SRCU grace period), and
 * the service stands still for as long.
 */
bool waiter_wait(int64_t until_ns)
{
	int64_t now = boottime_ns(), left = until_ns - now, pause = interval(now);
	if (left < pause)
		pause = left < 0 ? 0 : left;
	struct timespec timeout = {.tv_nsec = pause};
	bool alive = ppoll(&criu, 1, &timeout, NULL) == 0 || (criu.revents & POLLIN) == 0;
	returned_at = boottime_ns();
	return alive;
}
