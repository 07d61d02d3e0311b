/*
 * What a process of the service knows of the clocks, and what the hook sets right while it is held after a restore. The library
 * writes it in each process, `hold` finds it through /proc/PID/mem: both are built from this file.
 */
#ifndef FASTMIG_TIME_TABLE_H
#define FASTMIG_TIME_TABLE_H

#include <stdint.h>
#include <time.h>

/* The clocks that differ from host to host. */
enum { MONOTONIC, MONOTONIC_RAW, BOOTTIME, CLOCKS };

static const clockid_t host_clocks[CLOCKS] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME};

/* What is added to the host's clocks, in ns. The file of them, which programs read when they start, is just this. */
struct offsets {
	/* Another one each time they are set. */
	uint64_t generation;
	int64_t ns[CLOCKS];
};

/* An absolute time that is in the kernel's hand, or about to be, and where the kernel reads it. */
struct deadline {
	uint32_t taken, clock;
	int64_t ns;
	struct itimerspec host;
};

enum { MAGIC_SIZE = 16, TABLE_ALIGNMENT = 64, ROWS = 8192, DEADLINES = 4 };
#define TIME_MAGIC "fastmig time 1\n"
/* Where the file of offsets is: for the service's programs and for the hook. */
#define OFFSETS_VARIABLE "FASTMIG_TIME"

struct time_table {
	char magic[MAGIC_SIZE];
	struct offsets offsets;
	/* An array of rows, of which the first `used` were ever taken: one for each thread. */
	struct deadline (*rows)[DEADLINES];
	uint32_t used, row_size;
};

/* Of a time before the host's clock began, its beginning: as long past. */
static inline struct timespec timespec_of(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* Where an int64_t has no room for it, the last one there is, in 292 years. */
static inline int64_t ns_of(const struct timespec *time)
{
	int64_t ns;
	if (__builtin_mul_overflow(time->tv_sec, INT64_C(1000000000), &ns) || __builtin_add_overflow(ns, time->tv_nsec, &ns))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static inline int64_t saturated_subtract(int64_t from, int64_t what)
{
	int64_t result;
	if (__builtin_sub_overflow(from, what, &result))
		return what < 0 ? INT64_MAX : INT64_MIN;
	return result;
}

static inline struct timespec host_time(int64_t ns, int64_t offset)
{
	return timespec_of(saturated_subtract(ns, offset));
}

#endif
