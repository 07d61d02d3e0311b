#include "pages.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where pages have their place: from the page `page` on in the pages image of a level. */
struct place {
	uint64_t address, pages, page;
	size_t level;
};

struct places {
	struct place *places;
	size_t count;
	/* The first that may reach an address: asked in ascending order. */
	size_t at;
};

/* The piece of an address range that one place has, or none: `place` is NULL then. */
struct piece {
	uint64_t pages, page;
	const struct place *place;
};

struct levels {
	char *const *names;
	size_t count;
	/* Their pages images, open for one list; -1 where a level has no page of it. */
	int *images;
};

static void path_of(char *path, const char *directory, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
		refuse("%s: too long a name", name);
}

static void image_path(char *path, const char *directory, const struct list *list)
{
	char name[64];
	snprintf(name, sizeof name, "pages-%llu.img", (unsigned long long)list->pages_id);
	path_of(path, directory, name);
}

static uint64_t own_pages(const struct list *list)
{
	uint64_t pages = 0;
	for (size_t at = 0; at < list->count; at++)
		if (!list->runs[at].parents && (pages += list->runs[at].pages) > UINT64_MAX / 2 / PAGE)
			refuse("a list names more pages than there can be");
	return pages;
}

/* The pages image of a list, which has all that the list names. */
static int open_image(const char *directory, const struct list *list, int flags)
{
	char path[PATH_MAX];
	struct stat stat;
	image_path(path, directory, list);
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &stat) != 0)
		refuse("%s: %m", path);
	if ((uint64_t)stat.st_size < own_pages(list) * PAGE)
		refuse("%s ends before a page that its list names", path);
	return fd;
}

static uint64_t end_of(const struct place *place)
{
	return place->address + place->pages * PAGE;
}

/* The first piece of a range, cut where places begin and end. */
static struct piece cut(struct places *below, uint64_t address, uint64_t pages)
{
	while (below->at < below->count && end_of(&below->places[below->at]) <= address)
		below->at++;
	uint64_t end = address + pages * PAGE;
	const struct place *place = below->at < below->count ? &below->places[below->at] : NULL;
	if (place == NULL || place->address >= end)
		return (struct piece){ pages, 0, NULL };
	if (place->address > address)
		return (struct piece){ (place->address - address) / PAGE, 0, NULL };
	uint64_t until = end_of(place) < end ? end_of(place) : end;
	return (struct piece){ (until - address) / PAGE, place->page + (address - place->address) / PAGE, place };
}

static void add_place(struct places *places, struct place place)
{
	places->places = grown(places->places, places->count, sizeof *places->places);
	places->places[places->count++] = place;
}

/* Where the pages of a level's list are: its own in its image, the others where those below have them. */
static int resolve(struct places *below, const struct list *list, size_t level)
{
	struct places all = { 0 };
	uint64_t page = 0;
	for (size_t at = 0; at < list->count; at++) {
		const struct run *run = &list->runs[at];
		if (!run->parents) {
			add_place(&all, (struct place){ run->address, run->pages, page, level });
			page += run->pages;
			continue;
		}
		for (uint64_t first = 0; first < run->pages;) {
			uint64_t address = run->address + first * PAGE;
			struct piece piece = cut(below, address, run->pages - first);
			if (piece.place == NULL) {
				free(all.places);
				return UNKNOWN_FORM;
			}
			add_place(&all, (struct place){ address, piece.pages, piece.page, piece.place->level });
			first += piece.pages;
		}
	}
	free(below->places);
	*below = all;
	return DONE;
}

/* A level without this list knows none of its pages, and hides those below. */
static int open_levels(struct levels *levels, const char *name, struct places *places)
{
	int result = DONE;
	for (size_t level = 0; level < levels->count; level++) {
		char path[PATH_MAX];
		struct list list;
		path_of(path, levels->names[level], name);
		levels->images[level] = -1;
		if (result == DONE && (result = list_read(path, &list)) == DONE) {
			if (own_pages(&list) > 0)
				levels->images[level] = open_image(levels->names[level], &list, O_RDWR);
			result = resolve(places, &list, level);
			list_free(&list);
		}
	}
	return result;
}

static void close_levels(struct levels *levels, struct places *places)
{
	for (size_t level = 0; level < levels->count; level++)
		if (levels->images[level] >= 0)
			close(levels->images[level]);
	free(places->places);
}

static void write_pages(int fd, uint64_t page, const unsigned char *bytes, uint64_t pages)
{
	for (uint64_t done = 0; done < pages * PAGE;) {
		ssize_t length = pwrite(fd, bytes + done, pages * PAGE - done, (off_t)(page * PAGE + done));
		if (length <= 0)
			refuse("%m");
		done += (uint64_t)length;
	}
}

/* The rest of one list: the pages that had no place, and the list that says that the others are the parent's. */
struct rest {
	struct list list;
	int image;
	uint64_t pages;
};

static void add_run(struct rest *rest, struct run run)
{
	rest->list.runs = grown(rest->list.runs, rest->list.count, sizeof *rest->list.runs);
	rest->list.runs[rest->list.count++] = run;
}

static void fold_run(const struct run *run, const unsigned char *pages, struct places *below, const int *images,
		     struct rest *rest)
{
	for (uint64_t first = 0; first < run->pages;) {
		struct piece piece = cut(below, run->address + first * PAGE, run->pages - first);
		struct run part = run_part(run, first, piece.pages);
		if (piece.place != NULL) {
			write_pages(images[piece.place->level], piece.page, pages + first * PAGE, piece.pages);
			run_to_parent(&part);
		} else {
			if (rest->image >= 0)
				write_pages(rest->image, rest->pages, pages + first * PAGE, piece.pages);
			rest->pages += piece.pages;
		}
		add_run(rest, part);
		first += piece.pages;
	}
}

static void fold_list(const char *round, const struct list *list, struct places *below, const int *images,
		      struct rest *rest)
{
	size_t size = own_pages(list) * PAGE;
	int fd = size == 0 ? -1 : open_image(round, list, O_RDONLY);
	const unsigned char *pages = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED)
		refuse("%s: %m", round);
	uint64_t page = 0;
	for (size_t at = 0; at < list->count; at++) {
		const struct run *run = &list->runs[at];
		if (run->parents) {
			add_run(rest, *run);
			continue;
		}
		fold_run(run, pages + page * PAGE, below, images, rest);
		page += run->pages;
	}
	if (size == 0)
		return;
	munmap((void *)pages, size);
	close(fd);
}

static int create_image(const char *directory, const struct list *list)
{
	char path[PATH_MAX];
	image_path(path, directory, list);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		refuse("%s: %m", path);
	return fd;
}

/* Adds the pages that had no place to `left`; where `into` is a directory, they are written there. */
static int fold_name(const char *round, const char *name, struct levels *levels, const char *into, uint64_t *left)
{
	char path[PATH_MAX];
	struct list list;
	struct places places = { 0 };
	struct rest rest = { .image = -1 };
	path_of(path, round, name);
	int result = list_read(path, &list);
	if (result == DONE && (result = open_levels(levels, name, &places)) == DONE) {
		if (into != NULL)
			rest.image = create_image(into, &list);
		fold_list(round, &list, &places, levels->images, &rest);
		*left += rest.pages;
		if (into != NULL) {
			rest.list.head = list.head;
			rest.list.head_size = list.head_size;
			list_join(&rest.list);
			path_of(path, into, name);
			list_write(path, &rest.list, O_CREAT | O_EXCL);
			close(rest.image);
		}
		close_levels(levels, &places);
	}
	free(rest.list.runs);
	list_free(&list);
	return result;
}

static int fold_all(const char *round, struct levels *levels, const char *into, uint64_t *left)
{
	DIR *directory = opendir(round);
	if (directory == NULL)
		refuse("%s: %m", round);
	int result = DONE;
	for (struct dirent *entry; result == DONE && (entry = readdir(directory)) != NULL;)
		if (is_list(entry->d_name))
			result = fold_name(round, entry->d_name, levels, into, left);
	closedir(directory);
	return result;
}

int fold(const char *round, char *const *names, size_t count, const char *rest)
{
	struct levels levels = { names, count, calloc(count, sizeof(int)) };
	uint64_t left = 0, again = 0;
	if (levels.images == NULL)
		refuse("no memory for %zu levels", count);
	int result = fold_all(round, &levels, NULL, &left);
	if (result == DONE && left > 0) {
		if (mkdir(rest, 0700) != 0)
			refuse("%s: %m", rest);
		result = fold_all(round, &levels, rest, &again);
	}
	free(levels.images);
	return result;
}
