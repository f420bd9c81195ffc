/* SPDX-License-Identifier: Apache-2.0 */

/* send(2) as the backends call it. Private to this room. */

#ifndef ADIT_EVENT_SEND_H
#define ADIT_EVENT_SEND_H

#include <sys/socket.h>

#include "common/event/backend.h"

/*
 * MSG_DONTWAIT also for a ring: left to itself, the kernel gives up polling a
 * busy socket after 128 attempts and blocks a thread of io-wq on it.
 */
static inline int send_flags(bool more)
{
	return MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
}

/* Try, and count: how many bytes were taken, or -errno. */
int send_try(struct loop *l, int fd, const void *data, uint32_t size,
	bool more) must_check;

/*
 * Try inside the operation's start. 0: it is over, and the loop tells of it.
 * Else it is not: -EAGAIN, the socket has no room; -EBUSY, it was not tried,
 * as too many have ended so.
 */
int send_at_once(
	struct loop *l, struct op *op, const struct op_args *a) must_check;

#endif
