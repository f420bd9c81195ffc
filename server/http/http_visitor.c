/* SPDX-License-Identifier: Apache-2.0 */

/* What is known of a visitor of http, its exchanges, and answers of our own. */

#include "server/http/http_visitor_internal.h"

#include "common/relay/relay.h"
#include "server/http/http_answer.h"
#include "server/http/service.h"
#include "server/worker.h"

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
	chunk_give(h->said);
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

void http_answer(struct visitor *v, int status, enum reason why, bool may_stay)
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
	http_visit_forget_said(h);
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

void http_visitor_fail(struct visitor *v, enum reason why, bool may_stay)
{
	http_answer(v, 503, why, may_stay && http_may_stay(&v->http->request));
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
	if (http_may_repeat(&h->request) &&
		(h->reused || visitor_may_detour(v)))
		params.kept = chunk_copy(chunk_bytes(head), chunk_length(head));
	if (!params.kept)
		http_visit_forget_said(h);
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
