#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_S = 8, LONGEST_TIMEOUT_S = 86400, DEATH_MS = 5000, REST_MS = 2000 };

static long timeout_s = DEFAULT_TIMEOUT_S;
static int first_signal;
static int64_t deadline;

void stop_configure(void)
{
	const char *text = getenv("FASTMIG_STOP_TIMEOUT");
	if (text != NULL && !parse_number(text, 0, LONGEST_TIMEOUT_S, &timeout_s))
		die(EXIT_USAGE, "FASTMIG_STOP_TIMEOUT is no number of seconds: %s", text);
}

/* The daemon stops the service; init only sees to it that this ends. */
void stop_signal(int number)
{
	if (first_signal == 0) {
		first_signal = number;
		deadline = now_ms() + timeout_s * 1000;
	}
	control_say("event signal %d", number);
}

/* A daemon that died while it was stopping leaves the stop to the next one. */
void stop_repeat(void)
{
	if (first_signal != 0)
		control_say("event signal %d", first_signal);
}

void stop_watch(void)
{
	if (first_signal == 0)
		return;
	if (now_ms() >= deadline) {
		warn("the daemon did not stop within %ld s: everything is killed", timeout_s);
		stop_now(EXIT_STOPPED_HARD);
	}
	watch_at_latest(deadline);
}

static bool childless(void)
{
	pid_t pid;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	return pid < 0 && errno == ECHILD;
}

/* Nobody may be left who writes or forks; then what was written before is pumped out, for as long as it is taken. */
void stop_now(int status)
{
	int64_t end = now_ms() + DEATH_MS;
	while (!childless() && now_ms() < end) {
		children_kill_all();
		pumps_watch();
		watch_at_latest(now_ms() + 2);
		watch_turn();
	}
	end = now_ms() + REST_MS;
	while (!pumps_idle() && now_ms() < end) {
		pumps_watch();
		watch_at_latest(end);
		watch_turn();
	}
	_exit(status);
}
