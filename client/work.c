/* SPDX-License-Identifier: Apache-2.0 */

#include "client/work.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/crew.h"
#include "client/proxy.h"
#include "client/start.h"
#include "client/work_bytes.h"
#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"
#include "common/relay/wrap.h"
#include "common/wire/capability.h"
#include "common/wire/proxy_header.h"

/* frpc's limits for the two dials. */
#define LOCAL_DIAL_TIME (10 * CLOCK_SECOND)

/*
 * A visitor waits for each work connection: one that a busy server has cut off
 * is made again, a little later.
 */
#define LINK_TRIES 5
#define LINK_RETRY (150 * CLOCK_MS)

static bool is_busy(const struct work *k)
{
	return k->state == WORK_STARTED || k->state == WORK_RELAYING;
}

/* The one setter; the crew knows how many are busy. */
static void work_set_state(struct work *k, enum work_state state)
{
	bool before = is_busy(k);

	assert(k->state != WORK_CLOSED);
	k->state = state;
	if (is_busy(k) != before)
		crew_count_busy(k->client->crew, before ? -1 : 1);
}

static void work_bury(struct timer *t)
{
	struct work *k = container_of(t, struct work, timer);
	struct client *c = k->client;

	list_remove(&k->link);
	proxy_drop(&k->proxy);
	if (k->place)
		quota_give(&c->crew->works);
	pool_give(c->pools.works, k);
	client_work_gone(c);
}

void work_close(struct work *k, enum reason why)
{
	struct client *c = k->client;
	bool cut = !reason_is_clean(why);

	if (k->state == WORK_CLOSED)
		return;
	if (k->state == WORK_RELAYING)
		relay_stop(&k->relay);
	lookout_leave(&k->lookout, !cut);
	chunk_give(k->header);
	k->header = NULL;
	start_key_wipe(&k->start_key);
	work_set_state(k, WORK_CLOSED);
	log_debug("work connection ended: %s", reason_text(why));
	c->core.counters.ended[why]++;
	link_cancel(&k->to_server);
	dial_cancel(&k->dial);
	channel_close(&k->channel, cut);
	stream_close(&k->stream, cut);
	stream_close(&k->local, cut);
	loop_cancel_timer(client_loop(c), &k->timer);
	loop_set_timer(client_loop(c), &k->timer, 0, work_bury);
}

static void work_relay_ended(struct relay *r, enum reason why)
{
	work_close(container_of(r, struct work, relay), why);
}

static void work_relay(struct work *k, bool again)
{
	const struct client_proxy *p = k->proxy->settings;
	struct throttle *throttle = proxy_throttle(k->proxy);
	/* One that was parked has none: what it carries is not followed. */
	struct lookout *l = again ? NULL : lookout_post(k->client, p);
	struct relay_params params = {
		.a = k->stream,
		.b = k->local,
		.a_half_close = k->caps & CAPABILITY_half_close,
		.b_half_close = true,
		.limit = PUMP_UNLIMITED,
		.throttle_out = { { throttle } },
		.throttle_back = { { throttle } },
		.look_out = l ? &l->out : NULL,
		.look_back = l ? &l->back : NULL,
		.again = again,
		.counters = &k->client->core.counters,
		.mode = (enum engine_mode)k->client->settings->relay,
		.ended = work_relay_ended,
	};

	k->lookout = l;
	work_set_state(k, WORK_RELAYING);
	relay_init(&k->relay, &params);
	if (k->header)
		pump_push(&k->relay.out, k->header);
	k->header = NULL;
	relay_start(&k->relay);
	/* What is wrapped stays as it is. */
	if (!layer_is(k->stream))
		parking_watch(&k->client->parking, &k->relay);
}

/* Both ends are there: what passes is wrapped as the proxy wants it. */
static void work_join(struct work *k)
{
	const struct client *c = k->client;
	const struct client_proxy *p = k->proxy->settings;
	bool encrypts = p->use_encryption && !c->session.proven;
	struct wrap w = { .key = encrypts ? &c->token_key : NULL,
		.compresses = p->use_compression };

	k->stream = wrap_open(c->pools.layers, k->stream, &w);
	if (k->stream)
		work_relay(k, false);
	else
		work_close(k, REASON_no_memory);
}

/* NewWorkConn was sent; a failure shows when the answer is read. */
static void work_greeted(struct stream_writer *w, struct chunk *c, int result)
{
	(void)w;
	(void)result;
	chunk_give(c);
}

/* NewWorkConn's own write has ended, later than its answer came. */
static void work_written(struct stream_writer *w, struct chunk *c, int result)
{
	struct work *k = container_of(w, struct work, writer);

	chunk_give(c);
	if (result < 0)
		work_close(k, REASON_work_lost);
	else
		work_join(k);
}

static void work_local_dialed(struct dial_owner *o, int fd, const char *error)
{
	struct work *k = container_of(o, struct work, dial_owner);
	const struct client_proxy *p = k->proxy->settings;
	struct client *c = k->client;

	k->dial = NULL;
	count(&c->core.counters, dials);
	if (fd < 0) {
		count(&c->core.counters, dials_failed);
		log_warn("[%s] connect to local service [%s:%u] error: %s",
			p->name, p->local_ip, p->local_port, error);
		work_close(k, REASON_dial_failed);
		return;
	}
	k->local = raw_stream_open(c->pools.streams, client_loop(c), fd);
	if (!k->local) {
		work_close(k, REASON_limit);
		return;
	}
	k->writer.sent = work_written;
	if (stream_is_writing(k->stream))
		stream_follow_writing(k->stream, &k->writer);
	else
		work_join(k);
}

static void work_start(struct work *k)
{
	const struct client_proxy *p = k->proxy->settings;

	work_set_state(k, WORK_STARTED);
	k->dial_owner.done = work_local_dialed;
	k->dial = dial_start(k->client, &k->dial_owner,
		&(struct dial_params){ .host = p->local_ip,
			.port = p->local_port,
			.timeout = LOCAL_DIAL_TIME });
}

/* Nothing is dialled for it. */
static void work_refuse(struct work *k, enum reason why)
{
	count(&k->client->core.counters, starts_refused);
	work_close(k, why);
}

/* It has its visitor. */
static void work_visited(
	struct work *k, const struct message_start_work_conn *s)
{
	enum proxy_header header;

	k->proxy = proxy_hold(start_find_proxy(k->client, s, k->ticket.plain));
	if (!k->proxy) {
		work_refuse(k, REASON_refused);
		return;
	}
	log_debug("[%s] visitor from [%.64s:%lld]", k->proxy->settings->name,
		s->src_addr, (long long)s->src_port);
	header = proxy_header_of(k->proxy->settings->proxy_protocol);
	if (header != PROXY_HEADER_NONE)
		k->header = work_make_header(s, header);
	k->stream = channel_release(&k->channel);
	if (k->stream && (k->header || header == PROXY_HEADER_NONE))
		work_start(k);
	else
		work_close(k, REASON_no_memory);
}

/* StartWorkConn: whose visitor it is, in a box where there is no TLS. */
static enum channel_verdict work_message(
	struct channel *channel, struct message *m)
{
	struct work *k = container_of(channel, struct work, channel);
	struct message inner;

	if (m->type != MESSAGE_START_WORK_CONN) {
		work_refuse(k, REASON_unexpected_message);
	} else if (!k->ticket.plain) {
		work_visited(k, &m->start_work_conn);
	} else if (start_unbox(&inner, &m->start_work_conn, &k->start_key)) {
		work_visited(k, &inner.start_work_conn);
		message_clear(&inner);
	} else {
		work_refuse(k, REASON_refused);
	}
	start_key_wipe(&k->start_key);
	return CHANNEL_LEFT;
}

static void work_ended(
	struct channel *channel, enum reason why, const char *detail)
{
	struct work *k = container_of(channel, struct work, channel);
	struct counters *counters = &k->client->core.counters;

	if (why == REASON_bad_frame)
		count(counters, bad_frames);
	if (why == REASON_bad_message)
		count(counters, bad_messages);
	count(counters, work_conns_lost);
	log_debug("idle work connection: %s", detail);
	work_close(k, why);
}

static const struct channel_ops work_ops = {
	.message = work_message,
	.ended = work_ended,
};

/* Idle, on the stream, which is taken over. */
static void work_idle(struct work *k, struct stream *s)
{
	work_set_state(k, WORK_IDLE);
	channel_init(&k->channel, s, &work_ops);
	channel_start(&k->channel);
}

void work_claim_carrier(
	struct client *c, struct stream *s, uint32_t epoch, unsigned caps)
{
	struct work_carrier *wc = work_carrier_of(s);

	wc->client = c;
	wc->epoch = epoch;
	wc->caps = caps;
}

/* Say whose the connection is, and wait for a visitor. */
static void work_greet(struct work *k, struct stream *s, const uint8_t *binding)
{
	struct client *c = k->client;
	struct chunk *greeting = work_make_greeting(k, binding);
	struct carrier *carrier;

	if (k->ticket.plain)
		start_key_derive(
			&k->start_key, &c->session.key, k->ticket.bytes);
	if (!greeting) {
		stream_close(&s, true);
		work_close(k, REASON_no_memory);
		return;
	}
	if (!(k->caps & CAPABILITY_reuse)) {
		k->writer.sent = work_greeted;
		stream_write(s, greeting, false, &k->writer);
		work_idle(k, s);
		return;
	}
	carrier = carrier_open(&c->carriers, s, greeting);
	if (!carrier) {
		work_close(k, REASON_limit);
		return;
	}
	work_claim_carrier(c, &carrier->stream, c->epoch, k->caps);
	k->place = false;
	work_idle(k, &carrier->stream);
}

static void work_dial(struct timer *t);

static void work_linked(struct link_owner *o, const struct link_outcome *r)
{
	struct work *k = container_of(o, struct work, link_owner);

	k->to_server = NULL;
	if (r->stream) {
		work_greet(k, r->stream, r->binding);
		return;
	}
	if (++k->tries < LINK_TRIES) {
		log_debug("work connection to the server: %s", r->error);
		loop_set_timer(client_loop(k->client), &k->timer,
			k->tries * LINK_RETRY, work_dial);
		return;
	}
	log_warn("work connection to the server: %s", r->error);
	work_close(k, REASON_network);
}

static void work_dial(struct timer *t)
{
	struct work *k = container_of(t, struct work, timer);
	struct client *c = k->client;
	struct handle self = pool_handle(k);
	struct link *link;

	k->link_owner.linked = work_linked;
	link = link_start(c, &k->link_owner, k->ticket.plain);
	/* It may be over, and the work, too. */
	k = pool_find(c->pools.works, self);
	if (k && k->state == WORK_DIALING)
		k->to_server = link;
}

/* A stream of the control's mux. */
static void work_from_mux(struct work *k)
{
	struct mux *m = k->client->control.mux;
	struct stream *s;
	int rc = m && !k->ticketed ? mux_open_stream(m, &s) : -ENOTCONN;

	if (rc == 0) {
		work_greet(k, s, NULL);
		return;
	}
	log_warn("work connection to the server: %s", strerror(-rc));
	work_close(k, rc == -ENOBUFS ? REASON_limit : REASON_network);
}

/* NULL: there is no room. */
static struct work *work_new(struct client *c, unsigned caps)
{
	struct work *k = pool_take(c->pools.works);

	if (!k)
		return NULL;
	k->client = c;
	k->caps = caps;
	list_append(&c->works, &k->link);
	return k;
}

void work_open(struct client *c, const struct work_ticket *ticket)
{
	unsigned caps = c->session.caps;
	struct work *k;

	/* What frames its visitors could be changed on the way. */
	if (ticket && ticket->plain)
		caps &= ~(unsigned)CAPABILITY_reuse;
	k = work_new(c, caps);
	if (!k) {
		quota_give(&c->crew->works);
		c->core.counters.ended[REASON_limit]++;
		return;
	}
	k->place = true;
	k->ticketed = ticket;
	if (ticket)
		k->ticket = *ticket;
	count(&c->core.counters, work_conns);
	if (c->session.muxed)
		work_from_mux(k);
	else
		work_dial(&k->timer);
}

/*
 * A carrier keeps its place as long as it lives, so that one that comes back
 * is never refused: the next visitor may be on its way to it.
 */
static void work_gone(struct carrier *carrier)
{
	struct work_carrier *wc =
		container_of(carrier, struct work_carrier, carrier);

	quota_give(&wc->client->crew->works);
}

/* A carrier's visitor has gone: it waits for the next one. */
static void work_again(struct carrier *carrier)
{
	struct work_carrier *wc =
		container_of(carrier, struct work_carrier, carrier);
	struct client *c = wc->client;
	struct stream *s = &carrier->stream;
	struct work *k = NULL;

	if (!c->core.stopping && wc->epoch == c->epoch)
		k = work_new(c, wc->caps);
	if (k)
		work_idle(k, s);
	else
		stream_close(&s, false);
}

void work_leave(struct work *k)
{
	work_set_state(k, WORK_CLOSED);
	lookout_leave(&k->lookout, true);
	list_remove(&k->link);
	proxy_drop(&k->proxy);
	pool_give(k->client->pools.works, k);
}

void work_resume(struct client *c, unsigned caps, struct proxy *proxy,
	struct stream *stream, struct stream *local)
{
	struct work *k = work_new(c, caps);

	if (k) {
		k->place = !(caps & CAPABILITY_reuse);
		k->proxy = proxy_hold(proxy);
		k->stream = stream;
		k->local = local;
		work_relay(k, true);
		return;
	}
	stream_close(&stream, true);
	stream_close(&local, true);
	if (!(caps & CAPABILITY_reuse))
		quota_give(&c->crew->works);
}

void work_init(struct client *c)
{
	carriers_init(&c->carriers);
	c->carriers.loop = client_loop(c);
	c->carriers.pool = c->pools.carriers;
	c->carriers.again = work_again;
	c->carriers.gone = work_gone;
	c->carriers.steady = true;
}

void works_lost(struct client *c, bool cut)
{
	c->epoch += cut;
	session_keys_wipe(&c->session);
	list_each_safe (l, &c->works) {
		struct work *k = container_of(l, struct work, link);

		if (k->state == WORK_DIALING || (cut && !is_busy(k)))
			work_close(k, REASON_work_lost);
	}
}
