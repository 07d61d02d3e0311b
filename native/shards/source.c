#include "shards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct shard {
	int fd;
	const char *path;
	uint64_t size;
};

struct source {
	const struct index *index;
	const struct settings *settings;
	struct shard shards[MOST_SHARDS];
};

static struct shard open_shard(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &about) != 0)
		refuse("%s: %m", path);
	return (struct shard){ fd, path, (uint64_t)about.st_size };
}

struct source *source_open(const struct index *index, const struct settings *settings, char *const *paths, int count)
{
	struct source *source = need(calloc(1, sizeof *source));
	*source = (struct source){ .index = index, .settings = settings };
	for (int i = 0; i < count; i++)
		source->shards[i] = open_shard(paths[i]);
	for (uint64_t i = 0; i < index->chunk_count; i++) {
		const struct chunk *chunk = &index->chunks[i];
		if (chunk->shard >= count)
			damaged("the index is damaged: it names shard %d of %d", chunk->shard + 1, count);
		uint64_t size = source->shards[chunk->shard].size;
		if (chunk->shard_at > size || size - chunk->shard_at < chunk->stored)
			damaged("shard %d is truncated: it has %llu bytes", chunk->shard + 1, (unsigned long long)size);
	}
	return source;
}

/* A file may be cut off while it is read. */
static size_t moved(const struct shard *shard, ssize_t length)
{
	if (length < 0)
		refuse("%s: %m", shard->path);
	if (length == 0)
		damaged("a shard is truncated: %s", shard->path);
	return (size_t)length;
}

void source_read(const struct source *source, const struct chunk *chunk, unsigned char *bytes)
{
	const struct shard *shard = &source->shards[chunk->shard];
	for (size_t done = 0; done < chunk->stored;)
		done += moved(shard, pread(shard->fd, bytes + done, chunk->stored - done, (off_t)(chunk->shard_at + done)));
}

bool source_splice(const struct source *source, const struct chunk *chunk, int pipe)
{
	const struct shard *shard = &source->shards[chunk->shard];
	off_t at = (off_t)chunk->shard_at, end = at + (off_t)chunk->stored;
	while (at < end) {
		ssize_t length = splice(shard->fd, &at, pipe, NULL, (size_t)(end - at), 0);
		if (length < 0 && errno == EPIPE)
			return false;
		if (length >= 0 || errno != EINTR)
			moved(shard, length);
	}
	return true;
}

struct check {
	const struct source *source;
	atomic_uint_fast64_t next;
};

static void *check_some(void *context)
{
	struct check *check = context;
	const struct source *source = check->source;
	struct seal *seal = seal_new(source->settings);
	unsigned char *stored = need(malloc(seal_most()));
	for (uint64_t i; (i = atomic_fetch_add(&check->next, 1)) < source->index->chunk_count;) {
		const struct chunk *chunk = &source->index->chunks[i];
		source_read(source, chunk, stored);
		seal_check(seal, i, chunk, stored);
	}
	free(stored);
	seal_free(seal);
	return NULL;
}

void source_check(const struct source *source)
{
	struct check check = { .source = source };
	pthread_t threads[MOST_THREADS];
	for (int i = 0; i < source->settings->threads; i++)
		if (pthread_create(&threads[i], NULL, check_some, &check) != 0)
			refuse("no thread can be started");
	for (int i = 0; i < source->settings->threads; i++)
		pthread_join(threads[i], NULL);
}
