/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/passing.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"
#include "server/http/http_visitor.h"
#include "server/registry/directory.h"
#include "server/upgrade/handover.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* How often it is looked whether it is still, and whether there is room. */
#define STILL_PERIOD (2 * CLOCK_MS)
#define ROOM_PERIOD (20 * CLOCK_MS)

static enum passing_kind kind_of(const struct visitor *v)
{
	if (v->http)
		return PASSING_HTTP;
	return visitor_is_https(v) ? PASSING_HTTPS : PASSING_TCP;
}

/* All that it has said, one behind the other; -1: too much. */
static ssize_t join_bytes(const struct stream *s, uint8_t *bytes, size_t room)
{
	size_t n = 0;

	for (const struct chunk *c = s->unread.head; c; c = c->next) {
		size_t size = chunk_length(c);

		if (size > room - n)
			return -1;
		memcpy(bytes + n, chunk_bytes(c), size);
		n += size;
	}
	return (ssize_t)n;
}

/* It is the other's: nothing is left of it here. */
static void forget(struct visitor *v)
{
	struct worker *w = v->worker;
	struct chunk_queue unread;
	struct raw_rest rest;
	struct route *r;

	stream_take_all(v->stream, &unread);
	chunk_queue_clear(&unread);
	raw_stream_rest(&v->stream, &rest, NULL);
	close(rest.fd);
	http_visit_free(&v->http);
	visitor_load_give(&v->load);
	r = visitor_leave(v);
	route_drop(&r);
	quota_give(&w->server->visitors);
	count(&w->core.counters, visitors_passed);
	worker_visitor_gone(w);
}

/* Nothing of it is in flight. */
static void pass(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);
	struct worker *w = v->worker;
	uint8_t bytes[HANDOVER_BYTES];
	ssize_t size = join_bytes(v->stream, bytes, sizeof(bytes));
	int fd = stream_descriptor(v->stream), rc = -EMSGSIZE;

	if (size >= 0)
		rc = handover_send(w->server->upgrade.peer, HANDOVER_VISITOR,
			kind_of(v), &fd, 1, bytes, (size_t)size);
	if (rc == 0)
		forget(v);
	else if (rc == -EAGAIN)
		loop_set_timer(worker_loop(w), &v->timer, ROOM_PERIOD, pass);
	else
		visitor_close(v, REASON_shutdown);
}

static void stilled(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);
	const struct stream *s = v->stream;

	(void)c;
	(void)result;
	if (v->state != VISITOR_PASSING)
		return;
	if (s->read_end < 0)
		visitor_close(v, REASON_visitor_gone);
	else if (v->http && s->read_end == 0 && !s->unread.head)
		visitor_close(v, REASON_peer_closed);
	else
		pass(&v->timer);
}

/* Nobody up the stack looks at it. */
static void pass_soon(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	if (stream_is_writing(v->stream)) {
		loop_set_timer(worker_loop(v->worker), &v->timer, STILL_PERIOD,
			pass_soon);
		return;
	}
	v->reader.received = stilled;
	if (raw_stream_still(v->stream, &v->reader))
		stilled(&v->reader, NULL, 1);
}

static void begin(struct visitor *v)
{
	if (layer_is(v->stream))
		visitor_close(v, REASON_shutdown);
	else if (visitor_part(v))
		loop_set_timer(worker_loop(v->worker), &v->timer, 0, pass_soon);
}

bool passing_takes(struct visitor *v)
{
	if (!yielding_has_left(v->worker))
		return false;
	begin(v);
	return true;
}

void passing_begin_all(struct worker *w)
{
	list_each_safe (l, &w->visitors) {
		struct visitor *v = container_of(l, struct visitor, link);

		if (v->state == VISITOR_HEAD || v->state == VISITOR_ASKING ||
			v->state == VISITOR_WAITING)
			begin(v);
	}
}
