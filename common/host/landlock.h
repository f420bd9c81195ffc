/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which files this process may still open, by the kernel's Landlock
 * (landlock(7)): all but those that are allowed here are refused with EACCES,
 * whoever the user is. Nothing may be executed. What is open already stays so.
 */

#ifndef ADIT_HOST_LANDLOCK_H
#define ADIT_HOST_LANDLOCK_H

#include "common/base/compiler.h"

enum landlock_access {
	LANDLOCK_READ, /* files, and lists of directories */
	LANDLOCK_KEEP, /* the same; and files and sockets come, change and go */
	LANDLOCK_LOG,  /* of files beside it, only to write; new ones come */
};

struct landlock {
	int abi; /* of the kernel, 1 or more */
	int fd;
};

/* 0, or -errno: -ENOSYS and -EOPNOTSUPP where the kernel has none of it. */
int landlock_open(struct landlock *l) must_check;

/*
 * A directory and all below it; or one file. What is not there is left out. A
 * link is followed.
 */
void landlock_allow(
	struct landlock *l, const char *path, enum landlock_access access);

/*
 * A file that is opened again later, also when another one has its name by
 * then: the directory that it is in, and the one that a link of that name
 * leads to; but of a file in the root directory only itself. "": nothing.
 */
void landlock_allow_file(
	struct landlock *l, const char *path, enum landlock_access access);

/*
 * From now on, for this thread and those that it starts. 0 or -errno. Needs
 * PR_SET_NO_NEW_PRIVS. `l` is no more after it.
 */
int landlock_close(struct landlock *l) must_check;

#endif
