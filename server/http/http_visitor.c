/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/http_visitor.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/http/accept.h"
#include "common/relay/relay.h"
#include "server/http/account.h"
#include "server/http/exchange.h"
#include "server/http/http_answer.h"
#include "server/http/http_route.h"
#include "server/listener.h"
#include "server/http/service.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* What is known of a visitor beyond what a tcp one has. */
struct http_visit {
	struct visitor *visitor;
	struct head_reader pieces;
	struct request_facts request;
	struct exchange exchange;
	struct account account;  /* of the request that is under way */
	struct outcome outcome;  /* of it so far */
	struct chunk *forwarded; /* the head for the service; until it goes */
	struct handle last;      /* where its last request went (service.h) */
	uint32_t requests;       /* of this connection, so far */
	bool reused;             /* the service has served before */
	bool private;            /* ... this visitor only */
};

static void http_read(struct visitor *v);
static void http_next(struct visitor *v);

struct http_visit *http_visit_take(struct visitor *v)
{
	struct http_visit *h = v->http;

	v->http = NULL;
	if (h)
		h->visitor = NULL;
	return h;
}

void http_visit_give(struct http_visit *h, struct visitor *v)
{
	v->http = h;
	if (h)
		h->visitor = v;
}

void http_visit_free(struct http_visit **hp)
{
	struct http_visit *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	exchange_stop(&h->exchange);
	if (h->visitor)
		service_forget(h->visitor->worker, h->last);
	head_reader_clear(&h->pieces);
	chunk_give(h->forwarded);
	account_discard(&h->account);
	free(h);
}

/* The request is over; the access log is told. */
static void close_account(struct visitor *v, enum reason why)
{
	struct http_visit *h = v->http;

	account_close(&h->account, v->worker, &v->peer, &h->outcome, why);
	h->outcome = (struct outcome){ 0 };
}

/* --- answers of our own --- */

static void http_answered(struct stream_writer *w, struct chunk *c, int result)
{
	struct visitor *v = container_of(w, struct visitor, writer);

	chunk_give(c);
	if (result < 0)
		visitor_close(v, REASON_visitor_gone);
	else
		http_next(v);
}

static void http_answer_stalls(struct timer *t)
{
	visitor_close(container_of(t, struct visitor, timer), REASON_timeout);
}

/* Answer with a status of our own; then the next request, or a farewell. */
static void http_answer(
	struct visitor *v, int status, enum reason why, bool may_stay)
{
	struct http_visit *h = v->http;
	struct chunk_queue words = { 0 };
	struct http_answer a = { .status = status,
		.request = &h->request,
		.id = account_id(&h->account, v->worker),
		.keep = may_stay && !stream_is_writing(v->stream) };
	struct chunk *c = http_answer_make(v->worker, &a);

	head_reader_clear(&h->pieces);
	chunk_give(h->forwarded);
	h->forwarded = NULL;
	h->outcome.first = worker_loop(v->worker)->now;
	h->outcome.status = (uint16_t)a.said;
	h->outcome.out = a.body;
	close_account(v, why);
	if (c && a.keep) {
		visitor_answer(v, c, why, http_answered);
		loop_set_timer(worker_loop(v->worker), &v->timer,
			v->worker->settings->stall_timeout_ms * CLOCK_MS,
			http_answer_stalls);
		return;
	}
	if (c)
		chunk_queue_push(&words, c);
	stream_leave_reading(v->stream);
	farewell_begin(&v->worker->farewells, v->stream, &words);
	v->stream = NULL;
	visitor_close(v, why);
}

/* Whether another request may follow, though nobody reads a body of this. */
static bool http_may_stay(const struct request_facts *q)
{
	return q->clear && !q->framing.close && !framing_has_body(&q->framing);
}

void http_visitor_fail(struct visitor *v, enum reason why, bool may_stay)
{
	http_answer(v, 503, why, may_stay && http_may_stay(&v->http->request));
}

/* --- the request's head --- */

static void http_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	/* One that has not begun to speak gets no word either. */
	if (head_reader_began(&v->http->pieces)) {
		http_answer(v, 408, REASON_timeout, false);
		return;
	}
	/* Between two requests silence is no fault. */
	if (!v->fixed)
		count(&v->worker->core.counters, http_408);
	visitor_close(v, v->fixed ? REASON_done : REASON_timeout);
}

static void set_head_timer(struct visitor *v)
{
	loop_set_timer(worker_loop(v->worker), &v->timer,
		v->worker->settings->head_timeout_ms * CLOCK_MS, http_late);
}

/* --- whom it goes to --- */

/* Whether it may go out on a connection that may be dead, and then again. */
static bool may_repeat(const struct request_facts *q)
{
	return q->again && !framing_has_body(&q->framing) &&
	       !q->framing.upgrade;
}

/* One that has served before; NULL: a fresh one is needed. */
static struct stream *find_service(struct visitor *v, struct route *r)
{
	struct http_visit *h = v->http;
	const struct request_facts *q = &h->request;
	struct handle last = h->last;
	struct stream *s;
	bool again = may_repeat(q) && !q->framing.pinned;
	bool known = false;

	h->last = (struct handle){ 0 };
	s = q->alone ? NULL
		     : service_take_last(v->worker, r, last, again, &known);
	h->private = s && known;
	if (s)
		return s;
	service_forget(v->worker, last);
	return again && !q->alone ? service_take(v->worker, r, &v->peer) : NULL;
}

static void http_routed(struct visitor *v, struct route *r)
{
	struct stream *work = find_service(v, r);

	count(&v->worker->core.counters, http_requests);
	v->http->reused = work;
	v->http->requests++;
	if (work)
		visitor_serve(v, r, work);
	else
		visitor_route(v, r);
}

/* 0 and whose it is, or the status to answer with. */
static int http_decide(
	struct visitor *v, const struct head_found *found, struct route **r_r)
{
	struct http_visit *h = v->http;
	int rc;

	h->request.html = accept_names(found->head, found->data, "text/html");
	rc = http_route_decide(
		v->worker, &v->peer, found, &h->request, r_r, &h->forwarded);
	/* Counted by connections: later requests came with the first. */
	if (rc || v->load || h->requests > 0 ||
		visitor_may_come(v->worker, *r_r, &v->load))
		return rc;
	chunk_give(h->forwarded);
	h->forwarded = NULL;
	return 503;
}

/* New bytes of the visitor, which begin or continue a head. */
static void http_bytes(struct visitor *v, struct chunk *c)
{
	struct http_visit *h = v->http;
	struct route *r = NULL;
	struct head_found found = { 0 };
	bool began = head_reader_began(&h->pieces);
	bool speaks_h2 = !began && http_answer_is_h2(c);
	int rc = head_reader_take(&h->pieces, c, &v->worker->head, false,
		&v->worker->requests, &found);

	h->request = (struct request_facts){ 0 };
	if (!began)
		account_begin(&h->account, v->worker);
	if (rc == 0) {
		if (!began)
			set_head_timer(v);
		http_read(v);
		return;
	}
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	if (rc == -505 && speaks_h2) {
		h->outcome.status = 505;
		http_answer_h2(v->worker, v->stream);
		v->stream = NULL;
		visitor_close(v, REASON_answered);
		return;
	}
	if (rc > 0) {
		rc = http_decide(v, &found, &r);
		account_note(&h->account, v->worker, &found, r);
	} else {
		rc = -rc;
	}
	head_reader_clear(&h->pieces);
	/* Behind the head are its body, or the next request. */
	if (found.head && chunk_length(c) > 0)
		stream_unread(v->stream, c);
	else if (found.head)
		chunk_give(c);
	if (rc)
		http_answer(v, rc, REASON_answered, http_may_stay(&h->request));
	else
		http_routed(v, r);
}

static void http_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0 && yielding_holds(v->worker) &&
		http_visitor_is_between(v)) {
		stream_unread(v->stream, c);
		return;
	}
	if (result > 0) {
		http_bytes(v, c);
		return;
	}
	if (head_reader_began(&v->http->pieces) || result < 0)
		count(&v->worker->core.counters, visitors_gone);
	visitor_close(
		v, result == 0 ? REASON_peer_closed : REASON_visitor_gone);
}

static void http_read(struct visitor *v)
{
	struct chunk *c;
	int n = stream_take(v->stream, &c);

	v->reader.received = http_received;
	if (n == -EAGAIN)
		stream_read(v->stream, &v->reader);
	else
		http_received(&v->reader, c, n);
}

static void http_begin(struct visitor *v)
{
	struct http_visit *h;

	if (!v)
		return;
	h = calloc(1, sizeof(*h));
	if (!h) {
		visitor_close(v, REASON_no_memory);
		return;
	}
	http_visit_give(h, v);
	set_head_timer(v);
	http_read(v);
}

void http_visitor_accept(struct listener *l, int fd)
{
	http_begin(visitor_new(l->worker, l, fd));
}

void http_visitor_adopt(
	struct worker *w, struct stream *s, const struct address *peer)
{
	http_begin(visitor_adopt(w, s, peer));
}

/* --- the exchange --- */

/* 101, or 2xx to CONNECT: the two speak something else from now on. */
static void http_tunnel(struct visitor *v, struct chunk *head)
{
	struct relay_params params = visitor_relay_params(v);

	relay_init(&v->relay, &params);
	pump_push(&v->relay.back, head);
	relay_start(&v->relay);
}

static void settle_work_connection(
	struct visitor *v, const struct exchange_result *r)
{
	struct http_visit *h = v->http;
	struct stream *s = v->work;
	struct service_facts facts = { .visitor = v->peer,
		.private = r->settlement.work == WORK_PRIVATE,
		.keeps_s = r->keeps_s };

	if (r->strike)
		service_strike(v->worker, v->route);
	switch (r->settlement.work) {
	case WORK_SHARED:
	case WORK_PRIVATE:
		v->work = NULL;
		h->last = service_rest(v->worker, v->route, s, &facts);
		break;
	case WORK_ENDS:
		stream_close(&v->work, r->why != REASON_done);
		break;
	}
}

static void exchange_over(struct exchange *x, const struct exchange_result *r)
{
	struct http_visit *h = container_of(x, struct http_visit, exchange);
	struct visitor *v = h->visitor;
	struct chunk_queue nothing = { 0 };

	if (r->end == EXCHANGE_SWITCHES) {
		http_tunnel(v, r->head);
		return;
	}
	if (r->end == EXCHANGE_RETRIES) {
		stream_close(&v->work, true);
		h->forwarded = r->head;
		visitor_retry(v, h->reused);
		h->reused = h->private = false;
		return;
	}
	settle_work_connection(v, r);
	switch (r->settlement.visitor) {
	case VISITOR_KEEPS:
		close_account(v, REASON_done);
		http_next(v);
		break;
	case VISITOR_LINGERS:
		farewell_begin(&v->worker->farewells, v->stream, &nothing);
		v->stream = NULL;
		visitor_close(v, REASON_done);
		break;
	case VISITOR_IS_ANSWERED:
		http_answer(v, r->status, r->why, true);
		break;
	case VISITOR_IS_SENT_OFF:
		http_answer(v, r->status, r->why, false);
		break;
	case VISITOR_IS_CUT:
		visitor_close(v, r->why);
		break;
	}
}

/* Whether its connection has had as many requests as it may. */
static bool is_last(const struct visitor *v)
{
	int64_t most = v->worker->settings->http_requests;

	return most > 0 && v->http->requests >= most;
}

void http_visitor_run(struct visitor *v)
{
	struct http_visit *h = v->http;
	const struct chunk *head = h->forwarded;
	struct exchange_params params = { .worker = v->worker,
		.visitor = v->stream,
		.work = v->work,
		.work_private = h->private,
		.request = &h->request,
		.forwarded = h->forwarded,
		.reused = h->reused,
		.last = is_last(v),
		.set = &v->route->lead->set[1],
		.throttle_out = claim_throttles_out(v->route->claim),
		.throttle_back = claim_throttles_back(v->route->claim),
		.outcome = &h->outcome,
		.over = exchange_over };

	/* The service may have died while it was idle, or others can do it. */
	if (may_repeat(&h->request) && (h->reused || visitor_may_detour(v)))
		params.kept = chunk_copy(chunk_bytes(head), chunk_length(head));
	h->forwarded = NULL;
	exchange_start(&h->exchange, &params);
}

void http_visitor_stop(struct visitor *v, enum reason why)
{
	struct http_visit *h = v->http;

	exchange_stop(&h->exchange);
	/* A tunnel's. */
	h->outcome.in += v->relay.out.bytes;
	h->outcome.out += v->relay.back.bytes;
	close_account(v, why);
}

/* The request is over, the connection is not. */
static void http_next(struct visitor *v)
{
	visitor_await(v);
	if (v->worker->yielding.state == YIELDING_LEFT) {
		yielding_pass(v);
		return;
	}
	/* When it was told that it may stay, nobody had said so. */
	if (v->worker->core.draining && !v->stream->unread.head) {
		visitor_close(v, REASON_done);
		return;
	}
	loop_set_timer(worker_loop(v->worker), &v->timer,
		v->worker->settings->idle_timeout_ms * CLOCK_MS, http_late);
	http_read(v);
}

bool http_visitor_is_between(const struct visitor *v)
{
	return v->http && v->state == VISITOR_HEAD &&
	       !head_reader_began(&v->http->pieces);
}

void http_visitor_resume(struct visitor *v)
{
	if (http_visitor_is_between(v) && v->stream->reader != &v->reader)
		http_read(v);
}

void http_visitor_drain(struct visitor *v)
{
	if (!http_visitor_is_between(v))
		return;
	if (v->worker->yielding.state == YIELDING_LEFT)
		yielding_pass(v);
	else
		visitor_close(v, REASON_done);
}
