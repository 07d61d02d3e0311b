/* Programs that make these calls by number, as Rust's and Go's libraries do for a futex, go by the C library's syscall(2). */
#include "virtual.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef long call(long number, long a, long b, long c, long d, long e, long f);

static call *next_call(void)
{
	static call *known;
	call *found = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (found == NULL)
		__atomic_store_n(&known, found = (call *)next_symbol("syscall", NULL), __ATOMIC_RELAXED);
	return found;
}

/* Of those operations whose time is absolute, CLOCK_REALTIME where they do not say otherwise are not meant. */
static clockid_t futex_clock(long operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI2:
		return (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	default:
		return CLOCK_REALTIME;
	}
}

static const struct timespec *pointer(long argument)
{
	return (const struct timespec *)argument;
}

static long failed(int error)
{
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/* The C library declares it with three dots. */
EXPORT call virtual_syscall __asm__("syscall");
EXPORT long virtual_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	HELD held = {.deadline = NULL};
	switch (number) {
	case SYS_clock_gettime:
		return clock_gettime((clockid_t)a, (struct timespec *)b);
	case SYS_clock_nanosleep:
		return failed(clock_nanosleep((clockid_t)a, (int)b, pointer(c), (struct timespec *)d));
	case SYS_timerfd_settime:
		return timerfd_settime((int)a, (int)b, (const struct itimerspec *)c, (struct itimerspec *)d);
	case SYS_futex:
		return next_call()(number, a, b, c, (long)host_deadline(&held, futex_clock(b), pointer(d)), e, f);
#ifdef SYS_futex_waitv
	case SYS_futex_waitv:
		return next_call()(number, a, b, c, (long)host_deadline(&held, (clockid_t)e, pointer(d)), e, f);
#endif
	default:
		return next_call()(number, a, b, c, d, e, f);
	}
}
