/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/inspector.h"

#include <assert.h>
#include <string.h>

/*
 * A chunk of the bytes before `out` and from `in` on, with room for so many
 * more in between; NULL: no memory.
 */
static struct chunk *widen(
	const struct chunk *c, uint32_t out, uint32_t in, uint32_t room)
{
	uint32_t before = out - (uint32_t)c->from, after = c->to - in;
	struct chunk *wide = chunk_from_heap(before + room + after);

	if (!wide)
		return NULL;
	memcpy(wide->data, chunk_bytes(c), before);
	memcpy(wide->data + before + room, c->data + in, after);
	wide->to = wide->size;
	return wide;
}

/* The message ends before `in`: the bytes before `out` go on. */
static enum inspected end(
	struct chunk *c, uint32_t out, uint32_t in, struct chunk **rest_r)
{
	if (in < c->to) {
		*rest_r = chunk_split(c, in);
		if (!*rest_r)
			return INSPECTED_BAD;
	}
	c->to = out;
	return INSPECTED_END;
}

enum inspected inspector_look(struct inspector **i_io, uint64_t *run,
	struct chunk **c_io, struct chunk **rest_r)
{
	struct chunk *c = *c_io;
	uint32_t in = (uint32_t)c->from, out = in;

	*rest_r = NULL;
	while (in < c->to) {
		struct inspection i = { .verdict = INSPECT_PASS,
			.count = *run };
		uint32_t n = c->to - in;

		if (*run == 0)
			i = (*i_io)->step(*i_io, c->data + in, n);
		if (i.verdict == INSPECT_BAD)
			return INSPECTED_BAD;
		if (i.verdict == INSPECT_QUIT) {
			*i_io = NULL;
			i.count = n;
		}
		if (i.verdict == INSPECT_DONE)
			return end(c, out, in, rest_r);
		assert(i.count > 0);
		if (i.verdict == INSPECT_RUN)
			*run = i.count;
		if (n > i.count)
			n = (uint32_t)i.count;
		if (*run > 0)
			*run -= n;
		if (i.verdict != INSPECT_DROP) {
			memmove(c->data + out, c->data + in, n);
			out += n;
		}
		in += n;
		if (i.put_size > in - out) {
			struct chunk *wide = widen(c, out, in, i.put_size);

			if (!wide)
				return INSPECTED_BAD;
			out -= (uint32_t)c->from;
			in = out + i.put_size;
			chunk_give(c);
			*c_io = c = wide;
		}
		if (i.put_size > 0)
			memcpy(c->data + out, i.put, i.put_size);
		out += i.put_size;
		if (i.last)
			return end(c, out, in, rest_r);
	}
	c->to = out;
	return INSPECTED_OPEN;
}
