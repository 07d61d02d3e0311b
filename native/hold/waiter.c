#include "hold.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t MS = 1000000, SECOND = INT64_C(1000000000);

enum { CRIU, WAKE };
static struct pollfd watched[2];
static int64_t opened_at;

/* The daemon writes into it when it has created a verdict. -1 where it cannot be: then the verdict is only looked for. */
static int wake_open(void)
{
	unlink(".wake");
	if (mkfifo(".wake", 0600) != 0)
		return -1;
	/* For writing too: without a writer it would be at its end all the time. */
	return open(".wake", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

void waiter_open(void)
{
	opened_at = boottime_ns();
	int criu = (int)syscall(SYS_pidfd_open, getppid(), 0);
	watched[CRIU] = (struct pollfd){.fd = criu, .events = POLLIN};
	watched[WAKE] = (struct pollfd){.fd = wake_open(), .events = POLLIN};
}

/*
 * A look at the files is due when this returns: after the daemon's word, after 20 ms (50 where somebody has to be waited for
 * for long), for a verdict may be created by others, or at `until_ns` (boot time). False: CRIU is dead.
 * No inotify: to close it, as exit does, takes the kernel 10 to 30 ms (it waits for an SRCU grace period), and
 * the service stands still for as long.
 */
bool waiter_wait(int64_t until_ns)
{
	int64_t now = boottime_ns(), left = until_ns - now;
	int64_t pause = now - opened_at < 600 * SECOND ? 20 * MS : 50 * MS;
	if (left < pause)
		pause = left < 0 ? 0 : left;
	struct timespec timeout = {.tv_nsec = pause};
	if (ppoll(watched, 2, &timeout, NULL) <= 0)
		return true;
	char words[64];
	if ((watched[WAKE].revents & POLLIN) != 0 && read(watched[WAKE].fd, words, sizeof words) < 0)
		watched[WAKE].fd = -1;
	return (watched[CRIU].revents & POLLIN) == 0;
}
