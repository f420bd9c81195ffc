/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/exchange.h"

#include <errno.h>

#include "common/event/loop.h"
#include "server/http/account.h"
#include "server/http/response_head.h"
#include "server/worker.h"

static void read_head(struct exchange *x);

/* --- the end --- */

static void leave(struct exchange *x)
{
	stall_stop(&x->stall);
	pump_stop(&x->out);
	pump_stop(&x->back);
	x->with.outcome->in += x->out.bytes;
	x->with.outcome->out += x->back.bytes;
	if (x->with.work->reader == &x->reader)
		stream_leave_reading(x->with.work);
	ahead_stop(&x->ahead);
	if (x->with.visitor->writer == &x->writer)
		stream_leave_writing(x->with.visitor);
	head_reader_clear(&x->pieces);
	chunk_give(x->with.kept);
	x->with.kept = NULL;
	loop_cancel_timer(worker_loop(x->with.worker), &x->timer);
}

void exchange_stop(struct exchange *x)
{
	if (!exchange_runs(x))
		return;
	leave(x);
	x->request = REQUEST_NONE;
	x->response = EXCHANGE_NONE;
}

static void end(struct exchange *x, const struct exchange_result *r)
{
	exchange_stop(x);
	x->with.over(x, r);
}

/* The response has come so far, and no further. */
static void finish(struct exchange *x, enum settle_response response,
	bool visitor_failed, int status, enum reason why)
{
	const struct request_facts *q = x->with.request;
	const struct stream *work = x->with.work;
	struct settle_facts f = {
		.response = response,
		.request_whole = x->request == REQUEST_SENT,
		.safe_with_body = q->safe && framing_has_body(&q->framing),
		.service_closes =
			x->framing.close || q->alone || q->framing.upgrade,
		.repaired = x->framing.repaired,
		.surplus = work->unread.head || work->read_end != 1,
		.pinned = q->framing.pinned || x->framing.pinned,
		.was_private = x->with.work_private,
		.visitor_closes = x->visitor_ends,
		.visitor_failed = visitor_failed,
	};
	struct exchange_result r = { .end = EXCHANGE_SETTLED,
		.settlement = settle(&f),
		.status = status,
		.keeps_s = x->framing.keeps_s,
		.why = why,
		.strike = response == RESPONSE_WHOLE && work->unread.head };

	end(x, &r);
}

static void fail(struct exchange *x, int status, enum reason why)
{
	finish(x, x->passed ? RESPONSE_CUT : RESPONSE_NONE, false, status, why);
}

static void visitor_failed(struct exchange *x)
{
	finish(x, x->passed ? RESPONSE_CUT : RESPONSE_NONE, true, 0,
		REASON_visitor_reset);
}

/* --- the request --- */

/* The visitor sends nothing of it, or the service takes nothing. */
static void request_stalls(struct stall *s, enum stall_side side)
{
	struct exchange *x = container_of(s, struct exchange, stall);

	if (x->response == EXCHANGE_WHOLE)
		finish(x, RESPONSE_WHOLE, false, 0, REASON_done);
	else if (side == STALL_SOURCE)
		fail(x, 408, REASON_timeout);
	else
		fail(x, 504, REASON_answer_timeout);
}

/* Up to the end of the answer's head, whatever comes before that. */
static void await_answer(struct exchange *x, timer_fn *late)
{
	const struct settings *s = x->with.worker->settings;

	loop_set_timer(x->with.work->loop, &x->timer,
		s->vhost_http_timeout_ms * CLOCK_MS, late);
}

static void service_late(struct timer *t)
{
	struct exchange *x = container_of(t, struct exchange, timer);

	/* That it waits for its turn is no fault of the service. */
	if (x->request == REQUEST_SENDING && !pump_is_out(&x->out) &&
		!stream_is_writing(x->with.work))
		await_answer(x, service_late);
	else
		fail(x, 504, REASON_answer_timeout);
}

static void visitor_stalls(struct stall *s, enum stall_side side)
{
	(void)side;
	visitor_failed(container_of(s, struct exchange, stall));
}

/* Its request is out: the visitor may still go. */
static void visitor_gone(struct ahead *a, int result)
{
	struct exchange *x = container_of(a, struct exchange, ahead);

	if (result < 0) {
		visitor_failed(x);
		return;
	}
	x->visitor_ends = true;
	if (x->response == EXCHANGE_AWAITED)
		stall_watch(&x->stall, &x->out, EXCHANGE_SILENCE / CLOCK_MS, 0,
			visitor_stalls);
}

static void request_sent(struct exchange *x)
{
	x->request = REQUEST_SENT;
	if (x->response != EXCHANGE_BODY)
		stall_stop(&x->stall);
	if (x->response == EXCHANGE_WHOLE) {
		finish(x, RESPONSE_WHOLE, false, 0, REASON_done);
		return;
	}
	/* Of one without a body that began with its head. */
	if (x->response < EXCHANGE_BODY &&
		framing_has_body(&x->with.request->framing))
		await_answer(x, service_late);
	ahead_begin(&x->ahead, x->with.visitor, x->visitor_ends, visitor_gone);
}

static void out_ended(struct pump *p, enum pump_end how)
{
	struct exchange *x = container_of(p, struct exchange, out);

	switch (how) {
	case PUMP_LIMIT:
	case PUMP_INSPECTED:
		request_sent(x);
		break;
	case PUMP_BAD:
		/* The service is left with a part of it, which is cut. */
		fail(x, 400, REASON_answered);
		break;
	case PUMP_EOF:
	case PUMP_SOURCE_FAILED:
		visitor_failed(x);
		break;
	case PUMP_SINK_FAILED:
		/* It may have answered before; its end tells. */
		x->request = REQUEST_STOPPED;
		if (x->response == EXCHANGE_WHOLE)
			finish(x, RESPONSE_WHOLE, false, 0, REASON_done);
		break;
	}
}

/* --- the response --- */

/* An answer may be faster than the word that the last write has ended. */
static bool request_is_out(const struct exchange *x)
{
	return x->request == REQUEST_SENT ||
	       (x->request == REQUEST_SENDING && pump_is_out(&x->out));
}

static void response_whole(struct exchange *x)
{
	if (x->request != REQUEST_SENDING || !request_is_out(x)) {
		finish(x, RESPONSE_WHOLE, false, 0, REASON_done);
		return;
	}
	x->response = EXCHANGE_WHOLE;
	stall_stop(&x->stall);
	stall_watch(&x->stall, &x->out, 0,
		x->with.worker->settings->stall_timeout_ms, request_stalls);
}

static void back_ended(struct pump *p, enum pump_end how)
{
	struct exchange *x = container_of(p, struct exchange, back);

	switch (how) {
	case PUMP_LIMIT:
	case PUMP_INSPECTED:
		response_whole(x);
		break;
	case PUMP_EOF:
		if (x->framing.body == FRAMING_CLOSE)
			response_whole(x);
		else
			fail(x, 0, REASON_service_reset);
		break;
	case PUMP_BAD:
	case PUMP_SOURCE_FAILED:
		fail(x, 0, REASON_service_reset);
		break;
	case PUMP_SINK_FAILED:
		visitor_failed(x);
		break;
	}
}

static struct chunk *head_for_visitor(
	struct exchange *x, const struct head_found *f)
{
	x->with.outcome->first = worker_loop(x->with.worker)->now;
	x->with.outcome->status = f->head->code;
	return response_head(x->with.worker, x->with.request, f, &x->framing,
		x->with.set, x->visitor_ends);
}

/* What is there of a body of known length; returns what is to come of it. */
static uint64_t join_body(
	struct exchange *x, struct chunk *head, struct chunk *rest)
{
	uint32_t n = response_join(head, rest, x->framing.length);

	count_add(&x->with.worker->core.counters, bytes_out, n);
	x->with.outcome->out += n;
	return x->framing.length - n;
}

/* The bytes behind a head are the stream's again. */
static void give_rest(struct exchange *x, struct chunk *rest)
{
	if (chunk_length(rest) > 0)
		stream_unread(x->with.work, rest);
	else
		chunk_give(rest);
}

static void send_response(
	struct exchange *x, const struct head_found *f, struct chunk *rest)
{
	struct pump_params p = { .source = x->with.work,
		.sink = x->with.visitor,
		.ended = back_ended,
		.counters = &x->with.worker->core.counters,
		.counter = COUNTER_bytes_out,
		.mode = (enum engine_mode)x->with.worker->settings->relay,
		.throttles = x->with.throttle_back };
	struct chunk *head;

	x->visitor_ends |=
		x->with.last || worker_ends(x->with.worker) ||
		x->framing.body == FRAMING_CLOSE || !request_is_out(x) ||
		(x->with.request->old && x->framing.body == FRAMING_CHUNKED);
	/* The end goes with the last bytes, unless a body is still awaited. */
	p.finishes = x->visitor_ends && request_is_out(x);
	head = head_for_visitor(x, f);
	if (!head) {
		chunk_give(rest);
		fail(x, 503, REASON_no_memory);
		return;
	}
	switch (x->framing.body) {
	case FRAMING_NONE:
		break;
	case FRAMING_LENGTH:
		p.limit = join_body(x, head, rest);
		break;
	case FRAMING_CHUNKED:
		p.inspector = body_check_init(
			&x->back_check, response_body_as(x->with.request));
		/* fall through */
	case FRAMING_CLOSE:
		p.limit = PUMP_UNLIMITED;
		break;
	}
	give_rest(x, rest);
	head_reader_clear(&x->pieces);
	loop_cancel_timer(worker_loop(x->with.worker), &x->timer);
	x->response = EXCHANGE_BODY;
	x->passed = true;
	pump_init(&x->back, &p);
	pump_push(&x->back, head);
	stall_stop(&x->stall);
	stall_watch(&x->stall, &x->back, 0,
		x->with.worker->settings->stall_timeout_ms, visitor_stalls);
	pump_start(&x->back);
}

static void interim_sent(struct stream_writer *w, struct chunk *c, int result)
{
	struct exchange *x = container_of(w, struct exchange, writer);

	chunk_give(c);
	if (result < 0) {
		visitor_failed(x);
		return;
	}
	x->response = EXCHANGE_AWAITED;
	read_head(x);
}

static void pass_interim(
	struct exchange *x, const struct head_found *f, struct chunk *rest)
{
	struct chunk *head = NULL;

	if (++x->interims > EXCHANGE_INTERIMS_MAX) {
		chunk_give(rest);
		fail(x, 502, REASON_service_reset);
		return;
	}
	if (!x->with.request->old)
		head = head_for_visitor(x, f);
	give_rest(x, rest);
	head_reader_clear(&x->pieces);
	if (!head) {
		read_head(x);
		return;
	}
	/* It does not wait, as what is behind it will. */
	throttles_charge(&x->with.throttle_back, chunk_length(head),
		worker_loop(x->with.worker)->now);
	x->response = EXCHANGE_INTERIM;
	stream_write(x->with.visitor, head, false, &x->writer);
}

/* The visitor's bytes pass from now on, and the service's. */
static void switch_protocols(
	struct exchange *x, const struct head_found *f, struct chunk *rest)
{
	struct exchange_result r = { .end = EXCHANGE_SWITCHES };
	bool asked = response_connects(x->with.request, f) ||
		     (x->framing.upgrade && upgrade_takes(f->head, f->data,
						    x->with.request->upgrade));

	if (!asked || !request_is_out(x)) {
		chunk_give(rest);
		fail(x, 502, REASON_service_reset);
		return;
	}
	x->visitor_ends = false;
	r.head = head_for_visitor(x, f);
	give_rest(x, rest);
	if (r.head)
		end(x, &r);
	else
		fail(x, 503, REASON_no_memory);
}

static void service_ended(struct exchange *x);

/* RFC 9110, section 15.5.9: it had closed before the request came. */
static bool died_idle(const struct exchange *x, const struct head_found *f)
{
	return x->with.reused && f->head->code == 408 && x->framing.close;
}

/* A whole head; `rest` begins behind it. */
static void head_came(
	struct exchange *x, const struct head_found *f, struct chunk *rest)
{
	bool connected = response_connects(x->with.request, f);
	/* That of an interim response counts, too. */
	bool repaired = x->framing.repaired;

	if (framing_response(&x->framing, f->head, f->data,
		    x->with.request->head || connected) < 0) {
		chunk_give(rest);
		fail(x, 502, REASON_service_reset);
		return;
	}
	x->framing.repaired |= repaired;
	if (died_idle(x, f)) {
		chunk_give(rest);
		head_reader_clear(&x->pieces);
		service_ended(x);
		return;
	}
	chunk_give(x->with.kept);
	x->with.kept = NULL;
	if (f->head->code == 101 || connected)
		switch_protocols(x, f, rest);
	else if (f->head->code < 200)
		pass_interim(x, f, rest);
	else
		send_response(x, f, rest);
}

/* It ended before its answer: once more, or an error. */
static void service_ended(struct exchange *x)
{
	struct exchange_result r = { .end = EXCHANGE_RETRIES };

	if (x->with.kept && !x->pieces.pieces && !x->passed) {
		r.head = x->with.kept;
		x->with.kept = NULL;
		count(&x->with.worker->core.counters, http_retries);
		end(x, &r);
		return;
	}
	fail(x, x->pieces.pieces || x->with.reused ? 502 : 503,
		REASON_service_reset);
}

static void head_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct exchange *x = container_of(r, struct exchange, reader);
	struct head_found found;
	int rc;

	if (result <= 0) {
		service_ended(x);
		return;
	}
	rc = head_reader_take(&x->pieces, c, &x->with.worker->head, true,
		&x->with.worker->responses, &found);
	if (rc < 0)
		fail(x, -rc, REASON_service_reset);
	else if (rc == 0)
		read_head(x);
	else
		head_came(x, &found, c);
}

static void read_head(struct exchange *x)
{
	struct chunk *c;
	int n = stream_take(x->with.work, &c);

	if (n == -EAGAIN)
		stream_read(x->with.work, &x->reader);
	else
		head_received(&x->reader, c, n);
}

void exchange_start(struct exchange *x, const struct exchange_params *params)
{
	const struct request_facts *q = params->request;
	const struct settings *set = params->worker->settings;
	struct pump_params out = { .source = params->visitor,
		.sink = params->work,
		.ended = out_ended,
		.heeds_reset = true,
		.limit = q->framing.length,
		.counters = &params->worker->core.counters,
		.counter = COUNTER_bytes_in,
		.mode = (enum engine_mode)set->relay,
		.throttles = params->throttle_out };

	*x = (struct exchange){
		.with = *params,
		.reader = { head_received },
		.writer = { interim_sent },
		.request = REQUEST_SENDING,
		.response = EXCHANGE_AWAITED,
		.visitor_ends = q->framing.close || q->connect,
	};
	*x->with.outcome = (struct outcome){ 0 };
	if (q->framing.body == FRAMING_CHUNKED) {
		out.inspector = body_check_init(&x->out_check, CHUNKED_ANEW);
		out.limit = PUMP_UNLIMITED;
	}
	pump_init(&x->out, &out);
	pump_push(&x->out, params->forwarded);
	if (framing_has_body(&q->framing))
		stall_watch(&x->stall, &x->out, set->body_timeout_ms,
			set->stall_timeout_ms, request_stalls);
	else
		await_answer(x, service_late);
	pump_start(&x->out);
	/* What has come of a body may be malformed. */
	if (exchange_runs(x))
		read_head(x);
}
