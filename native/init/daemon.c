#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_DELAY_MS = 50, LONGEST_DELAY_MS = 2000, LONG_LIFE_MS = 10000 };
enum { CONTROL_FD = 3, STDOUT_FD = 4, STDERR_FD = 5 };

static char **command;
static bool first_process;
static pid_t daemon_pid;
static int64_t started_at, start_at;
static int delay_ms = FIRST_DELAY_MS;

void daemon_configure(char **argv, bool is_first_process)
{
	command = argv;
	first_process = is_first_process;
	setenv("FASTMIG_INIT_FD", "3", 1);
	setenv("FASTMIG_STDOUT_FD", "4", 1);
	setenv("FASTMIG_STDERR_FD", "5", 1);
}

__attribute__((noreturn)) static void daemon_exec(int control)
{
	control = lift(control);
	int out = pump_fresh_end(0), err = pump_fresh_end(1);
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	child_fresh();
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (in < 0 || dup2(in, 0) < 0 || dup2(control, CONTROL_FD) < 0 || dup2(out, STDOUT_FD) < 0 ||
	    dup2(err, STDERR_FD) < 0)
		die(EXIT_OS, "cannot hand over the daemon's descriptors: %s", strerror(errno));
	execvp(command[0], command);
	die(127, "cannot execute %s: %s", command[0], strerror(errno));
}

static void later(void)
{
	start_at = now_ms() + delay_ms;
	delay_ms = delay_ms * 2 > LONGEST_DELAY_MS ? LONGEST_DELAY_MS : delay_ms * 2;
}

static void daemon_start(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		warn("socketpair: %s", strerror(errno));
		return later();
	}
	pid_t pid = fork();
	if (pid == 0)
		daemon_exec(ends[1]);
	close(ends[1]);
	if (pid < 0) {
		warn("cannot start the daemon: %s", strerror(errno));
		close(ends[0]);
		return later();
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	daemon_pid = pid;
	started_at = now_ms();
	control_open(ends[0], first_process);
	stop_repeat();
}

void daemon_watch(void)
{
	if (daemon_pid != 0)
		return;
	if (now_ms() >= start_at)
		daemon_start();
	if (daemon_pid == 0)
		watch_at_latest(start_at);
}

bool daemon_is(pid_t pid)
{
	return pid == daemon_pid;
}

/* Takes note if `pid`, which has been reaped, was the daemon. */
bool daemon_ended(pid_t pid)
{
	if (pid != daemon_pid)
		return false;
	warn("the daemon ended; it is started again");
	control_close();
	daemon_pid = 0;
	if (now_ms() - started_at >= LONG_LIFE_MS)
		delay_ms = FIRST_DELAY_MS;
	later();
	return true;
}

/* A daemon that breaks the protocol is of no use to anybody: the next one may do better. */
void daemon_kill(const char *why)
{
	if (daemon_pid == 0)
		return;
	warn("the daemon is killed: %s", why);
	kill(daemon_pid, SIGKILL);
	control_close();
}
