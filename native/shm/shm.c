/*
 * libfastmig-shm.so, preloaded into the service's programs where the plan says so: shared memory of System V, which CRIU can only
 * move together with a namespace that a container cannot make, lies in files. Every process that names the directory alike
 * shares it; whoever forks passes it on, as with the kernel's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
static const char *const default_directory = "/dev/shm/fastmig-sysv";

/* A segment is a file named after its id; a key is a link named after it to that name. */
static const char *path_of(char path[PATH_MAX], const char *form, ...)
{
	const char *directory = getenv("FASTMIG_SHM");
	va_list values;
	int length = snprintf(path, PATH_MAX, "%s/", directory != NULL ? directory : default_directory);
	va_start(values, form);
	vsnprintf(path + length, PATH_MAX - (size_t)length, form, values);
	va_end(values);
	return path;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

/* -1: nobody has one of this key. */
static int id_of_key(key_t key)
{
	char path[PATH_MAX], name[16];
	ssize_t length = readlink(path_of(path, "key-%08x", (unsigned int)key), name, sizeof name - 1);
	if (length <= 0)
		return -1;
	name[length] = '\0';
	return atoi(name);
}

static int open_segment(int id, int flags)
{
	char path[PATH_MAX];
	int fd = id < 0 ? fail(ENOENT) : open(path_of(path, "%d", id), flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 && errno == ENOENT ? fail(EINVAL) : fd;
}

static void remove_segment(int id)
{
	char path[PATH_MAX];
	unlink(path_of(path, "%d", id));
}

/* A new file of this size, with room for all of it: a segment that is too large is refused, not found out by a signal. */
static int make_segment(size_t size, int mode)
{
	char path[PATH_MAX];
	int id = 1, fd;
	path_of(path, "%s", "");
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	while ((fd = open(path_of(path, "%d", id), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0 && errno == EEXIST)
		id++;
	if (fd < 0)
		return -1;
	int error = fchmod(fd, (mode_t)(mode & 0777) | 0600) == 0 ? posix_fallocate(fd, 0, (off_t)size) : errno;
	close(fd);
	if (error == 0)
		return id;
	remove_segment(id);
	return fail(error == ENOSPC ? ENOMEM : error);
}

static int find_segment(int id, size_t size)
{
	struct stat about;
	int fd = open_segment(id, O_RDONLY);
	if (fd < 0)
		return -1;
	int result = fstat(fd, &about);
	close(fd);
	if (result != 0)
		return -1;
	return size > (size_t)about.st_size ? fail(EINVAL) : id;
}

/* Whoever gives a new segment its key first has it; the others find his. */
EXPORT int shmget(key_t key, size_t size, int flags)
{
	char link[PATH_MAX], name[16];
	for (;;) {
		int id = key == IPC_PRIVATE ? -1 : id_of_key(key);
		if (id >= 0 && (flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0)
			return fail(EEXIST);
		if (id >= 0)
			return find_segment(id, size);
		if (key != IPC_PRIVATE && (flags & IPC_CREAT) == 0)
			return fail(ENOENT);
		if (size == 0)
			return fail(EINVAL);
		if ((id = make_segment(size, flags)) < 0 || key == IPC_PRIVATE)
			return id;
		snprintf(name, sizeof name, "%d", id);
		if (symlink(name, path_of(link, "key-%08x", (unsigned int)key)) == 0)
			return id;
		remove_segment(id);
		if (errno != EEXIST)
			return -1;
	}
}

static void *map_segment(int fd, const void *address, int flags)
{
	struct stat about;
	int protection = PROT_READ | ((flags & SHM_RDONLY) == 0 ? PROT_WRITE : 0) | ((flags & SHM_EXEC) != 0 ? PROT_EXEC : 0);
	uintptr_t place = (uintptr_t)address;
	if ((flags & SHM_RND) != 0)
		place -= place % SHMLBA;
	int fixed = place == 0 ? 0 : (flags & SHM_REMAP) != 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (fstat(fd, &about) != 0)
		return MAP_FAILED;
	void *mapped = mmap((void *)place, (size_t)about.st_size, protection, MAP_SHARED | fixed, fd, 0);
	if (mapped == MAP_FAILED && errno == EEXIST)
		errno = EINVAL;
	return mapped;
}

EXPORT void *shmat(int id, const void *address, int flags)
{
	int fd = open_segment(id, (flags & SHM_RDONLY) != 0 ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return (void *)-1;
	void *mapped = map_segment(fd, address, flags);
	int error = errno;
	close(fd);
	errno = error;
	return mapped;
}

/* A line of /proc/PID/maps that shows a segment. */
struct mapping {
	uintptr_t start, end;
	uint64_t offset, inode;
};

/* Calls for each mapping of a file in our directory; ends early where `visit` returns false. */
static void each_mapping(const char *maps, bool (*visit)(const struct mapping *mapping, void *with), void *with)
{
	char line[PATH_MAX + 128], directory[PATH_MAX];
	struct mapping mapping;
	path_of(directory, "%s", "");
	FILE *file = fopen(maps, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strstr(line, directory) != NULL &&
		    sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %*s %" SCNu64, &mapping.start, &mapping.end,
			   &mapping.offset, &mapping.inode) == 4 &&
		    !visit(&mapping, with))
			break;
	if (file != NULL)
		fclose(file);
}

/* mprotect and madvise may have cut it. */
static bool extend(const struct mapping *mapping, void *with)
{
	struct mapping *whole = with;
	bool first = whole->end == 0 && mapping->start == whole->start && mapping->offset == 0;
	bool next = whole->end == mapping->start && mapping->inode == whole->inode && mapping->offset == whole->end - whole->start;
	if (first || next) {
		whole->end = mapping->end;
		whole->inode = mapping->inode;
	}
	return true;
}

EXPORT int shmdt(const void *address)
{
	struct mapping whole = {.start = (uintptr_t)address};
	each_mapping("/proc/self/maps", extend, &whole);
	return whole.end == 0 ? fail(EINVAL) : munmap((void *)address, whole.end - whole.start);
}

struct attached {
	uint64_t inode;
	shmatt_t count;
};

static bool count_start(const struct mapping *mapping, void *with)
{
	struct attached *attached = with;
	attached->count += mapping->inode == attached->inode && mapping->offset == 0;
	return true;
}

/* By everybody here: who has ended is attached no more, however that was. */
static shmatt_t attachments(uint64_t inode)
{
	struct attached attached = {.inode = inode};
	char maps[sizeof "/proc//maps" + NAME_MAX];
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(maps, sizeof maps, "/proc/%s/maps", entry->d_name);
		each_mapping(maps, count_start, &attached);
	}
	if (processes != NULL)
		closedir(processes);
	return attached.count;
}

static void describe(const struct stat *file, struct shmid_ds *about)
{
	*about = (struct shmid_ds){
		.shm_segsz = (size_t)file->st_size,
		.shm_ctime = file->st_ctime,
		.shm_nattch = attachments(file->st_ino),
	};
	about->shm_perm.uid = about->shm_perm.cuid = file->st_uid;
	about->shm_perm.gid = about->shm_perm.cgid = file->st_gid;
	about->shm_perm.mode = file->st_mode & 0777;
}

static void remove_keys_of(int id)
{
	char path[PATH_MAX];
	unsigned int key;
	struct dirent *entry;
	DIR *directory = opendir(path_of(path, "%s", ""));
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (sscanf(entry->d_name, "key-%8x", &key) == 1 && id_of_key((key_t)key) == id)
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory != NULL)
		closedir(directory);
}

EXPORT int shmctl(int id, int command, struct shmid_ds *about)
{
	struct stat file;
	int fd = open_segment(id, O_RDONLY), result = -1;
	if (fd < 0)
		return -1;
	switch (command) {
	case IPC_STAT:
		if ((result = fstat(fd, &file)) == 0)
			describe(&file, about);
		break;
	case IPC_SET:
		result = fchmod(fd, (about->shm_perm.mode & 0777) | 0600);
		break;
	case IPC_RMID:
		/* The keys first: who finds one finds its segment. */
		remove_keys_of(id);
		remove_segment(id);
		result = 0;
		break;
	case SHM_LOCK:
	case SHM_UNLOCK:
		result = 0;
		break;
	default:
		errno = EINVAL;
	}
	close(fd);
	return result;
}
