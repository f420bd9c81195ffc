/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/inlet.h"

#include <errno.h>
#include <string.h>

int inlet_header(struct inlet *i)
{
	struct carry_frame f;
	int rc = carry_decode(&f, i->head);
	enum carry_state next;

	i->have = 0;
	if (rc < 0)
		return rc;
	next = carry_next((enum carry_state)i->state, f.type);
	if (next == CARRY_BAD)
		return -EPROTO;
	i->state = (uint8_t)next;
	i->left = f.length;
	i->visit = true;
	i->aborted = f.type == CARRY_ABORT;
	return 0;
}

int inlet_unframe(struct inlet *i, struct chunk *k, uint32_t *rest_r)
{
	uint32_t in = (uint32_t)k->from, out = in, n;

	while (in < k->to && !inlet_ended(i)) {
		if (i->left == 0) {
			i->head[i->have++] = k->data[in++];
			if (i->have == CARRY_HEADER && inlet_header(i) < 0)
				return -EPROTO;
			continue;
		}
		n = k->to - in < i->left ? k->to - in : i->left;
		if (out == (uint32_t)k->from)
			k->from = (int32_t)(out = in);
		else
			memmove(k->data + out, k->data + in, n);
		in += n;
		out += n;
		i->left -= n;
	}
	*rest_r = in;
	k->to = out;
	return 0;
}
