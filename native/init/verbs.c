#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void refuse(struct request *request, const char *why)
{
	answer(request->id, request->generation, false, why);
}

static void agree(struct request *request, const char *text)
{
	answer(request->id, request->generation, true, text);
}

static void run_kill(struct request *request)
{
	long pid, signal;
	if (!parse_number(request->words[1], INT32_MIN + 1, INT32_MAX, &pid) ||
	    !parse_number(request->words[2], 0, 64, &signal))
		return refuse(request, "kill takes a PID and a signal number");
	if (pid >= -1 && pid <= 1)
		return refuse(request, "kill takes one process or one group");
	if (kill((pid_t)pid, (int)signal) != 0)
		return refuse(request, strerror(errno));
	agree(request, "");
}

static void run_list(struct request *request)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return refuse(request, strerror(errno));
	children_list(out);
	fclose(out);
	agree(request, text);
	free(text);
}

static void run_pipes(struct request *request)
{
	char text[64];
	snprintf(text, sizeof text, "%llu %llu", (unsigned long long)pump_inode(0), (unsigned long long)pump_inode(1));
	agree(request, text);
}

static void run_chown_pipes(struct request *request)
{
	long uid, gid;
	if (!parse_number(request->words[1], 0, UINT32_MAX - 1, &uid) ||
	    !parse_number(request->words[2], 0, UINT32_MAX - 1, &gid))
		return refuse(request, "chown-pipes takes a uid and a gid");
	if (pumps_chown((uid_t)uid, (gid_t)gid) != 0)
		return refuse(request, strerror(errno));
	agree(request, "");
}

static void run_cursor(struct request *request)
{
	long target;
	if (!parse_number(request->words[1], 1, INT32_MAX, &target))
		return refuse(request, "cursor takes a PID");
	const char *problem = cursor_begin(request, target);
	if (problem != NULL)
		refuse(request, problem);
}

static void run_ack(struct request *request)
{
	exits_acknowledge(strtoull(request->words[1], NULL, 10));
}

static void run_shutdown(struct request *request)
{
	long status;
	if (!parse_number(request->words[1], 0, 255, &status))
		return refuse(request, "shutdown takes an exit status");
	stop_now((int)status);
}

static const struct {
	const char *name;
	size_t arguments;
	bool more;
	void (*run)(struct request *request);
} verbs[] = {
	{"spawn", 10, true, children_spawn},
	{"cursor", 1, false, run_cursor},
	{"kill", 2, false, run_kill},
	{"list", 0, false, run_list},
	{"pipes", 0, false, run_pipes},
	{"chown-pipes", 2, false, run_chown_pipes},
	{"ack", 1, false, run_ack},
	{"shutdown", 1, false, run_shutdown},
};

void verb_run(struct request *request)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(request->words[0], verbs[i].name) != 0)
			continue;
		size_t given = request->count - 1;
		if (given == verbs[i].arguments || (verbs[i].more && given > verbs[i].arguments))
			verbs[i].run(request);
		else
			refuse(request, "wrong number of arguments");
		return;
	}
	refuse(request, "no such verb");
}
