/*
 * Waits for absolute times by its monotonic clocks, in every way that the C library has, again and again, and reads the clocks all
 * the time. One line of JSON four times a second: how often each way came to its end, in ms how late at the worst, how often
 * too early; and how often a clock went back.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const int64_t MS = 1000000, SECOND = INT64_C(1000000000);
/* Long enough that every way is in its wait nearly all the time. */
static const int64_t period = 400 * MS;

static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t read_held = PTHREAD_RWLOCK_INITIALIZER, write_held = PTHREAD_RWLOCK_INITIALIZER;
static sem_t empty;
static pthread_t endless;

static int64_t now(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static struct timespec at(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

struct keeper {
	const char *name;
	clockid_t clock;
	void (*wait)(struct keeper *keeper, const struct timespec *until);
	int fd;
	timer_t timer;
	int64_t count, late, early;
};

static void by_nanosleep(struct keeper *keeper, const struct timespec *until)
{
	while (clock_nanosleep(keeper->clock, TIMER_ABSTIME, until, NULL) != 0)
		;
}

/* A condition that nobody signals may wake up all the same. */
static void by_condition(struct keeper *keeper, const struct timespec *until)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t attributes;
	pthread_cond_t condition;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, keeper->clock);
	pthread_cond_init(&condition, &attributes);
	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&condition, &mutex, until) == 0)
		;
	pthread_mutex_unlock(&mutex);
}

static void by_clockwait(struct keeper *keeper, const struct timespec *until)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(&mutex);
	while (pthread_cond_clockwait(&condition, &mutex, keeper->clock, until) == 0)
		;
	pthread_mutex_unlock(&mutex);
}

static void by_mutex(struct keeper *keeper, const struct timespec *until)
{
	pthread_mutex_clocklock(&held_mutex, keeper->clock, until);
}

static void by_reader(struct keeper *keeper, const struct timespec *until)
{
	pthread_rwlock_clockrdlock(&write_held, keeper->clock, until);
}

static void by_writer(struct keeper *keeper, const struct timespec *until)
{
	pthread_rwlock_clockwrlock(&read_held, keeper->clock, until);
}

static void by_semaphore(struct keeper *keeper, const struct timespec *until)
{
	while (sem_clockwait(&empty, keeper->clock, until) != 0 && errno == EINTR)
		;
}

static void by_join(struct keeper *keeper, const struct timespec *until)
{
	pthread_clockjoin_np(endless, NULL, keeper->clock, until);
}

static void by_futex(struct keeper *keeper, const struct timespec *until)
{
	int word = 0;
	(void)keeper;
	syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void by_timerfd(struct keeper *keeper, const struct timespec *until)
{
	uint64_t expired;
	struct itimerspec timer = {.it_value = *until};
	timerfd_settime(keeper->fd, TFD_TIMER_ABSTIME, &timer, NULL);
	if (read(keeper->fd, &expired, sizeof expired) < 0)
		abort();
}

static void by_timer(struct keeper *keeper, const struct timespec *until)
{
	int signal;
	sigset_t awaited;
	struct itimerspec timer = {.it_value = *until};
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGUSR2);
	timer_settime(keeper->timer, TIMER_ABSTIME, &timer, NULL);
	sigwait(&awaited, &signal);
}

static struct keeper keepers[] = {
	{.name = "nanosleep", .clock = CLOCK_MONOTONIC, .wait = by_nanosleep},
	{.name = "nanosleep boottime", .clock = CLOCK_BOOTTIME, .wait = by_nanosleep},
	{.name = "condition", .clock = CLOCK_MONOTONIC, .wait = by_condition},
	{.name = "clockwait", .clock = CLOCK_MONOTONIC, .wait = by_clockwait},
	{.name = "mutex", .clock = CLOCK_MONOTONIC, .wait = by_mutex},
	{.name = "reader", .clock = CLOCK_MONOTONIC, .wait = by_reader},
	{.name = "writer", .clock = CLOCK_MONOTONIC, .wait = by_writer},
	{.name = "semaphore", .clock = CLOCK_MONOTONIC, .wait = by_semaphore},
	{.name = "join", .clock = CLOCK_MONOTONIC, .wait = by_join},
	{.name = "futex", .clock = CLOCK_MONOTONIC, .wait = by_futex},
	{.name = "timerfd", .clock = CLOCK_MONOTONIC, .wait = by_timerfd},
	{.name = "timerfd boottime", .clock = CLOCK_BOOTTIME, .wait = by_timerfd},
	{.name = "timer", .clock = CLOCK_BOOTTIME, .wait = by_timer},
};
enum { KEEPERS = sizeof keepers / sizeof keepers[0] };

/* A futex may end early for any reason. */
static void *keep(void *given)
{
	struct keeper *keeper = given;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	keeper->fd = timerfd_create(keeper->clock, TFD_CLOEXEC);
	if (keeper->wait == by_timer && timer_create(keeper->clock, &event, &keeper->timer) != 0)
		abort();
	for (;;) {
		int64_t until = now(keeper->clock) + period;
		struct timespec time = at(until);
		do
			keeper->wait(keeper, &time);
		while (keeper->wait == by_futex && now(keeper->clock) < until);
		int64_t late = now(keeper->clock) - until;
		if (late < 0)
			keeper->early++;
		if (late > keeper->late)
			keeper->late = late;
		keeper->count++;
	}
	return NULL;
}

static void *wait_for_ever(void *given)
{
	for (;;)
		pause();
	return given;
}

static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME};
enum { CLOCK_COUNT = sizeof clocks / sizeof clocks[0] };

static int went_back(void)
{
	static int64_t before[CLOCK_COUNT];
	int back = 0;
	for (int i = 0; i < CLOCK_COUNT; i++) {
		int64_t time = now(clocks[i]);
		back += time < before[i];
		before[i] = time;
	}
	return back;
}

static void say(int back)
{
	printf("{\"monotonic\": %.3f, \"boottime\": %.3f, \"back\": %d, \"kept\": {", (double)now(CLOCK_MONOTONIC) / SECOND,
	       (double)now(CLOCK_BOOTTIME) / SECOND, back);
	for (int i = 0; i < KEEPERS; i++)
		printf("%s\"%s\": [%" PRId64 ", %.1f, %" PRId64 "]", i == 0 ? "" : ", ", keepers[i].name, keepers[i].count,
		       (double)keepers[i].late / MS, keepers[i].early);
	printf("}}\n");
	fflush(stdout);
}

int main(void)
{
	pthread_t thread;
	sigset_t awaited;
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &awaited, NULL);
	sem_init(&empty, 0, 0);
	pthread_mutex_lock(&held_mutex);
	pthread_rwlock_rdlock(&read_held);
	pthread_rwlock_wrlock(&write_held);
	pthread_create(&endless, NULL, wait_for_ever, NULL);
	for (int i = 0; i < KEEPERS; i++)
		pthread_create(&thread, NULL, keep, &keepers[i]);
	for (int back = 0, i = 1;; i++) {
		usleep(1000);
		back += went_back();
		if (i % 250 == 0)
			say(back);
	}
}
