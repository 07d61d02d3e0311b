#include "init.h"

#include <string.h>

enum { MOST_EXITS = 256 };

static struct exit_record {
	unsigned long long sequence, start;
	pid_t pid;
	int code;
	bool signaled, told;
	char name[LONGEST_NAME + 1];
} exits[MOST_EXITS];
static size_t count;
static unsigned long long last_sequence;
static unsigned long lost;

static void forget(size_t index)
{
	memmove(&exits[index], &exits[index + 1], (--count - index) * sizeof exits[0]);
}

/* Orphans that come and go must not push out what the daemon waits for. */
static void make_room(void)
{
	size_t oldest = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(exits[i].name, "-") == 0) {
			oldest = i;
			break;
		}
	forget(oldest);
	lost++;
}

void exits_keep(pid_t pid, unsigned long long start, const char *name, int code, bool signaled)
{
	if (count == MOST_EXITS)
		make_room();
	struct exit_record *record = &exits[count++];
	*record = (struct exit_record){
		.sequence = ++last_sequence, .start = start, .pid = pid, .code = code, .signaled = signaled};
	strcpy(record->name, name);
}

void exits_tell(void)
{
	if (lost > 0 && control_has_room()) {
		control_say("event lost %lu", lost);
		lost = 0;
	}
	for (size_t i = 0; i < count && control_has_room(); i++) {
		struct exit_record *record = &exits[i];
		if (record->told)
			continue;
		record->told = true;
		control_say("event exited %llu %d %llu %s %s %d", record->sequence, record->pid, record->start,
			    record->name, record->signaled ? "signal" : "code", record->code);
	}
}

/* For the next daemon: what the last one was told and did not acknowledge, it may not have acted upon. */
void exits_untell(void)
{
	for (size_t i = 0; i < count; i++)
		exits[i].told = false;
}

void exits_acknowledge(unsigned long long sequence)
{
	for (size_t i = 0; i < count; i++)
		if (exits[i].sequence == sequence) {
			forget(i);
			return;
		}
}
