#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INHERITED_STDOUT = 10, INHERITED_STDERR = 11, ABOVE_ALL_TARGETS = 64 };

static bool name_is_good(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	return *name != '\0' && strlen(name) <= LONGEST_NAME && name[strspn(name, letters)] == '\0' &&
	       strcmp(name, "-") != 0;
}

typedef bool number_taker(struct spawn *spawn, long number);

static bool take_group(struct spawn *spawn, long number)
{
	if (spawn->group_count == sizeof spawn->groups / sizeof spawn->groups[0])
		return false;
	spawn->groups[spawn->group_count++] = (gid_t)number;
	return true;
}

static bool take_capability(struct spawn *spawn, long number)
{
	if (number > 63)
		return false;
	spawn->capabilities |= UINT64_C(1) << number;
	return true;
}

static bool parse_list(char *list, struct spawn *spawn, number_taker *take)
{
	char *rest = list, *word;
	long number;
	while (*list != '\0' && (word = strsep(&rest, ",")) != NULL)
		if (!parse_number(word, 0, UINT32_MAX - 1, &number) || !take(spawn, number))
			return false;
	return true;
}

static bool parse_ids(char **words, struct spawn *spawn)
{
	long uid, gid, pid;
	if (!parse_number(words[1], 0, UINT32_MAX - 1, &uid) || !parse_number(words[2], 0, UINT32_MAX - 1, &gid) ||
	    !parse_number(words[5], 0, INT32_MAX, &pid))
		return false;
	spawn->uid = (uid_t)uid;
	spawn->gid = (gid_t)gid;
	spawn->pid = (pid_t)pid;
	return true;
}

static bool parse_stdio(char **words, struct spawn *spawn)
{
	spawn->subreaper = strcmp(words[7], "subreaper") == 0;
	spawn->service_stdio = spawn->subreaper || strcmp(words[7], "service") == 0;
	spawn->file = strncmp(words[7], "file:/", 6) == 0 ? words[7] + 5 : NULL;
	spawn->inherit_pipes = strcmp(words[8], "pipes") == 0;
	return (spawn->service_stdio || spawn->file != NULL) && (spawn->inherit_pipes || *words[8] == '\0');
}

/* A count and as many strings, which become a NULL-terminated vector of their own. */
static char **parse_vector(char **words, size_t available, long *count)
{
	if (available == 0 || !parse_number(words[0], 0, (long)available - 1, count))
		return NULL;
	char **vector = calloc((size_t)*count + 1, sizeof *vector);
	if (vector != NULL)
		memcpy(vector, words + 1, (size_t)*count * sizeof *vector);
	return vector;
}

static const char *parse_vectors(struct request *request, struct spawn *spawn)
{
	/* Freed by the next spawn: the parent is done with them once it has forked. */
	static char **argv, **env;
	long argc, envc;
	free(argv);
	free(env);
	env = NULL;
	argv = parse_vector(request->words + 10, request->count - 10, &argc);
	if (argv == NULL || argc == 0)
		return "bad argv";
	size_t at = 11 + (size_t)argc;
	env = parse_vector(request->words + at, request->count - at, &envc);
	if (env == NULL || at + 1 + (size_t)envc != request->count)
		return "bad environment";
	spawn->argv = argv;
	spawn->env = env;
	return NULL;
}

/* words: spawn name uid gid groups caps pid cwd stdio inherit argc argv… envc env… */
const char *spawn_parse(struct request *request, struct spawn *spawn)
{
	char **words = request->words + 1;
	*spawn = (struct spawn){.name = words[0], .cwd = words[6]};
	if (!name_is_good(spawn->name))
		return "bad name";
	if (!parse_ids(words, spawn))
		return "bad uid, gid or PID";
	if (!parse_list(words[3], spawn, take_group))
		return "bad groups";
	if (!parse_list(words[4], spawn, take_capability))
		return "bad capabilities";
	if (!parse_stdio(words, spawn))
		return "bad stdio";
	return parse_vectors(request, spawn);
}

/* fork, or where the PID is chosen clone3: Docker's default seccomp profile knows no clone3. */
pid_t spawn_fork(pid_t wanted)
{
	if (wanted == 0)
		return fork();
	struct clone_args arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_ALL_TARGETS);
}

/* What every child of init's starts with: its own session, default signals, nothing blocked. */
void child_fresh(void)
{
	sigset_t none;
	setsid();
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
}

__attribute__((noreturn)) static void fail(int report, const char *what, const char *which)
{
	char text[256];
	int length = snprintf(text, sizeof text, "%s%s%s: %s", what, *which ? " " : "", which, strerror(errno));
	for (int i = 0; i < length && i < (int)sizeof text; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	if (write(report, text, strlen(text)) < 0)
		_exit(126);
	_exit(127);
}

static int open_output(const struct spawn *spawn)
{
	int fd = open(spawn->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0 || fchown(fd, spawn->uid, spawn->gid) != 0)
		return -1;
	return lift(fd);
}

static void set_stdio(const struct spawn *spawn, int report)
{
	int service_out = pump_fresh_end(0), service_err = pump_fresh_end(1);
	int out = spawn->service_stdio ? service_out : open_output(spawn);
	int err = spawn->service_stdio ? service_err : out;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (out < 0)
		fail(report, "cannot open", spawn->file);
	if (in < 0)
		fail(report, "cannot open", "/dev/null");
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		fail(report, "dup2", "");
	if (spawn->inherit_pipes &&
	    (dup2(service_out, INHERITED_STDOUT) < 0 || dup2(service_err, INHERITED_STDERR) < 0))
		fail(report, "dup2", "");
}

static void set_identity(const struct spawn *spawn, int report)
{
	if (setgroups(spawn->group_count, spawn->groups) != 0)
		fail(report, "setgroups", "");
	if (setresgid(spawn->gid, spawn->gid, spawn->gid) != 0)
		fail(report, "setresgid", "");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(spawn->uid, spawn->uid, spawn->uid) != 0)
		fail(report, "setresuid", "");
}

/* In a container that was started as somebody else than root, everybody is that one, with the container's groups. */
static void set_user(const struct spawn *spawn, int report)
{
	if (geteuid() == 0 || spawn->uid != geteuid() || spawn->gid != getegid())
		set_identity(spawn, report);
	if (spawn->uid != 0 && capabilities_leave(spawn->capabilities) != 0)
		fail(report, "cannot keep the capabilities", "");
}

void spawn_exec(const struct spawn *spawn, int report)
{
	report = lift(report);
	child_fresh();
	set_stdio(spawn, report);
	set_user(spawn, report);
	if (chdir(spawn->cwd) != 0)
		fail(report, "cannot enter", spawn->cwd);
	if (spawn->subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		fail(report, "cannot become the subreaper", "");
	environ = spawn->env;
	execvp(spawn->argv[0], spawn->argv);
	fail(report, "cannot execute", spawn->argv[0]);
}
