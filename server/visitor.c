/* SPDX-License-Identifier: Apache-2.0 */

#include "server/visitor.h"

#include <assert.h>
#include <errno.h>

#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/relay/raw_stream.h"
#include "common/wire/message.h"
#include "server/control.h"
#include "server/http_visitor.h"
#include "server/listener.h"
#include "server/proxy.h"
#include "server/worker.h"

static void visitor_want_work(struct visitor *v);

static void visitor_set_state(struct visitor *v, enum visitor_state state)
{
	assert(v->state != VISITOR_CLOSED);
	assert(state != VISITOR_RELAYING || v->state == VISITOR_STARTING);
	v->state = state;
}

struct visitor *visitor_new(struct worker *w, struct listener *l, int fd)
{
	struct visitor *v = pool_take(w->pools.visitors);
	struct stream *s;

	count(&w->core.counters, visitors);
	socket_tune(fd, w->settings->tcp_keepalive_s);
	s = raw_stream_open(w->pools.streams, worker_loop(w), fd);
	if (!v || !s) {
		if (v)
			pool_give(w->pools.visitors, v);
		stream_close(&s, true);
		count(&w->core.counters, visitors_refused);
		if (l->state == LISTENER_ACCEPTING)
			log_warn("limits.visitors is reached: port %u pauses",
				l->port);
		listener_pause(l);
		return NULL;
	}
	v->worker = w;
	v->stream = s;
	list_append(&w->visitors, &v->link);
	list_init(&v->of_proxy);
	list_init(&v->queue);
	address_of_peer(&v->peer, fd);
	address_of_self(&v->self, fd);
	return v;
}

void visitor_accept_tcp(struct proxy *p, struct listener *l, int fd)
{
	struct visitor *v = visitor_new(p->control->worker, l, fd);

	if (v)
		visitor_route(v, p);
}

void visitor_route(struct visitor *v, struct proxy *p)
{
	v->proxy = p;
	list_append(&p->visitors, &v->of_proxy);
	visitor_want_work(v);
}

static void visitor_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	count(&v->worker->core.counters, visitors_timeout);
	log_warn("[%.64s] no work connection came in time", v->proxy->name);
	visitor_close(v, REASON_work_timeout);
}

/*
 * Something from a waiting visitor: its first bytes or its half-close stay in
 * the stream for the relay; a reset means that it has gone.
 */
static void visitor_stirred(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0)
		stream_unread(v->stream, c);
	if (result >= 0)
		return;
	count(&v->worker->core.counters, visitors_gone);
	visitor_close(v, REASON_visitor_gone);
}

static void watch_visitor(struct visitor *v)
{
	struct chunk *c;
	int n = stream_take(v->stream, &c);

	v->reader.received = visitor_stirred;
	if (n == -EAGAIN)
		stream_read(v->stream, &v->reader);
	else if (n > 0)
		stream_unread(v->stream, c);
}

/* Take an idle work connection, or wait for one. */
static void visitor_want_work(struct visitor *v)
{
	struct worker *w = v->worker;
	struct control *c = v->proxy->control;
	struct stream *work = control_take_work(c);

	if (work) {
		count(&w->core.counters, pool_hits);
		visitor_start(v, work);
		control_request_work(c);
		return;
	}
	count(&w->core.counters, pool_misses);
	visitor_set_state(v, VISITOR_WAITING);
	loop_set_timer(worker_loop(w), &v->timer,
		w->settings->user_conn_timeout_ms * CLOCK_MS, visitor_late);
	watch_visitor(v);
	/* Last: it may close the control, and the visitor with it. */
	control_enqueue(c, v);
}

/* The first bytes on a work connection: whose visitor, from where to where. */
static struct chunk *make_start(struct visitor *v)
{
	struct message m = { .type = MESSAGE_START_WORK_CONN };
	struct message_start_work_conn *s = &m.start_work_conn;
	char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];
	struct chunk *c = chunk_take(worker_loop(v->worker)->chunks);
	ssize_t n;

	if (!c)
		return NULL;
	address_ip(&v->peer, src);
	s->proxy_name = v->proxy->name;
	s->src_addr = src;
	s->src_port = address_port(&v->peer);
	if (!v->http) {
		/* frp tells http services the source only. */
		address_ip(&v->self, dst);
		s->dst_addr = dst;
		s->dst_port = address_port(&v->self);
	}
	n = message_encode(&m, c->data, c->size);
	if (n < 0) {
		chunk_give(c);
		return NULL;
	}
	c->to = (uint32_t)n;
	return c;
}

static void visitor_ended(struct relay *r, enum reason why)
{
	struct visitor *v = container_of(r, struct visitor, relay);

	visitor_close(v, why);
}

static void visitor_relay(struct visitor *v)
{
	bool half_close = v->proxy->control->half_close;
	struct relay_params params = {
		.a = v->stream,
		.b = v->work,
		.a_half_close = true,
		.b_half_close = half_close,
		.limit = PUMP_UNLIMITED,
		.counters = &v->worker->core.counters,
		.ended = visitor_ended,
	};

	visitor_set_state(v, VISITOR_RELAYING);
	if (v->http)
		http_visitor_prepare(v, &params);
	else
		relay_init(&v->relay, &params);
	relay_start(&v->relay);
}

static void visitor_started(
	struct stream_writer *w, struct chunk *c, int result)
{
	struct visitor *v = container_of(w, struct visitor, writer);

	chunk_give(c);
	if (result == 0 && v->proxy) {
		visitor_relay(v);
		return;
	}
	/* A dead one: as frp, try the next, once more than the pool holds. */
	stream_close(&v->work, true);
	if (!v->proxy)
		visitor_close(v, REASON_proxy_closed);
	else if (v->tries++ > v->proxy->control->pool)
		visitor_close(v, REASON_work_lost);
	else
		visitor_want_work(v);
}

void visitor_start(struct visitor *v, struct stream *work)
{
	struct chunk *c = make_start(v);

	visitor_set_state(v, VISITOR_STARTING);
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	stream_leave_reading(v->stream);
	v->work = work;
	if (!c) {
		visitor_close(v, REASON_no_memory);
		return;
	}
	v->writer.sent = visitor_started;
	stream_write(work, c, false, &v->writer);
}

void visitor_lose_proxy(struct visitor *v, enum reason why)
{
	if (v->state == VISITOR_WAITING) {
		visitor_close(v, why);
		return;
	}
	list_remove(&v->of_proxy);
	v->proxy = NULL;
}

/* Freed from the loop, as callers up the stack may still look at it. */
static void visitor_bury(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);
	struct worker *w = v->worker;

	list_remove(&v->link);
	http_visitor_free(v);
	pool_give(w->pools.visitors, v);
	worker_visitor_gone(w);
}

/* Whether the visitor is owed an http error instead of a cut. */
static bool may_answer(const struct visitor *v, enum reason why)
{
	if (!v->http || reason_is_clean(why) || v->worker->core.stopping)
		return false;
	if (why == REASON_visitor_gone || why == REASON_visitor_reset)
		return false;
	return v->state == VISITOR_WAITING || v->state == VISITOR_STARTING ||
	       (v->state == VISITOR_RELAYING && v->relay.back.bytes == 0);
}

void visitor_close(struct visitor *v, enum reason why)
{
	struct worker *w = v->worker;
	bool answer, cut = !reason_is_clean(why);

	if (v->state == VISITOR_CLOSED)
		return;
	answer = may_answer(v, why);
	if (v->state == VISITOR_WAITING && !list_empty(&v->queue))
		control_dequeue(v->proxy->control, v);
	if (v->state == VISITOR_RELAYING)
		relay_stop(&v->relay);
	if (v->stream)
		stream_leave_reading(v->stream);
	visitor_set_state(v, VISITOR_CLOSED);
	log_debug("visitor of [%.64s] ended: %s",
		v->proxy ? v->proxy->name : "", reason_text(why));
	w->core.counters.ended[why]++;
	list_remove(&v->of_proxy);
	if (answer)
		http_visitor_answer(v, 503);
	stream_close(&v->stream, cut);
	stream_close(&v->work, cut);
	loop_set_timer(worker_loop(w), &v->timer, 0, visitor_bury);
}
