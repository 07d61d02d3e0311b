#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* images/pagemap.proto and images/image.h of CRIU. */
static const unsigned char magic[] = { 0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56 };
enum { ADDRESS = 1, NARROW, IN_PARENT, FLAGS, WIDE, FIELDS };
enum { FLAG_PARENT = 1, FLAG_PRESENT = 4 };
enum { SIZE_SIZE = 4 };

struct bytes {
	const unsigned char *at, *end;
};

bool is_list(const char *name)
{
	size_t length = strlen(name);
	return strncmp(name, "pagemap-", 8) == 0 && length > 12 && strcmp(name + length - 4, ".img") == 0;
}

static bool varint(struct bytes *from, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && from->at < from->end; shift += 7) {
		unsigned char byte = *from->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The next message: its size, then that many bytes. */
static bool message(struct bytes *from, struct bytes *body)
{
	uint32_t size;
	if (from->end - from->at < SIZE_SIZE)
		return false;
	memcpy(&size, from->at, SIZE_SIZE);
	if ((size_t)(from->end - from->at) - SIZE_SIZE < size)
		return false;
	body->at = from->at + SIZE_SIZE;
	body->end = from->at = body->at + size;
	return true;
}

/* Varints of fields 1 to `fields`, each at most once. */
static bool read_fields(struct bytes body, uint64_t *values, bool *has, int fields)
{
	while (body.at < body.end) {
		uint64_t key, value;
		if (!varint(&body, &key) || !varint(&body, &value) || key % 8 != 0)
			return false;
		uint64_t field = key / 8;
		if (field == 0 || field >= (uint64_t)fields || has[field])
			return false;
		values[field] = value;
		has[field] = true;
	}
	return true;
}

static bool read_run(struct bytes body, struct run *run)
{
	uint64_t values[FIELDS] = { 0 };
	bool has[FIELDS] = { false };
	if (!read_fields(body, values, has, FIELDS) || !has[ADDRESS] || !has[NARROW] || values[FLAGS] > UINT32_MAX)
		return false;
	/* What counted pages before the wide field came is still there, as 0. */
	if (has[WIDE] && values[NARROW] != 0)
		return false;
	run->address = values[ADDRESS];
	run->pages = values[has[WIDE] ? WIDE : NARROW];
	run->flags = (uint32_t)values[FLAGS];
	run->form = (has[IN_PARENT] ? FORM_IN_PARENT : 0) | (has[FLAGS] ? FORM_FLAGS : 0) | (has[WIDE] ? FORM_WIDE : 0);
	run->parents = has[FLAGS] ? (run->flags & FLAG_PARENT) != 0 : values[IN_PARENT] != 0;
	bool is_here = has[FLAGS] ? (run->flags & FLAG_PRESENT) != 0 : !run->parents;
	return is_here != run->parents && run->pages > 0 && run->pages <= UINT64_MAX / 2 / PAGE &&
	       run->address % PAGE == 0 && run->address <= UINT64_MAX / 2;
}

/* Ascending, and no page twice. */
static bool is_in_order(const struct run *runs, size_t count)
{
	for (size_t at = 1; at < count; at++)
		if (runs[at].address < runs[at - 1].address + runs[at - 1].pages * PAGE)
			return false;
	return true;
}

static int parse(struct list *list, struct bytes all)
{
	const unsigned char *start = all.at;
	struct bytes body;
	uint64_t head[2] = { 0 };
	bool has[2] = { false };
	if ((size_t)(all.end - all.at) < sizeof magic || memcmp(all.at, magic, sizeof magic) != 0)
		return UNKNOWN_FORM;
	all.at += sizeof magic;
	if (!message(&all, &body) || !read_fields(body, head, has, 2) || !has[1] || head[1] > UINT32_MAX)
		return UNKNOWN_FORM;
	list->pages_id = head[1];
	list->head_size = (size_t)(all.at - start);
	while (all.at < all.end) {
		struct run run;
		if (!message(&all, &body) || !read_run(body, &run))
			return UNKNOWN_FORM;
		list->runs = grown(list->runs, list->count, sizeof *list->runs);
		list->runs[list->count++] = run;
	}
	return is_in_order(list->runs, list->count) ? DONE : UNKNOWN_FORM;
}

/* UNKNOWN_FORM where it is not of the form that is known here; ENOENT leaves an empty list. */
int list_read(const char *path, struct list *list)
{
	memset(list, 0, sizeof *list);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return DONE;
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) != 0)
		refuse("%s: %m", path);
	size_t size = (size_t)stat.st_size, length = 0;
	unsigned char *bytes = malloc(size + 1);
	if (bytes == NULL)
		refuse("no memory for %s", path);
	for (ssize_t got = 1; got > 0 && length < size; length += (size_t)got)
		if ((got = read(fd, bytes + length, size - length)) < 0)
			refuse("%s: %m", path);
	close(fd);
	list->head = bytes;
	return parse(list, (struct bytes){ bytes, bytes + length });
}

static unsigned char *put(unsigned char *at, uint64_t field, uint64_t value)
{
	*at++ = (unsigned char)(field * 8);
	for (; value >= 0x80; value >>= 7)
		*at++ = (unsigned char)(value | 0x80);
	*at++ = (unsigned char)value;
	return at;
}

static unsigned char *put_run(unsigned char *at, const struct run *run)
{
	unsigned char *body = at + SIZE_SIZE;
	bool wide = run->form & FORM_WIDE;
	unsigned char *end = put(body, ADDRESS, run->address);
	end = put(end, NARROW, wide ? 0 : run->pages);
	if (run->form & FORM_IN_PARENT)
		end = put(end, IN_PARENT, run->parents);
	if (run->form & FORM_FLAGS)
		end = put(end, FLAGS, run->flags);
	if (wide)
		end = put(end, WIDE, run->pages);
	uint32_t size = (uint32_t)(end - body);
	memcpy(at, &size, SIZE_SIZE);
	return end;
}

/* The file is then as long as the list; `flags` say how it is opened. */
void list_write(const char *path, const struct list *list, int flags)
{
	enum { LONGEST_RUN = SIZE_SIZE + (FIELDS - 1) * 11 };
	unsigned char *bytes = malloc(list->head_size + list->count * LONGEST_RUN);
	if (bytes == NULL)
		refuse("no memory for %s", path);
	memcpy(bytes, list->head, list->head_size);
	unsigned char *end = bytes + list->head_size;
	for (size_t at = 0; at < list->count; at++)
		end = put_run(end, &list->runs[at]);
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	size_t size = (size_t)(end - bytes);
	if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)size) != 0 || close(fd) != 0)
		refuse("%s: %m", path);
	free(bytes);
}

static bool goes_on(const struct run *last, const struct run *next)
{
	uint64_t most = last->form & FORM_WIDE ? UINT64_MAX / 2 / PAGE : UINT32_MAX;
	return last->address + last->pages * PAGE == next->address && last->flags == next->flags &&
	       last->form == next->form && last->parents == next->parents && last->pages + next->pages <= most;
}

/* Runs that follow each other in the list and in memory do so in the pages image too: they become one. */
void list_join(struct list *list)
{
	size_t count = 0;
	for (size_t at = 0; at < list->count; at++) {
		if (count > 0 && goes_on(&list->runs[count - 1], &list->runs[at]))
			list->runs[count - 1].pages += list->runs[at].pages;
		else
			list->runs[count++] = list->runs[at];
	}
	list->count = count;
}

void list_free(struct list *list)
{
	free(list->head);
	free(list->runs);
}

/* The same pages, which the images that these build on have. */
void run_to_parent(struct run *run)
{
	run->parents = true;
	if (run->form & FORM_FLAGS)
		run->flags = FLAG_PARENT;
	else
		run->form |= FORM_IN_PARENT;
}

struct run run_part(const struct run *run, uint64_t first, uint64_t pages)
{
	struct run part = *run;
	part.address += first * PAGE;
	part.pages = pages;
	return part;
}
