/* Waits until an absolute time: by the C library's own, told the host's. */
#include "virtual.h"

#include <pthread.h>
#include <semaphore.h>

/* nptl(7) keeps the clock of a condition variable there; x86-64's first versions of these functions had other ones. */
enum { MONOTONIC_CONDITION = 2 };
static const char *const second_version = "GLIBC_2.3.2";

EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	unsigned int words = __atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED);
	clockid_t clock = (words & MONOTONIC_CONDITION) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	return ORIGINAL(pthread_cond_timedwait, second_version)(condition, mutex, host_deadline(&held, clock, until));
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(pthread_cond_clockwait, NULL)(condition, mutex, clock, host_deadline(&held, clock, until));
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(pthread_mutex_clocklock, NULL)(mutex, clock, host_deadline(&held, clock, until));
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(pthread_rwlock_clockrdlock, NULL)(lock, clock, host_deadline(&held, clock, until));
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(pthread_rwlock_clockwrlock, NULL)(lock, clock, host_deadline(&held, clock, until));
}

EXPORT int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(sem_clockwait, NULL)(semaphore, clock, host_deadline(&held, clock, until));
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock, const struct timespec *until)
{
	HELD held = {.deadline = NULL};
	return ORIGINAL(pthread_clockjoin_np, NULL)(thread, value, clock, host_deadline(&held, clock, until));
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	HELD held = {.deadline = NULL};
	if ((flags & TIMER_ABSTIME) != 0)
		time = host_deadline(&held, clock, time);
	return ORIGINAL(clock_nanosleep, NULL)(clock, flags, time, left);
}
