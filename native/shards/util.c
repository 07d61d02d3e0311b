#include "shards.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn)) static void end(int status, const char *format, va_list arguments)
{
	char text[512];
	int length = vsnprintf(text, sizeof text - 1, format, arguments);
	size_t size = length < 0 ? 0 : (size_t)length < sizeof text - 1 ? (size_t)length : sizeof text - 2;
	text[size] = '\n';
	if (write(STDERR_FILENO, text, size + 1) < 0)
		_exit(status);
	/* Other threads may be at work. */
	_exit(status);
}

void refuse(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	end(REFUSED, format, arguments);
}

void damaged(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	end(DAMAGED, format, arguments);
}

void *need(void *memory)
{
	if (memory == NULL)
		refuse("no memory");
	return memory;
}

void write_all(int fd, const void *bytes, size_t size, const char *what)
{
	const unsigned char *at = bytes;
	while (size > 0) {
		ssize_t written = write(fd, at, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			refuse("%s: %m", what);
		at += written;
		size -= (size_t)written;
	}
}

/* False where there is less. */
bool read_all(int fd, void *bytes, size_t size)
{
	unsigned char *at = bytes;
	while (size > 0) {
		ssize_t length = read(fd, at, size);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		at += length;
		size -= (size_t)length;
	}
	return true;
}

void say(const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof text)
		write_all(STDOUT_FILENO, text, (size_t)length, "stdout");
}
