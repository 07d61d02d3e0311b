#include "init.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One write, so that lines of several processes do not mix. */
static void complain(const char *format, va_list arguments)
{
	char line[1024] = "fastmig init: ";
	size_t used = strlen(line);
	int length = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
	if (length > 0)
		used += (size_t)length < sizeof line - used - 1 ? (size_t)length : sizeof line - used - 2;
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

void warn(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
}

void die(int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	_exit(status);
}

int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool parse_number(const char *text, long lowest, long highest, long *number)
{
	char *end;
	errno = 0;
	*number = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *number >= lowest && *number <= highest;
}
