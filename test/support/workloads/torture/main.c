/*
 * torture MEGABYTES PAGES_PER_SECOND CHURN_MS
 *
 * Writes pages of known content at a rate, keeps every page's checksum, and every CHURN_MS milliseconds does one thing
 * more: maps, unmaps, moves, replaces, drops, forks, executes itself, ends a child. Each word on standard input is
 * answered with one line of JSON: `verify`, `flip PAGE` (spoils a page, to prove that it is found). Ends with its input.
 */
#include "torture.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void tell_account(void)
{
	struct account found = {0};
	churn_verify(&found);
	printf("{\"pages\":%lu,\"wrong\":%lu,\"writes\":%lu,\"children\":%d,", found.pages, found.wrong, found.writes,
	       family_size());
	if (found.wrong > 0)
		printf("\"first\":{\"region\":%lu,\"page\":%lu},", found.wrong_seed, found.wrong_page);
	printf("\"events\":{\"mapped\":%u,\"unmapped\":%u,\"moved\":%u,\"dropped\":%u,\"replaced\":%u,\"forked\":%u,",
	       events.mapped, events.unmapped, events.moved, events.dropped, events.replaced, events.forked);
	printf("\"executed\":%u,\"ended\":%u,\"blinked\":%u,\"badExits\":%u}}\n", events.executed, events.ended,
	       events.blinked, events.bad_exits);
}

static void answer(char *line)
{
	if (strcmp(line, "verify") == 0)
		tell_account();
	else if (strncmp(line, "flip ", 5) == 0)
		printf("{\"flipped\":%s}\n", churn_flip(strtoull(line + 5, NULL, 10)) ? "true" : "false");
	else
		printf("{\"error\":\"verify, or flip PAGE\"}\n");
	fflush(stdout);
}

/* 0 at the input's end. */
static int take_words(void)
{
	static char line[64];
	static size_t length;
	char word;
	if (read(0, &word, 1) != 1)
		return 0;
	if (word == '\n') {
		line[length] = '\0';
		length = 0;
		answer(line);
	} else if (length < sizeof line - 1) {
		line[length++] = word;
	}
	return 1;
}

static void run(uint64_t rate, int64_t churn_ms)
{
	struct pace writing = {.rate = rate, .last_ms = clock_ms()};
	struct pace churning = {.rate = churn_ms > 0 ? 1000000 / (uint64_t)churn_ms : 0, .last_ms = clock_ms()};
	uint64_t steps = 0;
	for (;;) {
		struct pollfd input = {.fd = 0, .events = POLLIN};
		churn_write(pace_due(&writing));
		/* In thousandths, for a pace below one a millisecond. */
		for (steps += pace_due(&churning); steps >= 1000; steps -= 1000)
			churn_step();
		if (poll(&input, 1, 10) > 0 && !take_words())
			return;
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--child") == 0)
		return child_main(argc, argv);
	if (argc != 4) {
		fputs("usage: torture MEGABYTES PAGES_PER_SECOND CHURN_MS\n", stderr);
		return 2;
	}
	/* A huge page is dirty as a whole: every round would be of everything. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
		fail("prctl");
	churn_prepare(strtoull(argv[1], NULL, 10) * MEGABYTE / PAGE);
	run(strtoull(argv[2], NULL, 10), strtoll(argv[3], NULL, 10));
	while (family_size() > 0)
		family_end_oldest();
	return 0;
}
