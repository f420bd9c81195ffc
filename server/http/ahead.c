/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/ahead.h"

#include <errno.h>
#include <string.h>

#include "common/event/loop.h"

/* Many small pieces are one buffer. False: it holds no more. */
static bool keep(struct ahead *a, struct chunk *c)
{
	struct chunk *last = a->said.tail;
	uint32_t n = chunk_length(c);

	if (!last) {
		chunk_queue_push(&a->said, c);
		return true;
	}
	if (n > last->size - last->to) {
		chunk_queue_push(&a->said, c);
		return false;
	}
	memcpy(last->data + last->to, chunk_bytes(c), n);
	last->to += n;
	chunk_give(c);
	return true;
}

/* Nobody reads on: whether it was reset is looked for. */
static void look_for_reset(struct timer *t)
{
	struct ahead *a = container_of(t, struct ahead, later);

	if (stream_is_reset(a->visitor))
		a->gone(a, -ECONNRESET);
	else
		loop_set_timer(a->visitor->loop, t, AHEAD_LOOK, look_for_reset);
}

/* True: there may be more to come. */
static bool take(struct ahead *a, struct chunk *c, int result)
{
	if (result > 0 && keep(a, c))
		return true;
	/* An end behind further requests is the last one's business. */
	if (result > 0 || (result == 0 && a->said.head))
		loop_set_timer(a->visitor->loop, &a->later, AHEAD_LOOK,
			look_for_reset);
	else
		a->gone(a, result);
	return false;
}

static void look(struct ahead *a)
{
	struct chunk *c;
	int n;

	do {
		n = stream_take(a->visitor, &c);
		if (n == -EAGAIN) {
			stream_read(a->visitor, &a->reader);
			return;
		}
	} while (take(a, c, n));
}

static void received(struct stream_reader *r, struct chunk *c, int result)
{
	struct ahead *a = container_of(r, struct ahead, reader);

	if (take(a, c, result))
		look(a);
}

static void look_now(struct timer *t)
{
	look(container_of(t, struct ahead, later));
}

void ahead_begin(struct ahead *a, struct stream *visitor, bool last,
	void (*gone)(struct ahead *a, int result))
{
	*a = (struct ahead){
		.visitor = visitor, .reader = { received }, .gone = gone
	};
	if (last)
		loop_set_timer(
			visitor->loop, &a->later, AHEAD_PATIENCE, look_now);
	else
		look(a);
}

void ahead_stop(struct ahead *a)
{
	struct chunk *first = chunk_queue_pop(&a->said);
	struct chunk *second = chunk_queue_pop(&a->said);

	if (!a->visitor)
		return;
	loop_cancel_timer(a->visitor->loop, &a->later);
	if (a->visitor->reader == &a->reader)
		stream_leave_reading(a->visitor);
	if (second)
		stream_unread(a->visitor, second);
	if (first)
		stream_unread(a->visitor, first);
	a->visitor = NULL;
}
