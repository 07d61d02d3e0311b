/*
 * libfastmig-time.so, preloaded into the service's programs: the clocks that count from the host's start go on where they
 * stopped when the service is moved to a host that started at another time.
 */
#ifndef FASTMIG_TIME_VIRTUAL_H
#define FASTMIG_TIME_VIRTUAL_H

#include "table.h"

#include <stddef.h>

/* In the C library's place. */
#define EXPORT __attribute__((visibility("default")))

/* The C library's own function of this type and name; `version` where there are several, NULL for the one there is. */
#define ORIGINAL(function, version)                                                       \
	({                                                                                \
		static __typeof__(&(function)) original;                                  \
		__typeof__(original) known = __atomic_load_n(&original, __ATOMIC_RELAXED); \
		if (known == NULL) {                                                      \
			known = (__typeof__(original))next_symbol(#function, version);    \
			__atomic_store_n(&original, known, __ATOMIC_RELAXED);             \
		}                                                                         \
		known;                                                                    \
	})
void *next_symbol(const char *name, const char *version);

/* clocks.c */
extern struct time_table time_table;
/* When the library is loaded, or before where another one's constructor asks for the time. */
void begin_once(void);
/* Which one of host_clocks it goes by; -1: it is the same on every host, or counts something else. */
int clock_index(clockid_t clock);
/* ns */
int64_t virtual_now(int clock);

/* deadlines.c */
struct held {
	struct deadline *deadline;
	/* Where the thread has no room for one more: set right no more when it is moved. */
	struct deadline own;
};
/* For as long as its block lasts, also where the thread is cancelled there. */
#define HELD __attribute__((cleanup(let_go))) struct held
void let_go(struct held *held);
/* What the host's kernel or C library is to be given for a time by the virtual clock; the given one where there is none. */
const struct timespec *host_deadline(struct held *held, clockid_t clock, const struct timespec *time);
const struct itimerspec *host_timer(struct held *held, clockid_t clock, const struct itimerspec *timer);
void prepare_deadlines(void);

/* go.c */
void give_go_a_clock(char **environment);

#endif
