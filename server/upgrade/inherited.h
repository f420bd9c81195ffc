/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Listening sockets that this process has not opened but was given: by the
 * aditd that it follows (successor.h), or by a service manager
 * (sd_listen_fds(3)), whose they stay. Who wants to listen at an address looks
 * here first.
 *
 * It is the main thread's before the workers run, then worker 0's; what was
 * lent is written before and only read then.
 */

#ifndef ADIT_SERVER_UPGRADE_INHERITED_H
#define ADIT_SERVER_UPGRADE_INHERITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/address.h"
#include "common/base/compiler.h"

struct inherited_socket {
	struct address at;
	uint64_t cookie; /* of the kernel (SO_COOKIE, socket(7)) */
	int fd;
};

/* All zero is empty. */
struct inherited {
	struct inherited_socket *v;
	size_t n;
	uint64_t *lent; /* cookies of those that are somebody else's, too */
	size_t lent_count;
};

/*
 * Add a descriptor, which is taken over; one that is the same socket as
 * another is closed. 0; -EINVAL: it is no listening TCP socket, and closed; or
 * -ENOMEM.
 */
int inherited_add(struct inherited *t, int fd, bool lent) must_check;

/*
 * What the service manager has given to this process, by the environment,
 * which is cleared of it (LISTEN_PID, LISTEN_FDS). How many, or -errno.
 */
int inherited_from_environment(struct inherited *t) must_check;

/*
 * `n` descriptors that listen at the address, each another socket as far as
 * there are so many, then copies. Those of any address ("::") serve for
 * 0.0.0.0, too. True, or false: there is none. -1 in the first: no descriptor
 * could be made.
 */
bool inherited_take(
	struct inherited *t, const struct address *a, int *fds, int n);

/* One more socket of that address, which nobody has taken; or -1. */
int inherited_spare(struct inherited *t, const struct address *a);

/* Whether the listening descriptor is one that was lent: it is not shut down,
 * as it is to listen for others when we are gone. */
bool inherited_is_lent(const struct inherited *t, int fd);

/* Close what nobody has taken, and was not lent; how many those were. */
size_t inherited_close_rest(struct inherited *t);

/* All: no thread is left. */
void inherited_clear(struct inherited *t);

#endif
