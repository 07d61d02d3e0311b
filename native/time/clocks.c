#include "virtual.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not among what is zero at first: the hook looks for it in the library's data. */
__attribute__((aligned(TABLE_ALIGNMENT))) struct time_table time_table = {.magic = TIME_MAGIC};

void *next_symbol(const char *name, const char *version)
{
	void *found = version == NULL ? NULL : dlvsym(RTLD_NEXT, name, version);
	return found != NULL ? found : dlsym(RTLD_NEXT, name);
}

int clock_index(clockid_t clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
	/* The coarse one would be behind it, and after a move could be behind itself. */
	case CLOCK_MONOTONIC_COARSE:
		return MONOTONIC;
	case CLOCK_MONOTONIC_RAW:
		return MONOTONIC_RAW;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return BOOTTIME;
	default:
		return -1;
	}
}

static bool read_offsets(struct offsets *offsets)
{
	const char *path = getenv(OFFSETS_VARIABLE);
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool whole = read(fd, offsets, sizeof *offsets) == sizeof *offsets;
	close(fd);
	return whole;
}

/* Read again until what is in force is what stands in the file: the process may be moved in between. */
void begin_once(void)
{
	static bool begun;
	struct offsets *offsets = &time_table.offsets, found;
	if (begun)
		return;
	while (read_offsets(&found) && memcmp(offsets, &found, sizeof found) != 0)
		*(volatile struct offsets *)offsets = found;
	prepare_deadlines();
	begun = true;
}

/* Again where the process was moved between the reading and the sum. */
int64_t virtual_now(int clock)
{
	struct timespec host;
	uint64_t generation;
	int64_t offset;
	begin_once();
	do {
		generation = __atomic_load_n(&time_table.offsets.generation, __ATOMIC_ACQUIRE);
		ORIGINAL(clock_gettime, NULL)(host_clocks[clock], &host);
		offset = __atomic_load_n(&time_table.offsets.ns[clock], __ATOMIC_ACQUIRE);
	} while (generation != __atomic_load_n(&time_table.offsets.generation, __ATOMIC_ACQUIRE));
	return ns_of(&host) + offset;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *time)
{
	int index = clock_index(clock);
	if (index < 0)
		return ORIGINAL(clock_gettime, NULL)(clock, time);
	*time = timespec_of(virtual_now(index));
	return 0;
}

__attribute__((constructor)) static void start(int count, char **arguments, char **environment)
{
	(void)count;
	(void)arguments;
	begin_once();
	ORIGINAL(clock_gettime, NULL);
	give_go_a_clock(environment);
}
