/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the kernel lets this process do beyond others: its user, and its
 * capabilities (capabilities(7)). All of it is a thread's own, and handed on to
 * the threads that it starts: these are for a process with one thread.
 */

#ifndef ADIT_HOST_PRIVILEGES_H
#define ADIT_HOST_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/compiler.h"

/* What is kept of the capabilities, or-ed. */
enum {
	PRIVILEGES_NONE = 0,
	PRIVILEGES_PORTS = 1 /* CAP_NET_BIND_SERVICE, where it is there */
};

struct privileges_user {
	uid_t uid;
	gid_t gid;
	char name[64];  /* of the user; "": its number has no name */
	bool own_group; /* none was named: it is of all groups of the user */
};

/*
 * Find USER or USER:GROUP, by name or by number. 0, or -ENOENT with what there
 * is none of in `why`, or -EINVAL.
 */
int privileges_find(struct privileges_user *u, const char *text, char *why,
	size_t size) must_check;

/*
 * Become that user for good, with CAP_NET_BIND_SERVICE kept where it was
 * there; nothing when it is this one already. 0, or -errno: -EPERM without the
 * right to it.
 */
int privileges_become(const struct privileges_user *u) must_check;

/*
 * Give up all capabilities but `keep`, also for what this process may start,
 * and PR_SET_NO_NEW_PRIVS. 0, or -errno, when capset(2) is refused.
 */
int privileges_drop(int keep) must_check;

/* Whether CAP_NET_BIND_SERVICE is in force. */
bool privileges_have_ports(void);

#endif
