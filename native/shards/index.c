#include "shards.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "FMSHARD1";
/* More than this is no index of ours. */
enum { LONGEST = 1 << 30 };

/* Room for one more: the array doubles where `count` fills it. */
static void *grown(void *array, uint64_t count, size_t size)
{
	if (count > 0 && (count < 64 || (count & (count - 1)) != 0))
		return array;
	return need(realloc(array, (count < 64 ? 64 : 2 * count) * size));
}

uint32_t index_add_file(struct index *index, const char *name, size_t length)
{
	index->files = grown(index->files, index->file_count, sizeof *index->files);
	index->files[index->file_count] = (struct file){ .name = need(strndup(name, length)) };
	return index->file_count++;
}

uint64_t index_add_chunk(struct index *index, uint32_t file, uint32_t size)
{
	index->chunks = grown(index->chunks, index->chunk_count, sizeof *index->chunks);
	index->chunks[index->chunk_count] =
		(struct chunk){ .file = file, .size = size, .at = index->files[file].size };
	index->files[file].size += size;
	return index->chunk_count++;
}

static size_t length_of(const struct index *index)
{
	size_t size = sizeof magic + sizeof index->file_count + sizeof index->chunk_count;
	for (uint32_t i = 0; i < index->file_count; i++)
		size += sizeof(uint16_t) + strlen(index->files[i].name) + sizeof index->files[i].size;
	return size + index->chunk_count * sizeof *index->chunks;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

void index_write(const struct index *index, const struct settings *settings, const char *path)
{
	size_t size = length_of(index);
	unsigned char *bytes = need(malloc(size)), *at = put(bytes, magic, sizeof magic), tag[TAG];
	at = put(at, &index->file_count, sizeof index->file_count);
	at = put(at, &index->chunk_count, sizeof index->chunk_count);
	for (uint32_t i = 0; i < index->file_count; i++) {
		uint16_t length = (uint16_t)strlen(index->files[i].name);
		at = put(at, &length, sizeof length);
		at = put(at, index->files[i].name, length);
		at = put(at, &index->files[i].size, sizeof index->files[i].size);
	}
	put(at, index->chunks, index->chunk_count * sizeof *index->chunks);
	seal_tag(seal_new(settings), OF_INDEX, bytes, size, tag);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		refuse("%s: %m", path);
	write_all(fd, bytes, size, path);
	close(fd);
	free(bytes);
	char text[2 * TAG + 1];
	for (int i = 0; i < TAG; i++)
		snprintf(text + 2 * i, 3, "%02x", tag[i]);
	say("index %zu %s\n", size, text);
}

struct bytes {
	const unsigned char *at, *end;
};

static bool take(struct bytes *from, void *value, size_t size)
{
	if ((size_t)(from->end - from->at) < size)
		return false;
	memcpy(value, from->at, size);
	from->at += size;
	return true;
}

static bool take_file(struct bytes *from, struct index *index)
{
	uint16_t length;
	char name[LONGEST_NAME];
	uint64_t size;
	if (!take(from, &length, sizeof length) || length > LONGEST_NAME || !take(from, name, length) ||
	    memchr(name, '\0', length) != NULL || !take(from, &size, sizeof size))
		return false;
	uint32_t number = index_add_file(index, name, length);
	index->files[number].size = size;
	return true;
}

static struct index *ordering;

static int by_file(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
	uint32_t file_a = ordering->chunks[a].file, file_b = ordering->chunks[b].file;
	return file_a != file_b ? (file_a < file_b ? -1 : 1) : (a > b) - (a < b);
}

static bool chunk_is_good(const struct index *index, const struct chunk *chunk, enum packing packing)
{
	return chunk->file < index->file_count && chunk->size > 0 && chunk->size <= MOST_CHUNK && chunk->stored > 0 &&
	       chunk->none == 0 && (packing == PLAIN ? chunk->stored == chunk->size : chunk->stored <= seal_most());
}

/* Every file is its chunks, one after the other, without a gap. */
static bool order_chunks(struct index *index, enum packing packing)
{
	index->order = need(malloc((index->chunk_count + 1) * sizeof *index->order));
	for (uint64_t i = 0; i < index->chunk_count; i++) {
		if (!chunk_is_good(index, &index->chunks[i], packing))
			return false;
		index->order[i] = i;
	}
	ordering = index;
	qsort(index->order, index->chunk_count, sizeof *index->order, by_file);
	uint64_t next = 0;
	for (uint32_t i = 0; i < index->file_count; i++) {
		struct file *file = &index->files[i];
		uint64_t size = 0;
		for (file->first = next; next < index->chunk_count; next++) {
			const struct chunk *chunk = &index->chunks[index->order[next]];
			if (chunk->file != i)
				break;
			if (chunk->at != size)
				return false;
			size += chunk->size;
		}
		file->chunks = next - file->first;
		if (size != file->size)
			return false;
	}
	return next == index->chunk_count;
}

static bool parse(struct index *index, struct bytes from, enum packing packing)
{
	char begins[sizeof magic];
	uint32_t files;
	uint64_t chunks;
	if (!take(&from, begins, sizeof begins) || memcmp(begins, magic, sizeof magic) != 0 ||
	    !take(&from, &files, sizeof files) || !take(&from, &chunks, sizeof chunks))
		return false;
	while (index->file_count < files)
		if (!take_file(&from, index))
			return false;
	size_t size = (size_t)(from.end - from.at);
	if (chunks != size / sizeof *index->chunks || size % sizeof *index->chunks != 0)
		return false;
	index->chunks = need(malloc(size + 1));
	index->chunk_count = chunks;
	return take(&from, index->chunks, size) && order_chunks(index, packing);
}

static bool is_tag(const unsigned char *tag, const char *text)
{
	char is[2 * TAG + 1];
	for (int i = 0; i < TAG; i++)
		snprintf(is + 2 * i, 3, "%02x", tag[i]);
	return strcmp(is, text) == 0;
}

void index_read(struct index *index, const struct settings *settings, const char *path, const char *tag)
{
	struct stat about;
	unsigned char is[TAG];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &about) != 0)
		refuse("%s: %m", path);
	if (about.st_size > LONGEST)
		damaged("the index is damaged: it has %lld bytes", (long long)about.st_size);
	size_t size = (size_t)about.st_size;
	unsigned char *bytes = need(malloc(size + 1));
	if (!read_all(fd, bytes, size))
		damaged("the index is damaged: it is shorter than it was");
	close(fd);
	seal_tag(seal_new(settings), OF_INDEX, bytes, size, is);
	if (!is_tag(is, tag))
		damaged("the index is damaged: it is not what was written");
	if (!parse(index, (struct bytes){ bytes, bytes + size }, settings->packing))
		damaged("the index is damaged: it is not of the form that is known here");
	free(bytes);
}

const struct file *index_find(const struct index *index, const char *name)
{
	for (uint32_t i = 0; i < index->file_count; i++)
		if (strcmp(index->files[i].name, name) == 0)
			return &index->files[i];
	return NULL;
}
