#include "virtual.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/*
 * The C library waits again with the same absolute time when CRIU has interrupted a wait, and a thread can be moved just
 * before it waits. So every such time stands where the hook finds it, and is set right before anything runs on
 * the new host.
 */
static struct deadline rows[ROWS][DEADLINES];
static bool row_taken[ROWS];
static pthread_key_t row_key;
static bool prepared;
static __thread int own_row __attribute__((tls_model("initial-exec"))) = -1;

static void give_row_back(void *row)
{
	own_row = -1;
	__atomic_store_n(&row_taken[(struct deadline(*)[DEADLINES])row - rows], false, __ATOMIC_RELEASE);
}

/* Only the thread that forked lives on in the child. */
static void forget_other_rows(void)
{
	memset(row_taken, 0, sizeof row_taken);
	if (own_row >= 0)
		row_taken[own_row] = true;
}

void prepare_deadlines(void)
{
	time_table.rows = rows;
	time_table.row_size = sizeof rows[0];
	prepared = pthread_key_create(&row_key, give_row_back) == 0 && pthread_atfork(NULL, NULL, forget_other_rows) == 0;
}

static bool take(bool *taken)
{
	bool free = false;
	return __atomic_compare_exchange_n(taken, &free, true, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void raise_used(uint32_t used)
{
	uint32_t before = __atomic_load_n(&time_table.used, __ATOMIC_RELAXED);
	while (before < used)
		if (__atomic_compare_exchange_n(&time_table.used, &before, used, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
}

/* -1: there are more threads than rows. */
static int row_of_thread(void)
{
	if (own_row >= 0 || !prepared)
		return own_row;
	for (int row = 0; row < ROWS; row++) {
		if (!take(&row_taken[row]))
			continue;
		memset(rows[row], 0, sizeof rows[row]);
		raise_used((uint32_t)row + 1);
		own_row = row;
		pthread_setspecific(row_key, rows[row]);
		return row;
	}
	return -1;
}

/* Several at once: a signal's handler may wait while the thread does. One left by longjmp stays taken. */
static struct deadline *take_deadline(struct held *held)
{
	int row = row_of_thread();
	for (int i = 0; row >= 0 && i < DEADLINES; i++) {
		uint32_t free = 0;
		struct deadline *deadline = &rows[row][i];
		if (__atomic_compare_exchange_n(&deadline->taken, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return held->deadline = deadline;
	}
	return &held->own;
}

void let_go(struct held *held)
{
	if (held->deadline != NULL)
		__atomic_store_n(&held->deadline->taken, 0, __ATOMIC_RELEASE);
}

/* Again where the thread was moved in between. */
static void set(struct deadline *deadline, int clock, int64_t ns)
{
	uint64_t generation;
	deadline->clock = (uint32_t)clock;
	deadline->ns = ns;
	do {
		generation = __atomic_load_n(&time_table.offsets.generation, __ATOMIC_ACQUIRE);
		*(volatile struct timespec *)&deadline->host.it_value = host_time(ns, time_table.offsets.ns[clock]);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	} while (generation != __atomic_load_n(&time_table.offsets.generation, __ATOMIC_ACQUIRE));
}

/* Where it is none, the C library or the kernel says so. */
static bool is_time(const struct timespec *time)
{
	return time != NULL && time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

const struct timespec *host_deadline(struct held *held, clockid_t clock, const struct timespec *time)
{
	int index = clock_index(clock);
	if (index < 0 || !is_time(time))
		return time;
	begin_once();
	struct deadline *deadline = take_deadline(held);
	set(deadline, index, ns_of(time));
	return &deadline->host.it_value;
}

const struct itimerspec *host_timer(struct held *held, clockid_t clock, const struct itimerspec *timer)
{
	const struct timespec *time = host_deadline(held, clock, &timer->it_value);
	if (time == &timer->it_value)
		return timer;
	struct deadline *deadline = held->deadline != NULL ? held->deadline : &held->own;
	deadline->host.it_interval = timer->it_interval;
	return &deadline->host;
}
