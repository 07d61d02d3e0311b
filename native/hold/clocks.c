/* The service's clocks (native/time) are noted when it is frozen, and set when it has come back, before it executes. */
#include "../time/table.h"
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const noted = "clocks";
static const char *const library = "/libfastmig-time.so\n";

static int64_t host_now(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return ns_of(&now);
}

/* Where there is no such file, the service goes by its host's clocks. */
static int open_offsets(int flags)
{
	const char *path = getenv(OFFSETS_VARIABLE);
	errno = ENOENT;
	return path == NULL ? -1 : open(path, flags | O_CLOEXEC | O_NOFOLLOW);
}

/* False, and errno, where the note cannot be written. */
bool clocks_note(void)
{
	struct offsets offsets;
	char text[CLOCKS * 24] = "";
	unlink(noted);
	int fd = open_offsets(O_RDONLY);
	if (fd < 0)
		return errno == ENOENT;
	bool whole = read(fd, &offsets, sizeof offsets) == sizeof offsets;
	close(fd);
	for (int i = 0; i < CLOCKS; i++)
		sprintf(text + strlen(text), "%" PRId64 "%c", host_now(host_clocks[i]) + offsets.ns[i], i + 1 < CLOCKS ? ' ' : '\n');
	return whole && file_write(noted, text) == 0;
}

/* 1; 0 where none were noted; -1 where the note cannot be understood. */
static int read_note(int64_t clocks[CLOCKS])
{
	char text[CLOCKS * 24], *at = text, *end;
	if (file_read(noted, text, sizeof text) < 0)
		return errno == ENOENT ? 0 : -1;
	for (int i = 0; i < CLOCKS; i++, at = end) {
		errno = 0;
		clocks[i] = strtoll(at, &end, 10);
		if (end == at || errno != 0)
			return -1;
	}
	return strcmp(at, "\n") == 0 ? 1 : -1;
}

/* For the programs that the service starts from now on. */
static bool write_offsets(const struct offsets *offsets)
{
	int fd = open_offsets(O_WRONLY);
	bool written = fd >= 0 && pwrite(fd, offsets, sizeof *offsets, 0) == sizeof *offsets;
	if (fd >= 0)
		close(fd);
	return written;
}

static bool get(int memory, void *into, size_t size, uint64_t address)
{
	return pread(memory, into, size, (off_t)address) == (ssize_t)size;
}

static bool put(int memory, const void *from, size_t size, uint64_t address)
{
	return pwrite(memory, from, size, (off_t)address) == (ssize_t)size;
}

/* Those times that a thread waits for, or is about to. */
static bool set_deadlines(int memory, const struct time_table *table, const struct offsets *offsets)
{
	struct deadline row[DEADLINES];
	uint64_t address = (uintptr_t)table->rows;
	if (table->used > ROWS || (table->used > 0 && table->row_size != sizeof row))
		return false;
	for (uint32_t i = 0; i < table->used; i++, address += sizeof row) {
		if (!get(memory, row, sizeof row, address))
			return false;
		for (int j = 0; j < DEADLINES; j++) {
			if (row[j].taken == 0 || row[j].clock >= CLOCKS)
				continue;
			struct timespec host = host_time(row[j].ns, offsets->ns[row[j].clock]);
			uint64_t place = address + j * sizeof row[j] + offsetof(struct deadline, host.it_value);
			if (!put(memory, &host, sizeof host, place))
				return false;
		}
	}
	return true;
}

static bool set_table(int memory, uint64_t address, const struct offsets *offsets)
{
	struct time_table table;
	return get(memory, &table, sizeof table, address) &&
	       put(memory, offsets, sizeof *offsets, address + offsetof(struct time_table, offsets)) &&
	       set_deadlines(memory, &table, offsets);
}

/* Where the library's table is in its writable data; 0: there is none. */
static uint64_t find_table(int memory, uint64_t start, uint64_t end)
{
	char magic[MAGIC_SIZE];
	for (uint64_t at = start; at + sizeof(struct time_table) <= end; at += TABLE_ALIGNMENT)
		if (get(memory, magic, sizeof magic, at) && memcmp(magic, TIME_MAGIC, sizeof magic) == 0)
			return at;
	return 0;
}

static bool is_librarys_data(const char *line, uint64_t *start, uint64_t *end)
{
	char writable;
	size_t length = strlen(line), suffix = strlen(library);
	return length > suffix && strcmp(line + length - suffix, library) == 0 &&
	       sscanf(line, "%" SCNx64 "-%" SCNx64 " r%c", start, end, &writable) == 3 && writable == 'w';
}

static FILE *open_maps(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	return fopen(path, "re");
}

static int open_memory(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* A program without the library goes by the host's clocks. */
static bool set_process(pid_t pid, void *offsets)
{
	char line[4200];
	uint64_t start, end, table = 0;
	bool set = true;
	FILE *maps = open_maps(pid);
	int memory = open_memory(pid);
	while (maps != NULL && memory >= 0 && table == 0 && fgets(line, sizeof line, maps) != NULL)
		if (is_librarys_data(line, &start, &end))
			table = find_table(memory, start, end);
	if (maps == NULL || memory < 0 || (table != 0 && !set_table(memory, table, offsets))) {
		complain("cannot set the clocks of process %d: %m", pid);
		set = false;
	}
	if (maps != NULL)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	return set;
}

/*
 * Once, when the tree has just come back: CRIU started its timers with what was left of them, so from then on its clocks
 * go on.
 */
bool clocks_set(pid_t root)
{
	int64_t clocks[CLOCKS];
	struct offsets offsets = {.generation = (uint64_t)host_now(CLOCK_REALTIME)};
	int note = read_note(clocks);
	if (note == 0)
		return true;
	for (int i = 0; i < CLOCKS; i++)
		offsets.ns[i] = saturated_subtract(clocks[i], host_now(host_clocks[i]));
	if (note == 1 && write_offsets(&offsets))
		return tree_each(root, set_process, &offsets);
	complain(note == 1 ? "cannot write the clocks' offsets: %m" : "the note of the clocks cannot be understood");
	return false;
}
