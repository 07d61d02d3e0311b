#include "init.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

static int raise_ambient(uint64_t wanted)
{
	for (unsigned long number = 0; number < 64; number++)
		if ((wanted >> number & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0)
			return -1;
	return 0;
}

/* From here on the caller, and whatever it executes, has these and no others. */
int capabilities_leave(uint64_t wanted)
{
	struct __user_cap_data_struct data[2];
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = data[i].inheritable = (uint32_t)(wanted >> (32 * i));
	return syscall(SYS_capset, &header, data) != 0 ? -1 : raise_ambient(wanted);
}

/* What a file capability, or the container's engine, allows a user who is not root. */
void capabilities_use(void)
{
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) != 0)
		return;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	syscall(SYS_capset, &header, data);
}
