/* Memory of known pages whose checksums it keeps, under everything that moves memory about. See main.c. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { PAGE = 4096, WORDS = PAGE / 8, MEGABYTE = 1 << 20 };

/* Pages of a mapping, and what each of them must hold. */
struct region {
	uint64_t *at;
	size_t pages;
	uint64_t seed;
	/* Of each page: how often it was written, and the checksum it must have; that of zeroes until it is written. */
	uint32_t *version;
	uint64_t *sum;
	/* How often any of them was written: the versions' sum. */
	uint64_t writes;
};

/* What a verification found. */
struct account {
	uint64_t pages;
	uint64_t wrong;
	uint64_t writes;
	/* The first wrong page: its region's seed and its number. */
	uint64_t wrong_seed;
	uint64_t wrong_page;
};

enum inheritance { PRIVATE, INHERITED, SHARED };

/* page.c */
uint64_t page_sum(const uint64_t *page);
uint64_t zeroes_sum(void);
uint64_t page_key(uint64_t seed, size_t page, uint32_t version);
void page_fill(uint64_t *page, uint64_t key);
uint64_t random_below(uint64_t limit);

/* region.c */
void region_map(struct region *region, size_t pages, uint64_t seed, enum inheritance inheritance);
void region_unmap(struct region *region);
void region_write(struct region *region, size_t page);
void region_fill(struct region *region, size_t every);
void region_drop(struct region *region, size_t first, size_t count);
void region_move(struct region *region, size_t pages);
void region_replace(struct region *region);
void region_verify(const struct region *region, struct account *account);

/* family.c */
enum { MOST_CHILDREN = 4 };
void family_fork(struct region *inherited);
void family_exec(void);
int family_blink(void);
int family_end_oldest(void);
int family_size(void);
void family_verify(struct account *account);
int child_main(int argc, char **argv);

/* churn.c */
struct events {
	unsigned mapped, unmapped, moved, dropped, replaced, forked, executed, ended, blinked;
	/* Children that ended otherwise than they were told to. */
	unsigned bad_exits;
};
extern struct events events;
void churn_prepare(size_t arena_pages);
void churn_write(uint64_t count);
void churn_step(void);
void churn_verify(struct account *account);
int churn_flip(uint64_t page);

/* clock.c */
int64_t clock_ms(void);
/* How many of something that happens `rate` times a second are due since the last call. */
struct pace {
	uint64_t rate;
	int64_t last_ms;
	uint64_t owed;
};
uint64_t pace_due(struct pace *pace);

_Noreturn void fail(const char *what);
