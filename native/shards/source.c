#include "shards.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct shard {
	/* Mapped, so that what is neither encrypted nor packed is not copied. */
	const unsigned char *bytes;
	uint64_t size;
};

struct source {
	const struct index *index;
	const struct settings *settings;
	struct shard shards[MOST_SHARDS];
};

/* A file that is cut off while it is read shows itself by this signal alone. */
static void cut_off(int signal)
{
	static const char text[] = "a shard is truncated, or cannot be read\n";
	(void)signal;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(DAMAGED);
	_exit(DAMAGED);
}

static struct shard map(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &about) != 0)
		refuse("%s: %m", path);
	size_t size = (size_t)about.st_size;
	void *bytes = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		refuse("%s: %m", path);
	close(fd);
	return (struct shard){ bytes, size };
}

struct source *source_open(const struct index *index, const struct settings *settings, char *const *paths, int count)
{
	struct source *source = need(calloc(1, sizeof *source));
	*source = (struct source){ .index = index, .settings = settings };
	signal(SIGBUS, cut_off);
	for (int i = 0; i < count; i++)
		source->shards[i] = map(paths[i]);
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

const unsigned char *source_at(const struct source *source, const struct chunk *chunk)
{
	return source->shards[chunk->shard].bytes + chunk->shard_at;
}

void source_done(const struct source *source, const struct chunk *chunk)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)source_at(source, chunk);
	uintptr_t end = begin + chunk->stored;
	madvise((void *)(begin & ~(page - 1)), end - (begin & ~(page - 1)), MADV_DONTNEED);
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
	for (uint64_t i; (i = atomic_fetch_add(&check->next, 1)) < source->index->chunk_count;) {
		const struct chunk *chunk = &source->index->chunks[i];
		seal_check(seal, i, chunk, source_at(source, chunk));
		source_done(source, chunk);
	}
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
