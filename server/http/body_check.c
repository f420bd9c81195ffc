/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/body_check.h"

static struct inspection check(
	struct inspector *i, const uint8_t *bytes, uint32_t size)
{
	struct body_check *b = container_of(i, struct body_check, inspector);
	struct chunked *c = &b->chunks;
	struct chunked_step s;

	if (c->state == CHUNKED_DATA) {
		uint64_t left = c->left;

		chunked_skip(c, left);
		return (struct inspection){ .verdict = INSPECT_RUN,
			.count = left };
	}
	s = chunked_next(c, bytes, size);
	if (c->state == CHUNKED_BAD)
		return (struct inspection){ .verdict = INSPECT_BAD };
	return (struct inspection){ INSPECT_DROP, s.count, s.put,
		(uint32_t)s.put_size, c->state == CHUNKED_DONE };
}

struct inspector *body_check_init(struct body_check *b, enum chunked_as as)
{
	b->inspector.step = check;
	chunked_init(&b->chunks, as);
	return &b->inspector;
}
