/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "common/event/send.h"

int send_try(struct loop *l, int fd, const void *data, uint32_t size, bool more)
{
	ssize_t n = send(fd, data, size, send_flags(more));

	if (n < 0)
		return -errno;
	if ((uint32_t)n < size)
		count(l->counters, short_sends);
	return (int)n;
}

int send_at_once(struct loop *l, struct op *op, const struct op_args *a)
{
	int rc;

	if (l->ended_count == LOOP_BATCH)
		return -EBUSY;
	rc = send_try(l, a->fd, a->data, a->size, a->more);
	if (rc == -EAGAIN)
		return rc;
	op->slot = NO_SLOT;
	l->ended[l->ended_count++] =
		(struct completion){ .op = op, .result = rc, .last = true };
	return 0;
}
