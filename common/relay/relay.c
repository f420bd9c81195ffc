/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/relay.h"

#include <assert.h>

#include "common/event/loop.h"

static void relay_set_state(struct relay *r, enum relay_state state)
{
	assert(state != RELAY_STARTING || r->state == RELAY_IDLE);
	assert(state != RELAY_LINGERING || r->state == RELAY_RUNNING ||
		r->state == RELAY_STARTING);
	r->state = state;
}

static void relay_leave(struct relay *r)
{
	pump_stop(&r->out);
	pump_stop(&r->back);
	drain_stop(&r->drain);
	list_remove(&r->watch);
	loop_cancel_timer(r->a->loop, &r->timer);
	relay_set_state(r, RELAY_IDLE);
}

static void relay_ending(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, timer);

	relay_set_state(r, RELAY_IDLE);
	r->ended(r, r->why);
}

/* The owner must not hear of the end inside its own call of relay_start. */
static void relay_end(struct relay *r, enum reason why)
{
	bool starting = r->state == RELAY_STARTING;

	if (r->state == RELAY_ENDING)
		return;
	relay_leave(r);
	if (!starting) {
		r->ended(r, why);
		return;
	}
	r->why = (uint8_t)why;
	relay_set_state(r, RELAY_ENDING);
	loop_set_timer(r->a->loop, &r->timer, 0, relay_ending);
}

static void relay_lingered(struct timer *t)
{
	relay_end(container_of(t, struct relay, timer), REASON_done);
}

static void relay_drained(struct drain *d, int result)
{
	struct relay *r = container_of(d, struct relay, drain);

	if (result < 0)
		relay_end(r, r->back_done ? REASON_done : REASON_visitor_reset);
	else if (r->back_done)
		relay_end(r, REASON_done);
	else
		/* A has ended; its answer is still on the way. */
		r->out_done = true;
}

/* The answer is out, A was told so; wait for A to hear it. */
static void relay_linger(struct relay *r)
{
	bool starting = r->state == RELAY_STARTING;

	pump_stop(&r->out);
	relay_set_state(r, RELAY_LINGERING);
	loop_set_timer(r->a->loop, &r->timer, RELAY_LINGER, relay_lingered);
	if (r->drain.source)
		return;
	if (starting)
		relay_set_state(r, RELAY_STARTING);
	drain_start(&r->drain, r->a, relay_drained);
	if (starting && r->state == RELAY_STARTING)
		relay_set_state(r, RELAY_LINGERING);
}

static void relay_hold_over(struct timer *t);

static void relay_hold(struct relay *r, int64_t time)
{
	r->heard = r->back.bytes;
	loop_set_timer(r->a->loop, &r->timer, time, relay_hold_over);
}

static void relay_hold_over(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, timer);

	if (r->back.bytes != r->heard &&
		++r->quiets < RELAY_HOLD / RELAY_HOLD_QUIET)
		relay_hold(r, RELAY_HOLD_QUIET);
	else if (stream_finish(r->b) < 0)
		relay_end(r, REASON_service_reset);
}

/* A's direction is delivered: pass the end on to B, now or later. */
static void relay_out_done(struct relay *r, enum pump_end how)
{
	r->out_done = how == PUMP_EOF;
	if (r->back_done) {
		relay_end(r, REASON_done);
		return;
	}
	if (how != PUMP_EOF) {
		/* A message, not the stream, has ended: no FIN for B. */
		drain_start(&r->drain, r->a, relay_drained);
		return;
	}
	if (!r->a_half_close) {
		/* A has gone, and nobody is left to hear B. */
		stream_finish(r->b);
		relay_end(r, REASON_done);
	} else if (r->b_half_close) {
		/* A failure shows in the other direction too. */
		stream_finish(r->b);
	} else {
		bool asks = r->out.bytes > 0 && r->back.bytes == 0;

		relay_hold(r, asks ? RELAY_HOLD : RELAY_HOLD_QUIET);
	}
}

/* B's direction is delivered: tell A, and see what is left of the other. */
static void relay_back_done(struct relay *r)
{
	r->back_done = true;
	if (stream_finish(r->a) < 0)
		relay_end(r, REASON_visitor_reset);
	else if (r->out_done)
		relay_end(r, REASON_done);
	else if (!r->b_half_close || r->out.state == PUMP_IDLE)
		relay_linger(r);
	/* else A may go on sending to B, which has only half-closed. */
}

/* B took nothing, and all that it had said is delivered: no end will come. */
static void relay_unheard(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, timer);

	if (pump_is_idle(&r->back))
		relay_end(r, REASON_service_reset);
	else
		loop_set_timer(r->a->loop, t, RELAY_UNHEARD, relay_unheard);
}

static void relay_out_ended(struct pump *p, enum pump_end how)
{
	struct relay *r = container_of(p, struct relay, out);

	switch (how) {
	case PUMP_EOF:
	case PUMP_LIMIT:
	case PUMP_INSPECTED:
		relay_out_done(r, how);
		break;
	case PUMP_BAD:
	case PUMP_SOURCE_FAILED:
		relay_end(r, REASON_visitor_reset);
		break;
	case PUMP_SINK_FAILED:
		/*
		 * B does not take any more. What it sent before is still to be
		 * read, and the end of that tells how B ended.
		 */
		if (r->back_done)
			relay_end(r, REASON_service_reset);
		else
			loop_set_timer(r->a->loop, &r->timer, RELAY_UNHEARD,
				relay_unheard);
		break;
	}
}

static void relay_back_ended(struct pump *p, enum pump_end how)
{
	struct relay *r = container_of(p, struct relay, back);

	switch (how) {
	case PUMP_EOF:
	case PUMP_LIMIT:
	case PUMP_INSPECTED:
		relay_back_done(r);
		break;
	case PUMP_BAD:
	case PUMP_SOURCE_FAILED:
		relay_end(r, REASON_service_reset);
		break;
	case PUMP_SINK_FAILED:
		relay_end(r, REASON_visitor_reset);
		break;
	}
}

void relay_init(struct relay *r, const struct relay_params *params)
{
	struct pump_params out = { .source = params->a,
		.sink = params->b,
		.ended = relay_out_ended,
		.finishes = !params->a_half_close || params->b_half_close,
		.heeds_reset = true,
		.limit = params->limit,
		.inspector = params->look_out,
		.counters = params->counters,
		.counter = COUNTER_bytes_in,
		.mode = params->mode,
		.throttles = params->throttle_out };
	struct pump_params back = { .source = params->b,
		.sink = params->a,
		.ended = relay_back_ended,
		.finishes = true,
		.limit = PUMP_UNLIMITED,
		.inspector = params->look_back,
		.counters = params->counters,
		.counter = COUNTER_bytes_out,
		.mode = params->mode,
		.throttles = params->throttle_back };

	assert(r->state == RELAY_IDLE);
	*r = (struct relay){
		.a = params->a,
		.b = params->b,
		.ended = params->ended,
		.a_half_close = params->a_half_close,
		.b_half_close = params->b_half_close,
	};
	list_init(&r->watch);
	pump_init(&r->out, &out);
	pump_init(&r->back, &back);
	if (!params->again)
		count(params->counters, relays);
}

void relay_start(struct relay *r)
{
	relay_set_state(r, RELAY_STARTING);
	pump_start(&r->out);
	if (r->state == RELAY_STARTING)
		pump_start(&r->back);
	if (r->state == RELAY_STARTING)
		relay_set_state(r, RELAY_RUNNING);
}

bool relay_is_idle(const struct relay *r)
{
	return r->state == RELAY_RUNNING && !timer_is_set(&r->timer) &&
	       pump_is_idle(&r->out) && pump_is_idle(&r->back);
}

void relay_stop(struct relay *r)
{
	if (r->state != RELAY_IDLE)
		relay_leave(r);
}
