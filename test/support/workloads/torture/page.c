#include "torture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Four lanes, so that a page takes a microsecond also where the processor is emulated. */
uint64_t page_sum(const uint64_t *page)
{
	const uint64_t prime = 0x9e3779b97f4a7c15;
	uint64_t lane[4] = {1, 2, 3, 4};
	for (int word = 0; word < WORDS; word += 4)
		for (int each = 0; each < 4; each++)
			lane[each] = ((lane[each] ^ page[word + each]) * prime) ^ (lane[each] >> 29);
	return lane[0] ^ lane[1] * 3 ^ lane[2] * 5 ^ lane[3] * 7;
}

uint64_t zeroes_sum(void)
{
	static uint64_t sum;
	static const uint64_t zeroes[WORDS];
	if (sum == 0)
		sum = page_sum(zeroes);
	return sum;
}

/* The first word of a page: no two places and no two versions have the same. */
uint64_t page_key(uint64_t seed, size_t page, uint32_t version)
{
	return (seed << 56 | (uint64_t)page << 32 | version) * 0xd1342543de82ef95 + 1;
}

void page_fill(uint64_t *page, uint64_t key)
{
	for (int word = 0; word < WORDS; word++) {
		page[word] = key;
		key = key * 6364136223846793005 + 1442695040888963407;
	}
}

uint64_t random_below(uint64_t limit)
{
	static uint64_t state = 88172645463325252;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % limit;
}

void fail(const char *what)
{
	fprintf(stderr, "torture: %s: %s\n", what, strerror(errno));
	exit(1);
}
