/* CRIU reads its images as if from files; each goes to it through a pipe of its own. */
#include "shards.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STDIN, LINE, WATCHED };

struct service {
	const struct index *index;
	const struct settings *settings;
	const struct source *source;
	const struct file *file;
	/* Where NAME.instead may lie, which takes the place of the image's NAME; what is open of it, or -1. */
	const char *directory;
	int instead, pipe;
	/* Every chunk was looked at before. */
	bool checked;
};

/* False where CRIU does not want the rest. */
static bool give(int pipe, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t given = write(pipe, bytes, size);
		if (given < 0 && errno == EINTR)
			continue;
		if (given < 0 && errno == EPIPE)
			return false;
		if (given < 0)
			refuse("the pipe to CRIU: %m");
		bytes += given;
		size -= (size_t)given;
	}
	return true;
}

/* The whole file, as far as it is wanted. */
static void give_file(const struct service *service)
{
	struct seal *seal = seal_new(service->settings);
	unsigned char *stored = need(malloc(seal_most()));
	const uint64_t *order = service->index->order + service->file->first;
	bool as_it_is = service->checked && service->settings->packing == PLAIN && !service->settings->secret;
	bool wanted = true;
	for (uint64_t i = 0; i < service->file->chunks && wanted; i++) {
		const struct chunk *chunk = &service->index->chunks[order[i]];
		/* Also where the file's own pages go: CRIU, on another processor, finds them in the cache, 25 ms for each GB. */
		source_read(service->source, chunk, stored);
		wanted = as_it_is ? source_splice(service->source, chunk, service->pipe) :
				    give(service->pipe, seal_open(seal, order[i], chunk, stored), chunk->size);
	}
	close(service->pipe);
	free(stored);
	seal_free(seal);
}

static int open_instead(const char *directory, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.instead", directory, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void give_instead(const struct service *service)
{
	unsigned char bytes[4096];
	ssize_t length;
	while ((length = read(service->instead, bytes, sizeof bytes)) > 0)
		if (!give(service->pipe, bytes, (size_t)length))
			break;
	close(service->instead);
	close(service->pipe);
}

static void *feed(void *begun)
{
	struct service *service = begun;
	if (service->instead >= 0)
		give_instead(service);
	else
		give_file(service);
	free(service);
	return NULL;
}

void print(const struct index *index, const struct settings *settings, const struct source *source, const char *name)
{
	const struct file *file = index_find(index, name);
	if (file == NULL)
		damaged("the image has no %s", name);
	/* Not as it is: nobody has looked at it yet. */
	give_file(&(struct service){ .index = index, .settings = settings, .source = source, .file = file, .pipe = STDOUT_FILENO });
}

/* A thread for each file: processes read theirs at the same time. */
static void answer(const struct service *service, int line, const char *name)
{
	const struct file *file = index_find(service->index, name);
	streamer_answer(line, file != NULL);
	if (file == NULL)
		return;
	struct service *mine = need(malloc(sizeof *mine));
	*mine = *service;
	mine->file = file;
	mine->instead = open_instead(service->directory, name);
	mine->pipe = streamer_pipe(line);
	pthread_t thread;
	if (pthread_create(&thread, NULL, feed, mine) != 0)
		refuse("no thread can be started");
	pthread_detach(thread);
}

static int connected(int listener)
{
	int line = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (line < 0)
		refuse("accept: %m");
	close(listener);
	return line;
}

/* Until stdin ends: CRIU's line ends before its last pipe does. */
void serve(const struct index *index, const struct settings *settings, const struct source *source, const char *directory, long uid)
{
	char socket[4096], name[LONGEST_NAME + 1];
	struct service service = { .index = index, .settings = settings, .source = source, .directory = directory, .checked = true };
	snprintf(socket, sizeof socket, "%s/streamer-serve.sock", directory);
	struct pollfd fds[WATCHED] = {
		[STDIN] = { .fd = STDIN_FILENO, .events = POLLIN },
		[LINE] = { .fd = streamer_listen(socket, uid), .events = POLLIN },
	};
	say("ready\n");
	for (bool speaking = false;;) {
		if (poll(fds, WATCHED, -1) < 0 && errno != EINTR)
			refuse("poll: %m");
		if (fds[STDIN].revents != 0)
			return;
		if (fds[LINE].revents == 0)
			continue;
		if (!speaking) {
			fds[LINE].fd = connected(fds[LINE].fd);
			speaking = true;
		} else if (streamer_name(fds[LINE].fd, name)) {
			answer(&service, fds[LINE].fd, name);
		} else {
			fds[LINE].fd = -1;
		}
	}
}
