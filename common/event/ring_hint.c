/* SPDX-License-Identifier: Apache-2.0 */

/* Why io_uring was refused, and what an operator can do about it. */

#include <errno.h>
#include <stdio.h>

#include "common/event/backend.h"

/* The sysctl kernel.io_uring_disabled, -1 where the kernel has none. */
static int read_disabled(void)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = -1;

	if (f && fscanf(f, "%d", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

const char *backend_ring_hint(int error)
{
	switch (error) {
	case EPERM:
		if (read_disabled() > 0)
			return "the sysctl kernel.io_uring_disabled forbids "
			       "it: set it to 0";
		return "a seccomp profile forbids it: allow io_uring_setup, "
		       "io_uring_enter and io_uring_register";
	case ENOSYS:
		return "a seccomp profile hides io_uring_setup (Podman's "
		       "default does), or the kernel has no io_uring: "
		       "Linux 6.1 is needed";
	case ENOMEM:
		return "locked memory is short: raise ulimit -l "
		       "(RLIMIT_MEMLOCK)";
	case EMFILE:
	case ENFILE:
		return "descriptors are short: raise ulimit -n";
	case EINVAL:
		return "the kernel is too old: Linux 6.1 is needed";
	default:
		return "see io_uring_setup(2)";
	}
}
