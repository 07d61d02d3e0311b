/* shards: CRIU's images into the shards of a checkpoint image and back, as they come. The format: docs/image-format.md. */
#ifndef FASTMIG_SHARDS_H
#define FASTMIG_SHARDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a chunk: as files are cut, and the most that is read. */
enum { CHUNK = 1 << 18, MOST_CHUNK = 1 << 20 };
enum { MOST_SHARDS = 256, MOST_THREADS = 64, LONGEST_NAME = 255, KEY = 32, TAG = 16 };
enum { DONE = 0, DAMAGED = 65, WRONG_USAGE = 64, REFUSED = 71 };

/* util.c. None of the three comes back. */
__attribute__((noreturn, format(printf, 1, 2))) void refuse(const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void damaged(const char *format, ...);
void *need(void *memory);
void write_all(int fd, const void *bytes, size_t size, const char *what);
bool read_all(int fd, void *bytes, size_t size);
/* One line on stdout, whole. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* How the chunks of one image are packed. */
enum packing { PLAIN, LZ4, ZSTD };
struct settings {
	enum packing packing;
	/* zstd's. */
	int level;
	/* The chunks are encrypted; else the key only makes their tags. */
	bool secret;
	unsigned char key[KEY];
	int threads;
};

/* index.c: what is where. All numbers are little-endian in the file, which is written and read as it is here. */
struct chunk {
	uint32_t file;
	uint32_t size;
	uint32_t stored;
	uint16_t shard;
	uint16_t none;
	/* Where it begins in its file, and in its shard. */
	uint64_t at;
	uint64_t shard_at;
	unsigned char tag[TAG];
};
_Static_assert(sizeof(struct chunk) == 48, "the index's format");
struct file {
	char *name;
	uint64_t size;
	/* In `order`; filled by index_read. */
	uint64_t first, chunks;
};
struct index {
	struct file *files;
	struct chunk *chunks;
	/* The numbers of the chunks, file by file, each file's in their order. */
	uint64_t *order;
	uint32_t file_count;
	uint64_t chunk_count;
};
uint32_t index_add_file(struct index *index, const char *name, size_t length);
uint64_t index_add_chunk(struct index *index, uint32_t file, uint32_t size);
/* Writes it and says how long it is and its tag. */
void index_write(const struct index *index, const struct settings *settings, const char *path);
void index_read(struct index *index, const struct settings *settings, const char *path, const char *tag);
const struct file *index_find(const struct index *index, const char *name);

/* seal.c: a thread's own tools. */
struct seal;
/* Bytes that a chunk is stored in at most. */
size_t seal_most(void);
struct seal *seal_new(const struct settings *settings);
void seal_free(struct seal *seal);
/* What bytes a tag vouches for: a chunk by its number, or the index. */
enum domain { OF_CHUNK, OF_INDEX };
void seal_tag(struct seal *seal, enum domain domain, const void *bytes, size_t size, unsigned char *tag);
/* Packs and seals; answers what is to be stored, which lies in `bytes` or in the seal. */
const unsigned char *seal_close(struct seal *seal, uint64_t number, struct chunk *chunk, unsigned char *bytes);
/* Whether it is what was stored; damage is the end. Answers it as it was packed. */
const unsigned char *seal_check(struct seal *seal, uint64_t number, const struct chunk *chunk, const unsigned char *stored);
/* As check, unpacked: what lies in `stored` or, until the next one, in the seal. */
const unsigned char *seal_open(struct seal *seal, uint64_t number, const struct chunk *chunk, const unsigned char *stored);

/* pack.c: chunks to the shards, by threads. */
struct pack;
struct pack *pack_start(const struct settings *settings, struct index *index, char *const *paths, int count);
unsigned char *pack_buffer(struct pack *pack);
/* Gives a buffer with a chunk of the file; of the last chunk it is less than CHUNK. */
void pack_put(struct pack *pack, uint32_t file, unsigned char *buffer, uint32_t size);
/* Bytes that are in the shards by now. */
uint64_t pack_stored(struct pack *pack);
/* Resolves what is under way, closes the shards and says how long each is. */
void pack_finish(struct pack *pack);

/* source.c: the shards that are read. */
struct source;
struct source *source_open(const struct index *index, const struct settings *settings, char *const *paths, int count);
/* What is stored of a chunk. */
void source_read(const struct source *source, const struct chunk *chunk, unsigned char *bytes);
/* The same into a pipe, as the file's own pages. False where nobody reads there any more. */
bool source_splice(const struct source *source, const struct chunk *chunk, int pipe);
/* Every chunk, by threads: damage is the end. */
void source_check(const struct source *source);

/* streamer.c: CRIU's protocol of image streamers (its criu/img-streamer.c). */
int streamer_listen(const char *path, long uid);
/* The name that CRIU asks for or brings; false: it said that it is done. */
bool streamer_name(int line, char *name);
void streamer_answer(int line, bool exists);
int streamer_pipe(int line);

void capture(const struct settings *settings, const char *directory, long uid, const char *index, char *const *paths, int count);
void print(const struct index *index, const struct settings *settings, const struct source *source, const char *name);
void serve(const struct index *index, const struct settings *settings, const struct source *source, const char *directory, long uid);

#endif
