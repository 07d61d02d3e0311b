#include "init.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Above ROOM no request is read and no event sent until the daemon reads; above MOST it never will. */
enum { ROOM = 64 << 10, MOST = 16 << 20 };

static int line = -1;
static unsigned generation;

static unsigned char in[4 + LONGEST_FRAME];
static size_t in_length;

static char *out;
static size_t out_start, out_end, out_size;

bool control_has_room(void)
{
	return line >= 0 && out_end - out_start < ROOM;
}

unsigned control_generation(void)
{
	return generation;
}

void control_open(int fd, bool first_process)
{
	line = fd;
	generation++;
	in_length = out_start = out_end = 0;
	control_say("hello %d %s", PROTOCOL_VERSION, first_process ? "pid1" : "subreaper");
}

void control_close(void)
{
	if (line >= 0)
		close(line);
	line = -1;
	cursor_cancel();
	exits_untell();
}

static bool out_reserve(size_t length)
{
	memmove(out, out + out_start, out_end - out_start);
	out_end -= out_start;
	out_start = 0;
	if (out_end + length <= out_size)
		return true;
	size_t size = (out_end + length) * 2;
	char *bigger = size > MOST ? NULL : realloc(out, size);
	if (bigger == NULL)
		return false;
	out = bigger;
	out_size = size;
	return true;
}

void control_say(const char *format, ...)
{
	char *text;
	va_list arguments;
	if (line < 0)
		return;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return daemon_kill("there is no memory for what init says");
	if (out_reserve((size_t)length + 1)) {
		memcpy(out + out_end, text, (size_t)length);
		out_end += (size_t)length;
		out[out_end++] = '\n';
	} else {
		daemon_kill("it does not read what init says");
	}
	free(text);
}

void answer(long id, unsigned asked_in, bool ok, const char *text)
{
	if (asked_in == generation)
		control_say("answer %ld %s%s%s", id, ok ? "ok" : "error", *text ? " " : "", text);
}

static size_t count_words(const char *payload, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += payload[i] == '\0';
	return count;
}

/* The payload's words; false where it is no list of NUL-terminated strings that starts with an id and a verb. */
static bool frame_run(char *payload, size_t length)
{
	size_t count = count_words(payload, length);
	struct request request = {.generation = generation};
	if (length == 0 || payload[length - 1] != '\0' || count < 2 || !parse_number(payload, 0, INT64_MAX, &request.id))
		return false;
	char **words = calloc(count + 1, sizeof *words);
	if (words == NULL)
		return false;
	for (size_t i = 0; i < count; i++, payload += strlen(payload) + 1)
		words[i] = payload;
	request.words = words + 1;
	request.count = count - 1;
	verb_run(&request);
	free(words);
	return true;
}

static size_t frame_length(const unsigned char *frame)
{
	return frame[0] | (size_t)frame[1] << 8 | (size_t)frame[2] << 16 | (size_t)frame[3] << 24;
}

static void frames_run(void)
{
	size_t at = 0;
	unsigned current = generation;
	while (line >= 0 && in_length - at >= 4) {
		size_t length = frame_length(in + at);
		if (length > LONGEST_FRAME) {
			daemon_kill("its request is longer than init takes");
			return;
		}
		if (in_length - at - 4 < length)
			break;
		if (!frame_run((char *)in + at + 4, length))
			daemon_kill("its request cannot be understood");
		at += 4 + length;
	}
	if (line < 0 || current != generation)
		return;
	memmove(in, in + at, in_length - at);
	in_length -= at;
}

static void control_read(void)
{
	ssize_t length = read(line, in + in_length, sizeof in - in_length);
	if (length > 0) {
		in_length += (size_t)length;
		frames_run();
	} else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
		daemon_kill("it closed its line to init");
	}
}

static void control_write(void)
{
	ssize_t length = send(line, out + out_start, out_end - out_start, MSG_NOSIGNAL);
	if (length > 0)
		out_start += (size_t)length;
	else if (errno != EAGAIN && errno != EINTR)
		daemon_kill("it closed its line to init");
}

static void control_ready(short events, void *context)
{
	(void)context;
	if (line >= 0 && (events & POLLOUT))
		control_write();
	if (line >= 0 && (events & (POLLIN | POLLHUP | POLLERR)))
		control_read();
}

void control_watch(void)
{
	exits_tell();
	if (line < 0)
		return;
	short reading = control_has_room() ? POLLIN : 0;
	watch(line, reading | (out_start < out_end ? POLLOUT : 0), control_ready, NULL);
}
