/* pages: CRIU's lists of pages (pagemap-*.img) joined in themselves, and folded into the lists that they build on. */
#ifndef FASTMIG_PAGES_H
#define FASTMIG_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096 };
enum { DONE = 0, UNKNOWN_FORM = 2, WRONG_USAGE = 64, REFUSED = 71 };

/* Pages that follow each other in memory, and in the list's pages image where they are here. */
struct run {
	uint64_t address, pages;
	/* CRIU's, as far as the list has them. */
	uint32_t flags;
	/* Which of the optional fields it has: FORM_*. */
	unsigned char form;
	bool parents;
};
enum { FORM_IN_PARENT = 1, FORM_FLAGS = 2, FORM_WIDE = 4 };

struct list {
	/* The file's beginning: the magic and the head's message. */
	unsigned char *head;
	size_t head_size;
	uint64_t pages_id;
	struct run *runs;
	size_t count;
};

/* list.c. Paths are relative; none is followed where it is a link. */
bool is_list(const char *name);
int list_read(const char *path, struct list *list);
void list_write(const char *path, const struct list *list, int flags);
void list_join(struct list *list);
void list_free(struct list *list);
void run_to_parent(struct run *run);
struct run run_part(const struct run *run, uint64_t first, uint64_t pages);

/* fold.c */
int fold(const char *round, char *const *levels, size_t count, const char *rest);

/* main.c: does not return. */
__attribute__((noreturn, format(printf, 1, 2))) void refuse(const char *format, ...);
void *grown(void *array, size_t count, size_t size);

#endif
