#include "hold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t DEFAULT_LEASE_NS = INT64_C(60000000000);

void complain(const char *format, ...)
{
	char line[512] = "fastmig hold: ";
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line + strlen(line), sizeof line - strlen(line) - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}

/*
 * By rename, so that it is whole for whoever looks. Not synced: the service stands still meanwhile, and after a crash
 * of the machine nothing is held any more.
 */
static int mark_held(const char *action, pid_t root)
{
	char text[128], written[32];
	snprintf(text, sizeof text, "%s %d %" PRId64 "\n", action, root, boottime_ns());
	snprintf(written, sizeof written, ".held.%d", getpid());
	return file_write(written, text) == 0 ? rename(written, "held") : -1;
}

/* The file that becomes the verdict where this hook decides: written while there is room on the disk. */
static const char *aborted_file(void)
{
	static char name[32];
	snprintf(name, sizeof name, ".aborted.%d", getpid());
	return name;
}

/* Obeys a verdict that stands. */
static int obey(enum verdict verdict)
{
	unlink(aborted_file());
	if (verdict == RELEASED && !verdict_sync())
		complain("cannot sync the verdict: %m");
	if (verdict == RELEASED)
		return PROCEED;
	if (verdict != ABORTED)
		complain("the verdict cannot be understood, so it releases nothing");
	return REFUSE;
}

/* Then nobody can release any more. */
static bool directory_is_gone(void)
{
	struct stat about;
	return stat(".", &about) != 0 || about.st_nlink == 0;
}

/* Whoever was held may resume only once `aborted` stands: so this goes on trying while the disk refuses. */
static int abort_dump(const char *why)
{
	complain("%s", why);
	for (;;) {
		file_decide(aborted_file(), "verdict");
		enum verdict verdict = verdict_read();
		if (verdict != UNDECIDED)
			return obey(verdict);
		if (directory_is_gone())
			return REFUSE;
		if (access(aborted_file(), F_OK) != 0)
			file_write(aborted_file(), "aborted\n");
		usleep(50000);
	}
}

/* Before `held` stands nobody may release (native/README.md), so one attempt to say `aborted` is enough. */
static int refuse_dump(void)
{
	complain("cannot write to the migration's directory: %m");
	file_decide(aborted_file(), "verdict");
	return obey(verdict_read() == RELEASED ? RELEASED : ABORTED);
}

static int hold_dump(pid_t root)
{
	int64_t default_end = boottime_ns() + DEFAULT_LEASE_NS;
	if (file_write(aborted_file(), "aborted\n") != 0 || !clocks_note() || mark_held("post-dump", root) != 0)
		return refuse_dump();
	for (;;) {
		enum verdict verdict = verdict_read();
		if (verdict == RELEASED || verdict == ABORTED)
			return obey(verdict);
		int64_t end = lease_read(default_end);
		if (boottime_ns() >= end)
			return abort_dump("the lease is over");
		if (directory_is_gone())
			return abort_dump("the migration's directory is gone");
		if (!waiter_wait(end))
			return abort_dump("CRIU is gone");
	}
}

/*
 * Without a lease: only `aborted` may discard what may be the last living copy. `running` must be on the disk before
 * the tree executes: after a crash its absence is the proof that nothing ever did.
 */
static int hold_restore(pid_t root)
{
	if (!stdio_is_ours(root) || !clocks_set(root))
		return REFUSE;
	if (mark_held("post-restore", root) != 0) {
		complain("cannot write 'held': %m");
		return REFUSE;
	}
	for (;;) {
		enum verdict verdict = verdict_read();
		if (verdict == RUNNING && verdict_sync())
			return PROCEED;
		if (verdict == ABORTED || !waiter_wait(INT64_MAX))
			return REFUSE;
	}
}

static bool enter(const char *directory)
{
	if (directory != NULL && chdir(directory) == 0)
		return true;
	complain("the directory to hold in cannot be entered");
	return false;
}

/* The variables are CRIU's (criu(8), --action-script) and the daemon's. */
int main(void)
{
	const char *action = getenv("CRTOOLS_SCRIPT_ACTION"), *clocks = getenv("FASTMIG_CLOCKS");
	const char *root = getenv("CRTOOLS_INIT_PID");
	bool dump = action != NULL && strcmp(action, "post-dump") == 0;
	bool restore = action != NULL && strcmp(action, "post-restore") == 0;
	if (!dump && !restore)
		return PROCEED;
	if (root == NULL || !enter(clocks != NULL ? clocks : getenv("FASTMIG_HOLD")))
		return REFUSE;
	if (clocks != NULL)
		return !restore || clocks_set(atoi(root)) ? PROCEED : REFUSE;
	waiter_open();
	return dump ? hold_dump(atoi(root)) : hold_restore(atoi(root));
}
