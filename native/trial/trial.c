/*
 * trial BYTES STRIDE: a process that holds so many bytes and waits to be dumped and restored. It writes every STRIDEth page
 * of a mapping, each with a content of its own: 1 is one run of pages, 2 as many runs as pages.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, WRONG_USAGE = 64, NO_MEMORY = 71 };

static void fill(unsigned long *page, size_t number)
{
	for (size_t word = 0; word < PAGE / sizeof *page; word++)
		page[word] = number;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return WRONG_USAGE;
	size_t pages = strtoull(argv[1], NULL, 10) / PAGE, stride = strtoull(argv[2], NULL, 10);
	if (stride == 0)
		return WRONG_USAGE;
	size_t size = (pages * stride + 1) * PAGE;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NO_MEMORY;
	/* A huge page would be written as a whole. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t page = 0; page < pages; page++)
		fill((unsigned long *)(memory + page * stride * PAGE), page + 1);
	for (;;)
		pause();
}
