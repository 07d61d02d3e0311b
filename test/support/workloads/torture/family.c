#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child with checksummed memory of its own: 'v' on its pipe makes it verify all of it, the pipe's end ends it. */
struct child {
	pid_t pid;
	int to, from;
};

enum { CHILD_PAGES = 256, CHILD_RATE = 50 };

static struct child children[MOST_CHILDREN];
static int count;
static uint64_t born;

static void read_all(int fd, void *into, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, (char *)into + done, size - done);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			fail("a child's answer");
		done += got > 0 ? (size_t)got : 0;
	}
}

_Noreturn static void serve(int in, int out, struct region *region)
{
	struct pace pace = {.rate = CHILD_RATE, .last_ms = clock_ms()};
	for (;;) {
		struct pollfd ready = {.fd = in, .events = POLLIN};
		for (uint64_t due = pace_due(&pace); due > 0; due--)
			region_write(region, random_below(region->pages));
		if (poll(&ready, 1, 20) <= 0)
			continue;
		char word;
		if (read(in, &word, 1) != 1)
			_exit(0);
		struct account account = {0};
		region_verify(region, &account);
		if (write(out, &account, sizeof account) != sizeof account)
			_exit(1);
	}
}

static pid_t waited(pid_t pid, int *status)
{
	pid_t ended;
	do
		ended = waitpid(pid, status, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

/* 0 in the child, whose ends of the pipes are `in` and `out`. */
static pid_t bear(int *in, int *out)
{
	int to[2], from[2];
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	born++;
	if (pid == 0) {
		for (int each = 0; each < count; each++) {
			close(children[each].to);
			close(children[each].from);
		}
		close(to[1]);
		close(from[0]);
		*in = to[0];
		*out = from[1];
		return 0;
	}
	close(to[0]);
	close(from[1]);
	children[count++] = (struct child){.pid = pid, .to = to[1], .from = from[0]};
	return pid;
}

/* Its pages are the parent's until one of the two writes. */
void family_fork(struct region *inherited)
{
	int in, out;
	if (bear(&in, &out) == 0)
		serve(in, out, inherited);
}

/* Nothing of it is the parent's. */
void family_exec(void)
{
	int in, out;
	if (bear(&in, &out) != 0)
		return;
	char seed[24];
	snprintf(seed, sizeof seed, "%u", (unsigned)(100 + born % 100));
	char *argv[] = {"torture", "--child", seed, NULL};
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		fail("dup2");
	execv("/proc/self/exe", argv);
	fail("exec");
}

int child_main(int argc, char **argv)
{
	static struct region region;
	region_map(&region, CHILD_PAGES, argc > 2 ? strtoull(argv[2], NULL, 10) : 0, PRIVATE);
	region_fill(&region, 1);
	serve(0, 1, &region);
}

/* 1 where a child's exit status arrives as it was. */
int family_blink(void)
{
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		_exit(7);
	int status;
	return waited(pid, &status) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

/* 1 where it ended well. */
int family_end_oldest(void)
{
	struct child oldest = children[0];
	count--;
	for (int each = 0; each < count; each++)
		children[each] = children[each + 1];
	close(oldest.to);
	close(oldest.from);
	int status;
	return waited(oldest.pid, &status) == oldest.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int family_size(void)
{
	return count;
}

void family_verify(struct account *account)
{
	for (int each = 0; each < count; each++) {
		struct account theirs;
		if (write(children[each].to, "v", 1) != 1)
			fail("a child's pipe");
		read_all(children[each].from, &theirs, sizeof theirs);
		if (account->wrong == 0 && theirs.wrong > 0) {
			account->wrong_seed = theirs.wrong_seed;
			account->wrong_page = theirs.wrong_page;
		}
		account->pages += theirs.pages;
		account->wrong += theirs.wrong;
	}
}
