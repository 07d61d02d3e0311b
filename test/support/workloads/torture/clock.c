#include "torture.h"

#include <time.h>

int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A move may set the clock forwards or backwards: what it jumps over is not made up for. */
uint64_t pace_due(struct pace *pace)
{
	const int64_t longest = 100;
	int64_t now = clock_ms(), passed = now - pace->last_ms;
	pace->last_ms = now;
	if (passed < 0 || passed > longest)
		passed = passed < 0 ? 0 : longest;
	pace->owed += pace->rate * (uint64_t)passed;
	uint64_t due = pace->owed / 1000;
	pace->owed %= 1000;
	return due;
}
