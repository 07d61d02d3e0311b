/* CRIU writes its images as if into files; each comes here through a pipe of its own. */
#include "shards.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STDIN, LINE, FIRST_PIPE };
/* Milliseconds between two words of progress. */
enum { PROGRESS_EVERY = 100 };

struct pipe {
	uint32_t file;
	unsigned char *buffer;
	uint32_t filled;
};

struct capture {
	struct index index;
	struct pack *pack;
	/* What is polled: stdin, CRIU's line (or who listens for it), and the pipes. */
	struct pollfd *fds;
	struct pipe *pipes;
	size_t count;
	bool connected, finishing;
	char said[8192];
	size_t said_length;
	uint64_t bytes;
	int64_t told;
};

static void add(struct capture *capture, int fd, uint32_t file)
{
	capture->fds = need(realloc(capture->fds, (capture->count + 1) * sizeof *capture->fds));
	capture->pipes = need(realloc(capture->pipes, (capture->count + 1) * sizeof *capture->pipes));
	capture->fds[capture->count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	capture->pipes[capture->count] = (struct pipe){ .file = file };
	capture->count++;
}

static void hear(struct capture *capture)
{
	char name[LONGEST_NAME + 1];
	int fd = capture->fds[LINE].fd;
	if (!capture->connected) {
		int line = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (line < 0)
			refuse("accept: %m");
		close(fd);
		capture->fds[LINE].fd = line;
		capture->connected = true;
	} else if (!streamer_name(fd, name)) {
		close(fd);
		capture->fds[LINE].fd = -1;
	} else {
		int pipe = streamer_pipe(fd);
		add(capture, pipe, index_add_file(&capture->index, name, strlen(name)));
	}
}

/* What can be read now, at most a chunk. */
static void drain(struct capture *capture, size_t at)
{
	struct pipe *pipe = &capture->pipes[at];
	if (pipe->buffer == NULL)
		pipe->buffer = pack_buffer(capture->pack);
	ssize_t length = read(capture->fds[at].fd, pipe->buffer + pipe->filled, CHUNK - pipe->filled);
	if (length < 0 && errno != EINTR && errno != EAGAIN)
		refuse("%s: %m", capture->index.files[pipe->file].name);
	if (length > 0) {
		capture->bytes += (uint64_t)length;
		pipe->filled += (uint32_t)length;
	}
	if (pipe->filled == CHUNK || (length == 0 && pipe->filled > 0)) {
		pack_put(capture->pack, pipe->file, pipe->buffer, pipe->filled);
		pipe->buffer = NULL;
		pipe->filled = 0;
	}
	if (length == 0) {
		free(pipe->buffer);
		close(capture->fds[at].fd);
		capture->fds[at].fd = -1;
	}
}

/* Pipes that have ended make room. */
static void sweep(struct capture *capture)
{
	size_t kept = FIRST_PIPE;
	for (size_t i = FIRST_PIPE; i < capture->count; i++) {
		if (capture->fds[i].fd < 0)
			continue;
		capture->fds[kept] = capture->fds[i];
		capture->pipes[kept++] = capture->pipes[i];
	}
	capture->count = kept;
}

/* NAME PATH: a FIFO that somebody is about to write another file of the image into. */
static void add_file(struct capture *capture, char *words)
{
	char *path = strchr(words, ' ');
	if (path == NULL || path == words || path - words > LONGEST_NAME)
		refuse("it is said to add what cannot be added");
	*path++ = '\0';
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		refuse("%s: %m", path);
	add(capture, fd, index_add_file(&capture->index, words, strlen(words)));
	say("added\n");
}

static void obey(struct capture *capture, char *line)
{
	if (strncmp(line, "add ", 4) == 0)
		return add_file(capture, line + 4);
	if (strcmp(line, "finish") != 0)
		refuse("it is said to do what it cannot do");
	capture->finishing = true;
	capture->fds[STDIN].fd = -1;
}

/* Lines. Its end, without `finish`: whoever asked is gone. */
static void listen_on(struct capture *capture)
{
	size_t room = sizeof capture->said - capture->said_length;
	ssize_t length = read(STDIN_FILENO, capture->said + capture->said_length, room);
	if (length <= 0)
		refuse("nobody waits for the image any more");
	capture->said_length += (size_t)length;
	char *line = capture->said, *end;
	while ((end = memchr(line, '\n', capture->said_length - (size_t)(line - capture->said))) != NULL) {
		*end = '\0';
		obey(capture, line);
		line = end + 1;
	}
	capture->said_length -= (size_t)(line - capture->said);
	memmove(capture->said, line, capture->said_length);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void tell(struct capture *capture)
{
	if (now() - capture->told < PROGRESS_EVERY)
		return;
	capture->told = now();
	say("progress %llu %llu\n", (unsigned long long)capture->bytes,
	    (unsigned long long)pack_stored(capture->pack));
}

/* False where nothing is left: everything that CRIU had sent when it was said to be done has come. */
static bool turn(struct capture *capture)
{
	bool last = capture->finishing && capture->count == FIRST_PIPE;
	int ready = poll(capture->fds, capture->count, last ? 0 : -1);
	if (ready < 0 && errno != EINTR)
		refuse("poll: %m");
	for (size_t i = FIRST_PIPE; i < capture->count && ready > 0; i++)
		if (capture->fds[i].revents != 0)
			drain(capture, i);
	if (ready > 0 && capture->fds[LINE].fd >= 0 && capture->fds[LINE].revents != 0)
		hear(capture);
	if (ready > 0 && capture->fds[STDIN].fd >= 0 && capture->fds[STDIN].revents != 0)
		listen_on(capture);
	sweep(capture);
	tell(capture);
	return !last || ready != 0;
}

void capture(const struct settings *settings, const char *directory, long uid, const char *index, char *const *paths, int count)
{
	struct capture capture = { .told = now() };
	char socket[4096];
	snprintf(socket, sizeof socket, "%s/streamer-capture.sock", directory);
	add(&capture, STDIN_FILENO, 0);
	add(&capture, streamer_listen(socket, uid), 0);
	capture.pack = pack_start(settings, &capture.index, paths, count);
	say("ready\n");
	while (turn(&capture))
		;
	pack_finish(capture.pack);
	index_write(&capture.index, settings, index);
	for (uint32_t i = 0; i < capture.index.file_count; i++)
		say("file %llu %s\n", (unsigned long long)capture.index.files[i].size, capture.index.files[i].name);
}
