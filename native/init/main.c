#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int signals;
static const int stopping[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
/* For the daemon to know of; what they mean is its own. */
static const int other[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

static char **parse_arguments(char **arguments)
{
	char **next = arguments + 1;
	if (next[0] != NULL && strcmp(next[0], "--state") == 0 && next[1] != NULL) {
		setenv("FASTMIG_STATE", next[1], 1);
		next += 2;
	}
	if (next[0] == NULL || strcmp(next[0], "--") != 0 || next[1] == NULL)
		die(EXIT_USAGE, "usage: init [--state DIR] -- DAEMON [ARGUMENT]…");
	return next + 1;
}

/* Held until this process ends: the descriptor is closed on exec, so no child keeps the lock. */
static void lock_state(void)
{
	char path[4096];
	const char *state = getenv("FASTMIG_STATE");
	if (state == NULL || *state == '\0')
		die(EXIT_USAGE, "FASTMIG_STATE does not name the service's state directory");
	if ((size_t)snprintf(path, sizeof path, "%s/lock", state) >= sizeof path)
		die(EXIT_USAGE, "FASTMIG_STATE is too long");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		die(EXIT_OS, "cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return;
	if (errno == EWOULDBLOCK)
		die(EXIT_LOCKED, "another container of this service is running on this node (it holds %s)", path);
	die(EXIT_OS, "cannot lock %s: %s", path, strerror(errno));
}

static void open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		sigaddset(&set, stopping[i]);
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		sigaddset(&set, other[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		die(EXIT_OS, "signalfd: %s", strerror(errno));
}

static void take_signal(int number)
{
	for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
		if (number == stopping[i])
			return stop_signal(number);
	if (number != SIGCHLD)
		control_say("event signal %d", number);
}

static void take_signals(short events, void *context)
{
	struct signalfd_siginfo info;
	(void)events, (void)context;
	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
		take_signal((int)info.ssi_signo);
}

/* Descriptors 0 to 2 exist from here on, so that nothing of ours is taken for stdio. */
static void fill_stdio(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int count, char **arguments)
{
	bool first_process = getpid() == 1;
	(void)count;
	fill_stdio();
	capabilities_use();
	char **command = parse_arguments(arguments);
	lock_state();
	stop_configure();
	open_signals();
	if (!first_process && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		die(EXIT_OS, "cannot become the subreaper: %s", strerror(errno));
	pumps_open();
	daemon_configure(command, first_process);
	for (;;) {
		bool busy = children_reap();
		busy |= cursor_slice();
		daemon_watch();
		stop_watch();
		control_watch();
		children_watch();
		pumps_watch();
		watch(signals, POLLIN, take_signals, NULL);
		if (busy)
			watch_at_latest(0);
		watch_turn();
	}
}
