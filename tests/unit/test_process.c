/* SPDX-License-Identifier: Apache-2.0 */

/* What a program does for itself, in a process of its own. */
// links: common/base/process.c

#include "common/base/process.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/forked.h"

static bool is_null(int fd)
{
	struct stat s, null;

	return fstat(fd, &s) == 0 && stat("/dev/null", &null) == 0 &&
	       s.st_rdev == null.st_rdev && S_ISCHR(s.st_mode);
}

/* Whether those of the set that are closed are /dev/null, and no other. */
static bool keeps(unsigned closed)
{
	int kept[2];

	if (pipe(kept) < 0)
		return false;
	for (int fd = 0; fd < 3; fd++) {
		if (closed & 1U << fd)
			close(fd);
		else if (dup2(kept[1], fd) < 0)
			return false;
	}
	if (!process_keep_standard("test"))
		return false;
	for (int fd = 0; fd < 3; fd++)
		if (is_null(fd) != !!(closed & 1U << fd))
			return false;
	close(kept[0]);
	close(kept[1]);
	return true;
}

static int each_set(void)
{
	int next = dup(0);

	close(next);
	for (unsigned closed = 0; closed < 8; closed++)
		if (!keeps(closed))
			return 1;
	/* None is left open. */
	return fcntl(next, F_GETFD) >= 0;
}

Test(process, standard_descriptors)
{
	forked(each_set, NULL);
}
