/* A library that asks for the time when it is loaded: after another one in LD_PRELOAD, before that one is. */
#include <stdio.h>
#include <time.h>

__attribute__((constructor)) static void ask(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld\n", (long long)now.tv_sec);
}
