/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "common/event/send.h"

bool send_at_once(struct loop *l, struct op *op, const struct op_args *a,
	struct completion *c_r)
{
	ssize_t n = send(a->fd, a->data, a->size, send_flags(a->more));

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0 && (uint32_t)n < a->size)
		count(l->counters, short_sends);
	op->slot = NO_SLOT;
	*c_r = (struct completion){
		.op = op, .result = n < 0 ? -errno : (int)n, .last = true
	};
	return true;
}
