#include "shards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shard {
	pthread_mutex_t lock;
	const char *path;
	int fd;
	uint64_t size;
};

struct job {
	struct job *next;
	uint64_t number;
	unsigned char *buffer;
};

struct pack {
	const struct settings *settings;
	struct index *index;
	struct shard shards[MOST_SHARDS];
	pthread_t threads[MOST_THREADS];
	int shard_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *first, **last;
	/* Queued or being packed. */
	int under_way;
	bool over;
	unsigned char *spare[4 * MOST_THREADS];
	int spare_count;
	uint64_t stored;
};

/* Any shard that nobody is writing to; else the one whose turn it is. */
static struct shard *claim(struct pack *pack, uint64_t number)
{
	for (int i = 0; i < pack->shard_count; i++) {
		struct shard *shard = &pack->shards[(number + (uint64_t)i) % (uint64_t)pack->shard_count];
		if (pthread_mutex_trylock(&shard->lock) == 0)
			return shard;
	}
	struct shard *shard = &pack->shards[number % (uint64_t)pack->shard_count];
	pthread_mutex_lock(&shard->lock);
	return shard;
}

static void store(struct pack *pack, struct seal *seal, struct job *job)
{
	/* The index's array may move while somebody adds to it. */
	pthread_mutex_lock(&pack->lock);
	struct chunk chunk = pack->index->chunks[job->number];
	pthread_mutex_unlock(&pack->lock);
	const unsigned char *bytes = seal_close(seal, job->number, &chunk, job->buffer);
	struct shard *shard = claim(pack, job->number);
	chunk.shard = (uint16_t)(shard - pack->shards);
	chunk.shard_at = shard->size;
	write_all(shard->fd, bytes, chunk.stored, shard->path);
	shard->size += chunk.stored;
	pthread_mutex_unlock(&shard->lock);
	pthread_mutex_lock(&pack->lock);
	pack->index->chunks[job->number] = chunk;
	pack->stored += chunk.stored;
	pthread_mutex_unlock(&pack->lock);
}

static struct job *next(struct pack *pack)
{
	pthread_mutex_lock(&pack->lock);
	while (pack->first == NULL && !pack->over)
		pthread_cond_wait(&pack->changed, &pack->lock);
	struct job *job = pack->first;
	if (job != NULL && (pack->first = job->next) == NULL)
		pack->last = &pack->first;
	pthread_mutex_unlock(&pack->lock);
	return job;
}

static void give_back(struct pack *pack, struct job *job)
{
	pthread_mutex_lock(&pack->lock);
	if (pack->spare_count < (int)(sizeof pack->spare / sizeof pack->spare[0]))
		pack->spare[pack->spare_count++] = job->buffer;
	else
		free(job->buffer);
	pack->under_way--;
	pthread_cond_broadcast(&pack->changed);
	pthread_mutex_unlock(&pack->lock);
	free(job);
}

static void *work(void *context)
{
	struct pack *pack = context;
	struct seal *seal = seal_new(pack->settings);
	for (struct job *job; (job = next(pack)) != NULL;) {
		store(pack, seal, job);
		give_back(pack, job);
	}
	return NULL;
}

static void open_shard(struct shard *shard, const char *path)
{
	pthread_mutex_init(&shard->lock, NULL);
	shard->path = path;
	shard->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (shard->fd < 0)
		refuse("%s: %m", path);
}

struct pack *pack_start(const struct settings *settings, struct index *index, char *const *paths, int count)
{
	struct pack *pack = need(calloc(1, sizeof *pack));
	pack->settings = settings;
	pack->index = index;
	pack->shard_count = count;
	pack->last = &pack->first;
	pthread_mutex_init(&pack->lock, NULL);
	pthread_cond_init(&pack->changed, NULL);
	for (int i = 0; i < count; i++)
		open_shard(&pack->shards[i], paths[i]);
	for (int i = 0; i < settings->threads; i++)
		if (pthread_create(&pack->threads[i], NULL, work, pack) != 0)
			refuse("no thread can be started");
	return pack;
}

unsigned char *pack_buffer(struct pack *pack)
{
	unsigned char *buffer = NULL;
	pthread_mutex_lock(&pack->lock);
	while (pack->under_way > pack->settings->threads)
		pthread_cond_wait(&pack->changed, &pack->lock);
	if (pack->spare_count > 0)
		buffer = pack->spare[--pack->spare_count];
	pthread_mutex_unlock(&pack->lock);
	return buffer != NULL ? buffer : need(malloc(CHUNK));
}

void pack_put(struct pack *pack, uint32_t file, unsigned char *buffer, uint32_t size)
{
	struct job *job = need(malloc(sizeof *job));
	pthread_mutex_lock(&pack->lock);
	*job = (struct job){ .number = index_add_chunk(pack->index, file, size), .buffer = buffer };
	*pack->last = job;
	pack->last = &job->next;
	pack->under_way++;
	pthread_cond_broadcast(&pack->changed);
	pthread_mutex_unlock(&pack->lock);
}

uint64_t pack_stored(struct pack *pack)
{
	pthread_mutex_lock(&pack->lock);
	uint64_t stored = pack->stored;
	pthread_mutex_unlock(&pack->lock);
	return stored;
}

void pack_finish(struct pack *pack)
{
	pthread_mutex_lock(&pack->lock);
	pack->over = true;
	pthread_cond_broadcast(&pack->changed);
	pthread_mutex_unlock(&pack->lock);
	for (int i = 0; i < pack->settings->threads; i++)
		pthread_join(pack->threads[i], NULL);
	for (int i = 0; i < pack->shard_count; i++) {
		/* What a network's file system could not write may be told only here. */
		if (close(pack->shards[i].fd) != 0)
			refuse("%s: %m", pack->shards[i].path);
		say("shard %llu\n", (unsigned long long)pack->shards[i].size);
	}
}
