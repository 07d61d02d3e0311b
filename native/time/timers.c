/*
 * Timers until an absolute time are set to what is left until then: CRIU restores these to the nanosecond, absolute ones up
 * to a second early. What has passed already keeps its absolute time, by which the kernel counts the periods since.
 */
#include "virtual.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* What to set it to, and in `flags` how. */
static const struct itimerspec *set_by(struct held *held, clockid_t clock, int *flags, const struct itimerspec *timer,
				       struct itimerspec *left)
{
	int index = clock_index(clock);
	const struct timespec *until = &timer->it_value;
	if (index < 0 || (until->tv_sec == 0 && until->tv_nsec == 0) || until->tv_sec < 0 || until->tv_nsec < 0 ||
	    until->tv_nsec >= 1000000000)
		return timer;
	int64_t ns = saturated_subtract(ns_of(until), virtual_now(index));
	if (ns <= 0)
		return host_timer(held, clock, timer);
	*left = (struct itimerspec){.it_interval = timer->it_interval, .it_value = timespec_of(ns)};
	*flags &= ~TIMER_ABSTIME;
	return left;
}

/* -1: it cannot be told. No allocation: this may be in a signal's handler. */
static clockid_t clock_of_timerfd(int fd)
{
	char path[64], text[512];
	int saved = errno;
	clockid_t clock = -1;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = info < 0 ? -1 : read(info, text, sizeof text - 1);
	if (info >= 0)
		close(info);
	text[length > 0 ? length : 0] = '\0';
	const char *found = strstr(text, "clockid:");
	if (found != NULL)
		clock = atoi(found + strlen("clockid:"));
	errno = saved;
	return clock;
}

EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *timer, struct itimerspec *before)
{
	HELD held = {.deadline = NULL};
	struct itimerspec left;
	if ((flags & TFD_TIMER_ABSTIME) != 0 && timer != NULL)
		timer = set_by(&held, clock_of_timerfd(fd), &flags, timer, &left);
	return ORIGINAL(timerfd_settime, NULL)(fd, flags, timer, before);
}

/* The clock of each of timer_create's, which timer_settime is not told. Never freed, but taken again. */
enum { FREE, TAKEN, KNOWN };
struct known_timer {
	struct known_timer *next;
	timer_t timer;
	clockid_t clock;
	int state;
};
static struct known_timer *known_timers;

static struct known_timer *find_timer(timer_t timer)
{
	struct known_timer *known = __atomic_load_n(&known_timers, __ATOMIC_ACQUIRE);
	while (known != NULL && !(__atomic_load_n(&known->state, __ATOMIC_ACQUIRE) == KNOWN && known->timer == timer))
		known = known->next;
	return known;
}

static struct known_timer *take_free_timer(void)
{
	struct known_timer *known = __atomic_load_n(&known_timers, __ATOMIC_ACQUIRE);
	for (; known != NULL; known = known->next) {
		int free = FREE;
		if (__atomic_compare_exchange_n(&known->state, &free, TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return known;
	}
	return NULL;
}

/* NULL: there is no memory. */
static struct known_timer *new_timer(void)
{
	struct known_timer *known = take_free_timer();
	if (known != NULL || (known = calloc(1, sizeof *known)) == NULL)
		return known;
	known->state = TAKEN;
	known->next = __atomic_load_n(&known_timers, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&known_timers, &known->next, known, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return known;
}

static void set_state(struct known_timer *known, int state)
{
	__atomic_store_n(&known->state, state, __ATOMIC_RELEASE);
}

EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	struct known_timer *known = clock_index(clock) < 0 ? NULL : new_timer();
	int result = ORIGINAL(timer_create, NULL)(clock, event, timer);
	if (known == NULL)
		return result;
	known->clock = clock;
	known->timer = *timer;
	set_state(known, result == 0 ? KNOWN : FREE);
	return result;
}

EXPORT int timer_delete(timer_t timer)
{
	struct known_timer *known = find_timer(timer);
	if (known != NULL)
		set_state(known, FREE);
	return ORIGINAL(timer_delete, NULL)(timer);
}

EXPORT int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *before)
{
	HELD held = {.deadline = NULL};
	struct itimerspec left;
	const struct known_timer *known = (flags & TIMER_ABSTIME) != 0 ? find_timer(timer) : NULL;
	if (known != NULL && value != NULL)
		value = set_by(&held, known->clock, &flags, value, &left);
	return ORIGINAL(timer_settime, NULL)(timer, flags, value, before);
}
