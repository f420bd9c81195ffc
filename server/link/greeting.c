/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/greeting_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/crypto/random.h"
#include "common/crypto/tls.h"
#include "common/crypto/websocket_key.h"
#include "common/http/text.h"
#include "common/relay/layer.h"
#include "common/wire/client_hello.h"
#include "common/wire/websocket.h"
#include "server/control/control.h"
#include "server/http/http_visitor.h"
#include "server/visitor/https_visitor.h"
#include "server/link/keyring.h"
#include "server/link/session.h"
#include "server/control/work.h"
#include "server/worker.h"

#define YAMUX_FIRST 0x00

static void greeting_look(struct greeting *g);

void greeting_set_state(struct greeting *g, enum greeting_state state)
{
	assert(g->state != GREETING_MESSAGE);
	g->state = state;
}

/* Forget the greeting; its stream is closed or handed on already. */
static void greeting_free(struct greeting *g)
{
	struct worker *w = g->worker;

	loop_cancel_timer(worker_loop(w), &g->deadline);
	if (g->link.session.generation) {
		w->stream_greetings--;
		session_heard(w, g->link.session);
	} else if (g->entered && !g->succeeded)
		half_open_leave(&w->server->half_open, g->address);
	hello_reader_clear(&g->hello);
	chunk_give(g->first);
	greeting_unlist(g);
	pool_give(w->pools.greetings, g);
}

/* What a layer says about its failure; "" if there is nothing to say. */
static const char *trouble_of(const struct greeting *g)
{
	const struct stream *s = g->stream ? g->stream : g->channel.stream;
	const char *trouble = s && layer_is(s) ? layer_trouble(s) : NULL;

	return trouble ? trouble : "";
}

void greeting_close(struct greeting *g, enum reason why)
{
	struct counters *counters = &g->worker->core.counters;
	char peer[ADDRESS_TEXT_SIZE];
	const char *trouble = trouble_of(g);

	address_text(&g->link.peer, peer);
	log_debug("connection from [%s] closed before it was anything: %s%s%s",
		peer, reason_text(why), *trouble ? ": " : "", trouble);
	if (*trouble)
		count(counters, tls_failed);
	counters->ended[why]++;
	stream_close(&g->stream, true);
	channel_close(&g->channel, true);
	greeting_free(g);
}

static void greeting_late(struct timer *t)
{
	struct greeting *g = container_of(t, struct greeting, deadline);

	count(&g->worker->core.counters, first_message_timeouts);
	greeting_close(g, REASON_timeout);
}

/* In the log once a second at most: anybody may cause it. */
static void complain(const struct greeting *g, const char *why)
{
	struct worker *w = g->worker;
	char peer[ADDRESS_TEXT_SIZE];

	if (!clock_again(
		    &w->complains_again, worker_loop(w)->now, CLOCK_SECOND))
		return;
	address_text(&g->link.peer, peer);
	log_warn("connection from [%s] refused: %s", peer, why);
}

/* --- the first message --- */

/* frpc says it to its visitors, and in its log. */
static void refuse_visitor(struct greeting *g, const char *proxy)
{
	static const char why[] = "stcp and sudp are not supported yet";
	struct message m = { .type = MESSAGE_NEW_VISITOR_CONN_RESP };

	m.new_visitor_conn_resp.proxy_name = proxy;
	m.new_visitor_conn_resp.error = why;
	complain(g, why);
	if (channel_send(&g->channel, &m) == 0)
		channel_part(&g->channel, &g->worker->farewells);
	greeting_close(g, REASON_refused);
}

static enum channel_verdict greeting_message(
	struct channel *c, struct message *m)
{
	struct greeting *g = container_of(c, struct greeting, channel);
	struct worker *w = g->worker;
	struct link link = g->link;
	struct stream *s;

	if (m->type == MESSAGE_NEW_VISITOR_CONN) {
		refuse_visitor(g, m->new_visitor_conn.proxy_name);
		return CHANNEL_LEFT;
	}
	if (m->type != MESSAGE_LOGIN && m->type != MESSAGE_NEW_WORK_CONN) {
		count(&w->core.counters, bad_first_messages);
		greeting_close(g, REASON_unexpected_message);
		return CHANNEL_LEFT;
	}
	s = channel_release(&g->channel);
	greeting_free(g);
	if (s && m->type == MESSAGE_LOGIN)
		control_login(w, s, &link, &m->login);
	else if (s)
		work_arrived(w, s, &link, &m->new_work_conn);
	return CHANNEL_LEFT;
}

static void greeting_ended(
	struct channel *c, enum reason why, const char *detail)
{
	struct greeting *g = container_of(c, struct greeting, channel);
	struct counters *counters = &g->worker->core.counters;

	(void)detail;
	if (why == REASON_bad_frame)
		count(counters, bad_frames);
	if (why == REASON_bad_message)
		count(counters, bad_messages);
	greeting_close(g, why);
}

static const struct channel_ops greeting_ops = {
	.message = greeting_message,
	.ended = greeting_ended,
};

static void await_message(struct greeting *g)
{
	struct stream *s = g->stream;

	g->stream = NULL;
	greeting_set_state(g, GREETING_MESSAGE);
	channel_init(&g->channel, s, &greeting_ops);
	channel_start(&g->channel);
}

/* --- TLS --- */

/* The stream goes on inside TLS, whose first bytes are unread. */
static void enter_tls(struct greeting *g, struct tls_context *context)
{
	struct worker *w = g->worker;
	struct transform *t = tls_server(context);

	if (t && g->known_only)
		tls_admit_known(t);
	g->stream = layer_open(w->pools.layers, g->stream, t);
	if (!g->stream) {
		greeting_close(g, REASON_no_memory);
		return;
	}
	count(&w->core.counters, tls_sessions);
	g->link.secure = true;
	g->link.adit = context != w->keyring->frp;
	greeting_read(g);
}

/* What it asks to be shown. */
static struct tls_context *choose_context(const struct worker *w,
	const struct client_hello *hello, const uint8_t *bytes)
{
	if (!client_hello_offers(hello, bytes, TLS_ALPN_ADIT))
		return w->keyring->frp;
	return client_hello_offers(hello, bytes, TLS_ALPN_ADIT_CA)
		       ? w->keyring->adit_ca
		       : w->keyring->adit;
}

/* A ClientHello, or a part of one: the chunk is taken. */
static void gather_hello(struct greeting *g, struct chunk *c)
{
	struct worker *w = g->worker;
	struct tls_context *context;
	struct client_hello hello;
	struct chunk *all;

	switch (hello_reader_take(&g->hello, c, &hello, &all)) {
	case CLIENT_HELLO_PARTIAL:
		/* One that is so long needs more than a stranger has. */
		if (hello_reader_kept(&g->hello) > GREETING_WORDS_MAX &&
			!greeting_take_room(g))
			greeting_close(g, REASON_limit);
		else
			greeting_look(g);
		return;
	case CLIENT_HELLO_COMPLETE:
		break;
	default:
		count(&w->core.counters, tls_failed);
		greeting_close(g, REASON_bad_frame);
		return;
	}
	context = choose_context(w, &hello, chunk_bytes(all));
	if (w->settings->https_shares_port && context == w->keyring->frp &&
		!g->marked) {
		stream_unread(g->stream, all);
		https_visitor_adopt(w, g->stream, &g->link.peer);
		g->stream = NULL;
		greeting_free(g);
		return;
	}
	if (!greeting_enter(g, all, hello.resumes))
		return;
	stream_unread(g->stream, all);
	enter_tls(g, context);
}

/* --- WebSocket --- */

static void enter_websocket(struct greeting *g)
{
	static const struct websocket_means means = { .random = random_bytes,
		.key = websocket_key_make,
		.accept = websocket_key_accept };

	g->stream = layer_open(
		g->worker->pools.layers, g->stream, websocket_serve(&means));
	if (!g->stream) {
		greeting_close(g, REASON_no_memory);
		return;
	}
	g->web = true;
	greeting_look(g);
}

/* --- the first bytes --- */

enum speech {
	SPEECH_UNCLEAR, /* more bytes are needed */
	SPEECH_FRP,
	SPEECH_TLS,
	SPEECH_YAMUX,
	SPEECH_HTTP, /* of a visitor */
	SPEECH_WEBSOCKET,
};

/*
 * A frame of frp's is a letter or a digit and the length, of eight bytes, of
 * which the first is 0. A request begins with a token, or an empty line.
 */
static bool is_request(uint8_t first, uint8_t second)
{
	return second != 0 && (text_is(first, TEXT_TOKEN) || first == '\r');
}

/* Whether frp's upgrade begins so; no: *more_r, if more bytes may tell. */
static bool is_upgrade(const uint8_t *bytes, uint32_t n, bool *more_r)
{
	static const char first[] = "GET " WEBSOCKET_PATH;
	uint32_t whole = sizeof(first) - 1;
	bool same = memcmp(bytes, first, n < whole ? n : whole) == 0;

	*more_r = same && n < whole;
	return same && n >= whole;
}

/* What such bytes begin, at least one, here. */
static enum speech recognise(
	const struct greeting *g, const uint8_t *bytes, uint32_t n)
{
	const struct settings *set = g->worker->settings;
	bool bare = !g->link.secure && !g->link.session.generation;
	bool more = false;

	if (bare &&
		(*bytes == CLIENT_HELLO_FIRST || *bytes == CLIENT_HELLO_MARK))
		return SPEECH_TLS;
	/* What speaks adit/1 has connections of their own for everything. */
	if (*bytes == YAMUX_FIRST && !g->link.session.generation &&
		!g->link.adit && set->tcp_mux)
		return SPEECH_YAMUX;
	if (bare && !g->web && is_upgrade(bytes, n, &more))
		return SPEECH_WEBSOCKET;
	if (more)
		return SPEECH_UNCLEAR;
	if (!bare || g->web || !set->http_shares_port)
		return SPEECH_FRP;
	if (n < 2)
		return SPEECH_UNCLEAR;
	return is_request(bytes[0], bytes[1]) ? SPEECH_HTTP : SPEECH_FRP;
}

/* Whether what is not inside TLS is let in. */
static bool may_be_bare(const struct greeting *g)
{
	return g->link.secure || !g->worker->settings->tls_force;
}

/* The chunk's first byte is that of a ClientHello, or frp's before it. */
static void enter_hello(struct greeting *g, struct chunk *c)
{
	if (*chunk_bytes(c) == CLIENT_HELLO_MARK) {
		g->marked = true;
		c->from++;
	}
	greeting_set_state(g, GREETING_HELLO);
	if (chunk_length(c) > 0) {
		gather_hello(g, c);
		return;
	}
	chunk_give(c);
	greeting_look(g);
}

static void enter(struct greeting *g, enum speech speech, struct chunk *c)
{
	struct worker *w = g->worker;
	struct stream *s = g->stream;

	if (speech == SPEECH_TLS) {
		enter_hello(g, c);
		return;
	}
	if (speech == SPEECH_HTTP) {
		stream_unread(s, c);
		g->stream = NULL;
		http_visitor_adopt(w, s, &g->link.peer);
		greeting_free(g);
		return;
	}
	if (speech != SPEECH_WEBSOCKET && !may_be_bare(g)) {
		chunk_give(c);
		count(&w->core.counters, bare_refused);
		complain(g, "it is not inside TLS (transport.tls.force, or "
			    "trustedCaFile)");
		greeting_close(g, REASON_refused);
		return;
	}
	if (!greeting_enter(g, c, false))
		return;
	stream_unread(s, c);
	if (speech == SPEECH_WEBSOCKET) {
		enter_websocket(g);
	} else if (speech == SPEECH_YAMUX) {
		g->stream = NULL;
		g->succeeded = true;
		session_open(w, s, &g->link, g->address);
		greeting_free(g);
	} else {
		await_message(g);
	}
}

/* The bytes that came before, and these; NULL: no memory. */
static struct chunk *with_first(struct greeting *g, struct chunk *c)
{
	struct chunk *first = g->first, *both;
	uint32_t n, m;

	if (!first)
		return c;
	g->first = NULL;
	n = chunk_length(first);
	m = chunk_length(c);
	both = chunk_from_heap(n + m);
	if (both) {
		memcpy(both->data, chunk_bytes(first), n);
		memcpy(both->data + n, chunk_bytes(c), m);
		both->to = n + m;
	}
	chunk_give(first);
	chunk_give(c);
	return both;
}

static void greeting_received(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct greeting *g = container_of(r, struct greeting, reader);
	enum speech speech;

	if (result <= 0) {
		greeting_close(
			g, result == 0 ? REASON_peer_closed : REASON_network);
		return;
	}
	if (g->state == GREETING_HELLO) {
		gather_hello(g, c);
		return;
	}
	c = with_first(g, c);
	if (!c) {
		greeting_close(g, REASON_no_memory);
		return;
	}
	speech = recognise(g, chunk_bytes(c), chunk_length(c));
	if (speech == SPEECH_FRP && *chunk_bytes(c) == YAMUX_FIRST)
		complain(g, g->link.adit ? "it speaks yamux inside adit/1"
					 : "it speaks yamux, which is off "
					   "here (transport.tcpMux)");
	if (speech != SPEECH_UNCLEAR) {
		enter(g, speech, c);
		return;
	}
	/* A few bytes, for long perhaps. */
	g->first = chunk_copy(chunk_bytes(c), chunk_length(c));
	chunk_give(c);
	if (g->first)
		greeting_look(g);
	else
		greeting_close(g, REASON_no_memory);
}

/* The next bytes. */
static void greeting_look(struct greeting *g)
{
	struct chunk *c;
	int n = stream_take(g->stream, &c);

	if (n == -EAGAIN)
		stream_read(g->stream, &g->reader);
	else
		greeting_received(&g->reader, c, n);
}

/* --- the beginning --- */

struct greeting *greeting_new(
	struct worker *w, struct stream *s, const struct link *link)
{
	struct greeting *g = pool_take(w->pools.greetings);

	if (!g) {
		w->core.counters.ended[REASON_limit]++;
		stream_close(&s, true);
		return NULL;
	}
	g->worker = w;
	g->stream = s;
	g->link = *link;
	g->reader.received = greeting_received;
	g->since = worker_loop(w)->now;
	loop_set_timer(worker_loop(w), &g->deadline,
		w->settings->first_message_timeout_ms * CLOCK_MS,
		greeting_late);
	return g;
}

void greeting_read(struct greeting *g)
{
	greeting_set_state(g, GREETING_BYTES);
	greeting_look(g);
}

void greeting_begin(struct worker *w, struct stream *s, const struct link *link)
{
	struct greeting *g = NULL;

	/* The other half is for those who come to bindPort. */
	if (w->stream_greetings < pool_limit(w->pools.greetings) / 2) {
		g = greeting_new(w, s, link);
	} else {
		w->core.counters.ended[REASON_limit]++;
		stream_close(&s, true);
	}
	if (!g) {
		session_heard(w, link->session);
		return;
	}
	w->stream_greetings++;
	/* Its session is one of those that are counted (session.h). */
	g->entered = true;
	list_append(&w->greetings, &g->place);
	greeting_read(g);
}
