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

/* Try; false: there is no room. Else the operation is over, as *c_r says. */
bool send_at_once(struct loop *l, struct op *op, const struct op_args *a,
	struct completion *c_r) must_check;

#endif
