#include "shards.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* CRIU of that uid may connect, and nobody else but root. */
int streamer_listen(const char *path, long uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		refuse("%s: the path is too long for a socket", path);
	strcpy(address.sun_path, path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
		refuse("%s: %m", path);
	if (uid >= 0 && lchown(path, (uid_t)uid, (gid_t)-1) != 0)
		refuse("%s: %m", path);
	return fd;
}

/* A message: its size as u32, then a protobuf with the name as its only field, a string of number 1. */
bool streamer_name(int line, char *name)
{
	uint32_t size;
	unsigned char message[LONGEST_NAME + 3];
	ssize_t got = recv(line, &size, sizeof size, MSG_WAITALL);
	if (got == 0)
		return false;
	if (got != sizeof size || size < 2 || size > sizeof message || recv(line, message, size, MSG_WAITALL) != (ssize_t)size)
		refuse("CRIU broke off in its request");
	/* The length is one varint of one byte, or of two. */
	size_t header = message[1] < 0x80 ? 2 : 3;
	if (message[0] != 0x0a || size < header)
		refuse("CRIU asks in a way that is not known here");
	size_t length = header == 2 ? message[1] : (message[1] & 0x7f) | (size_t)message[2] << 7;
	if (length != size - header || length > LONGEST_NAME || memchr(message + header, '\0', length) != NULL)
		refuse("CRIU asks for a name that cannot be");
	memcpy(name, message + header, length);
	name[length] = '\0';
	return true;
}

void streamer_answer(int line, bool exists)
{
	unsigned char message[] = { 2, 0, 0, 0, 0x08, exists };
	write_all(line, message, sizeof message, "the line to CRIU");
}

int streamer_pipe(int line)
{
	char dummy;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = { &dummy, 1 };
	struct msghdr message = {
		.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t got = recvmsg(line, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (got != 1 || header == NULL || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
		refuse("CRIU gave no pipe for what it asked");
	int fd;
	memcpy(&fd, CMSG_DATA(header), sizeof fd);
	/* As much as may be: every page that CRIU splices takes a place of its own. */
	fcntl(fd, F_SETPIPE_SZ, 1 << 20);
	return fd;
}
