/*
 * pages join DIRECTORY
 *   Joins the runs of every list in a directory.
 * pages fold IMAGES ROUND REST LEVEL...
 *   Writes ROUND's pages to where those of the LEVELs are, which it builds on; the oldest level first. Pages that no level has
 *   come into the directory REST, with lists that build on the last level; nothing had to, and there is none. All are names
 *   below IMAGES. ROUND itself stays as it is: until this has ended well, it has to be read before the levels.
 *
 * Exit codes: 0; 2 a list is not of a form that is known here, nothing can be folded; 64 wrong usage; 71 the system refused.
 */
#include "pages.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void refuse(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(REFUSED);
}

/* Room for one more: the array doubles where `count` fills it. */
void *grown(void *array, size_t count, size_t size)
{
	if (count > 0 && (count < 16 || (count & (count - 1)) != 0))
		return array;
	void *more = realloc(array, (count < 16 ? 16 : 2 * count) * size);
	if (more == NULL)
		refuse("no memory for %zu runs", count);
	return more;
}

static int join(void)
{
	DIR *directory = opendir(".");
	if (directory == NULL)
		refuse("%m");
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		struct list list;
		if (!is_list(entry->d_name))
			continue;
		if (list_read(entry->d_name, &list) == DONE) {
			size_t before = list.count;
			list_join(&list);
			if (list.count < before)
				list_write(entry->d_name, &list, 0);
		}
		list_free(&list);
	}
	closedir(directory);
	return DONE;
}

int main(int argc, char **argv)
{
	bool joins = argc == 3 && strcmp(argv[1], "join") == 0;
	bool folds = argc >= 6 && strcmp(argv[1], "fold") == 0;
	if (!joins && !folds)
		return WRONG_USAGE;
	if (chdir(argv[2]) != 0)
		refuse("%s: %m", argv[2]);
	return joins ? join() : fold(argv[3], argv + 5, (size_t)argc - 5, argv[4]);
}
