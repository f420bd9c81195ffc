/* SPDX-License-Identifier: Apache-2.0 */

/* A request's head, from its first byte until it is routed. */

#include <errno.h>

#include "common/http/accept.h"
#include "server/http/http_answer.h"
#include "server/http/http_route.h"
#include "server/http/http_visitor_internal.h"
#include "server/http/service.h"
#include "server/listener.h"
#include "server/upgrade/passing.h"
#include "server/worker.h"

static void http_read(struct visitor *v);

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

/* One that has served before; NULL: a fresh one is needed. */
static struct stream *find_service(struct visitor *v, struct route *r)
{
	struct http_visit *h = v->http;
	const struct request_facts *q = &h->request;
	struct handle last = h->last;
	struct stream *s;
	bool again = http_may_repeat(q) && !q->framing.pinned;
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

	*r_r = service_pinned_to(v->worker, h->last);
	h->request.html = accept_names(found->head, found->data, "text/html");
	rc = http_route_decide(
		v->worker, &v->peer, found, &h->request, r_r, &h->forwarded);
	if (rc)
		return rc;
	/* Counted by connections: later requests came with the first. */
	if (v->load || h->requests > 0 ||
		visitor_may_come(v->worker, *r_r, &v->load))
		h->said = chunk_copy(found->data, found->head->size);
	if (h->said)
		return 0;
	chunk_give(h->forwarded);
	h->forwarded = NULL;
	return 503;
}

/*
 * Nobody serves what it wants, but may do so in a moment (arrival.h): it has
 * said nothing yet. False: there is no memory.
 */
static bool wait_for_arrival(
	struct visitor *v, const struct head_found *found, struct chunk *rest)
{
	struct http_visit *h = v->http;
	struct chunk *head = chunk_copy(found->data, found->head->size);

	if (!head)
		return false;
	head_reader_clear(&h->pieces);
	account_discard(&h->account);
	if (chunk_length(rest) > 0)
		stream_unread(v->stream, rest);
	else
		chunk_give(rest);
	stream_unread(v->stream, head);
	return true;
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
		if (rc == 404 &&
			!arrival_is_over(&v->worker->server->arrival) &&
			wait_for_arrival(v, &found, c))
			return;
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

/* Whether it is one of http, and nothing of a request is under way. */
static bool is_between(const struct visitor *v)
{
	return v->http && v->state == VISITOR_HEAD &&
	       !head_reader_began(&v->http->pieces);
}

static void http_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0 && worker_holds(v->worker) && is_between(v)) {
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
	if (passing_takes(v))
		return;
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

void http_next(struct visitor *v)
{
	visitor_await(v);
	http_visit_forget_said(v->http);
	if (passing_takes(v))
		return;
	/* When it was told that it may stay, nobody had said so. */
	if (v->worker->core.draining && !v->stream->unread.head) {
		visitor_close(v, REASON_done);
		return;
	}
	loop_set_timer(worker_loop(v->worker), &v->timer,
		v->worker->settings->idle_timeout_ms * CLOCK_MS, http_late);
	http_read(v);
}

bool http_visitor_unsay(struct visitor *v)
{
	struct http_visit *h = v->http;
	bool began = head_reader_began(&h->pieces);
	struct chunk *c = began ? head_reader_give_back(&h->pieces) : h->said;

	if (!began)
		h->said = NULL;
	if (c)
		stream_unread(v->stream, c);
	return c || !began;
}

void http_visitor_resume(struct visitor *v)
{
	if (is_between(v) && v->stream->reader != &v->reader)
		http_read(v);
}

void http_visitor_drain(struct visitor *v)
{
	if (is_between(v))
		visitor_close(v, REASON_done);
}
