#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CHILDREN = 128, REAPED_PER_TURN = 256 };

/* A spawned child. `report` is open until its exec is known to have worked (end of file) or failed (a text). */
static struct child {
	pid_t pid;
	unsigned long long start;
	int report;
	long request;
	unsigned generation;
	char name[LONGEST_NAME + 1];
} children[MOST_CHILDREN];

static struct child *child_find(pid_t pid)
{
	for (struct child *child = children; child < children + MOST_CHILDREN; child++)
		if (child->pid == pid)
			return child;
	return NULL;
}

const char *children_name(pid_t pid)
{
	struct child *child = child_find(pid);
	return child == NULL ? "-" : child->name;
}

static void child_started(struct child *child)
{
	char text[48];
	snprintf(text, sizeof text, "%d %llu", child->pid, child->start);
	answer(child->request, child->generation, true, text);
}

/* Returns whether the exec failed; its exit is then the answer, not an event. */
static bool child_settle(struct child *child)
{
	char text[256];
	if (child->report < 0)
		return false;
	ssize_t length = read(child->report, text, sizeof text - 1);
	if (length < 0)
		return false;
	close(child->report);
	child->report = -1;
	if (length == 0) {
		child_started(child);
		return false;
	}
	text[length] = '\0';
	answer(child->request, child->generation, false, text);
	child->name[0] = '\0';
	return true;
}

static void child_reported(short events, void *context)
{
	(void)events;
	child_settle(context);
}

void children_watch(void)
{
	for (struct child *child = children; child < children + MOST_CHILDREN; child++)
		if (child->pid != 0)
			watch(child->report, POLLIN, child_reported, child);
}

static unsigned long long start_of(pid_t pid)
{
	struct process process = {0};
	process_read(pid, &process);
	return process.start;
}

static const char *child_start(struct child *child, const struct spawn *spawn)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) != 0)
		return strerror(errno);
	fcntl(report[0], F_SETFL, O_NONBLOCK);
	pid_t pid = spawn_fork(spawn->pid);
	if (pid == 0)
		spawn_exec(spawn, report[1]);
	int error = errno;
	close(report[1]);
	child->report = report[0];
	child->pid = pid > 0 ? pid : 0;
	if (pid > 0) {
		child->start = start_of(pid);
		return NULL;
	}
	close(report[0]);
	if (spawn->pid == 0)
		return strerror(error);
	return error == EEXIST ? "that PID is taken" : error == EPERM ? "choosing the PID needs CAP_CHECKPOINT_RESTORE" : strerror(error);
}

void children_spawn(struct request *request)
{
	struct spawn spawn;
	struct child *child = child_find(0);
	const char *problem = spawn_parse(request, &spawn);
	if (problem == NULL && child == NULL)
		problem = "too many children";
	if (problem == NULL && (spawn.service_stdio || spawn.inherit_pipes) && pumps_chown(spawn.uid, spawn.gid) != 0)
		problem = "cannot give the pipes to the uid";
	if (problem == NULL) {
		child->request = request->id;
		child->generation = request->generation;
		strcpy(child->name, spawn.name);
		problem = child_start(child, &spawn);
	}
	if (problem != NULL)
		answer(request->id, request->generation, false, problem);
}

static void child_ended(pid_t pid, unsigned long long start, int code, bool signaled)
{
	struct child *child = child_find(pid);
	if (daemon_ended(pid))
		return;
	if (child == NULL) {
		exits_keep(pid, start, "-", code, signaled);
		return;
	}
	child_settle(child);
	if (child->name[0] != '\0')
		exits_keep(pid, start, child->name, code, signaled);
	child->pid = 0;
}

/* Returns whether there may be more: a storm of orphans must not stop the pumps. */
bool children_reap(void)
{
	for (int reaped = 0; reaped < REAPED_PER_TURN; reaped++) {
		siginfo_t info = {0};
		struct process process = {0};
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return false;
		process_read(info.si_pid, &process);
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
		child_ended(info.si_pid, process.start, info.si_status, info.si_code != CLD_EXITED);
	}
	return true;
}

static void list_one(const struct process *process, void *context)
{
	FILE *out = context;
	if (process->state == 'Z' || process->state == 'X' || daemon_is(process->pid))
		return;
	fprintf(out, "%s%d:%llu:%s", ftell(out) > 0 ? " " : "", process->pid, process->start, children_name(process->pid));
}

void children_list(FILE *out)
{
	process_each_child(list_one, out);
}

static void kill_one(const struct process *process, void *context)
{
	(void)context;
	kill(process->pid, SIGKILL);
}

/* As subreaper we may kill only what is ours; the orphans of what dies become ours in turn. */
void children_kill_all(void)
{
	if (getpid() == 1)
		kill(-1, SIGKILL);
	process_each_child(kill_one, NULL);
}
