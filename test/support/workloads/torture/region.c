#include "torture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *map(void *at, size_t pages, int flags)
{
	void *mapped = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
	if (mapped == MAP_FAILED)
		fail("mmap");
	return mapped;
}

static uint64_t *page_at(const struct region *region, size_t page)
{
	return region->at + page * WORDS;
}

static void forget(struct region *region, size_t first, size_t count)
{
	for (size_t page = first; page < first + count; page++)
		region->sum[page] = zeroes_sum();
}

/* PRIVATE: not for children, who would otherwise make every image as large again. */
void region_map(struct region *region, size_t pages, uint64_t seed, enum inheritance inheritance)
{
	*region = (struct region){.pages = pages, .seed = seed};
	region->at = map(NULL, pages, inheritance == SHARED ? MAP_SHARED : MAP_PRIVATE);
	if (inheritance == PRIVATE && madvise(region->at, pages * PAGE, MADV_DONTFORK) != 0)
		fail("madvise");
	region->version = calloc(pages, sizeof *region->version);
	region->sum = calloc(pages, sizeof *region->sum);
	if (region->version == NULL || region->sum == NULL)
		fail("calloc");
	forget(region, 0, pages);
}

void region_unmap(struct region *region)
{
	if (munmap(region->at, region->pages * PAGE) != 0)
		fail("munmap");
	free(region->version);
	free(region->sum);
	*region = (struct region){0};
}

void region_write(struct region *region, size_t page)
{
	region->version[page]++;
	region->writes++;
	page_fill(page_at(region, page), page_key(region->seed, page, region->version[page]));
	region->sum[page] = page_sum(page_at(region, page));
}

void region_fill(struct region *region, size_t every)
{
	for (size_t page = 0; page < region->pages; page += every)
		region_write(region, page);
}

/* The kernel gives them back as zeroes: they must not return from an earlier round. */
void region_drop(struct region *region, size_t first, size_t count)
{
	if (madvise(page_at(region, first), count * PAGE, MADV_DONTNEED) != 0)
		fail("madvise");
	forget(region, first, count);
}

/* To another address, and to another size: the same pages at a place where no round has seen them. */
void region_move(struct region *region, size_t pages)
{
	size_t before = region->pages;
	void *place = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved = mremap(region->at, before * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (place == MAP_FAILED || moved == MAP_FAILED)
		fail("mremap");
	region->at = moved;
	region->pages = pages;
	region->version = realloc(region->version, pages * sizeof *region->version);
	region->sum = realloc(region->sum, pages * sizeof *region->sum);
	if (region->version == NULL || region->sum == NULL)
		fail("realloc");
	for (size_t page = before; page < pages; page++)
		region->version[page] = 0;
	if (pages > before)
		forget(region, before, pages - before);
}

/* A new mapping at the same address: what the old one held there must not come back. */
void region_replace(struct region *region)
{
	map(region->at, region->pages, MAP_PRIVATE | MAP_FIXED);
	if (madvise(region->at, region->pages * PAGE, MADV_DONTFORK) != 0)
		fail("madvise");
	forget(region, 0, region->pages);
	region_fill(region, 2);
}

static int is_right(const struct region *region, size_t page)
{
	const uint64_t *words = page_at(region, page);
	if (page_sum(words) != region->sum[page])
		return 0;
	return region->sum[page] == zeroes_sum() || words[0] == page_key(region->seed, page, region->version[page]);
}

/* A whole region that is older than the rest has fewer writes: the caller compares the sums with what it knew. */
void region_verify(const struct region *region, struct account *account)
{
	uint64_t versions = 0;
	for (size_t page = 0; page < region->pages; page++) {
		versions += region->version[page];
		if (is_right(region, page))
			continue;
		if (account->wrong++ == 0) {
			account->wrong_seed = region->seed;
			account->wrong_page = page;
		}
	}
	if (versions != region->writes)
		account->wrong++;
	account->pages += region->pages;
	account->writes += region->writes;
}
