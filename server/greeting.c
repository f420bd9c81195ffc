/* SPDX-License-Identifier: Apache-2.0 */

#include "server/greeting.h"

#include "common/base/log.h"
#include "common/http/text.h"
#include "common/relay/raw_stream.h"
#include "server/control.h"
#include "server/http_visitor.h"
#include "server/work.h"
#include "server/worker.h"

/* Forget the greeting; its channel is closed or handed on already. */
static void greeting_free(struct greeting *g)
{
	struct worker *w = g->worker;

	loop_cancel_timer(worker_loop(w), &g->deadline);
	chunk_give(g->first);
	list_remove(&g->link);
	pool_give(w->pools.greetings, g);
}

void greeting_close(struct greeting *g, enum reason why)
{
	char peer[ADDRESS_TEXT_SIZE];

	address_text(&g->peer, peer);
	log_debug("connection from [%s] closed before it was anything: %s",
		peer, reason_text(why));
	g->worker->core.counters.ended[why]++;
	channel_close(&g->channel, true);
	greeting_free(g);
}

static void greeting_late(struct timer *t)
{
	struct greeting *g = container_of(t, struct greeting, deadline);

	count(&g->worker->core.counters, first_message_timeouts);
	greeting_close(g, REASON_timeout);
}

static enum channel_verdict greeting_message(
	struct channel *c, struct message *m)
{
	struct greeting *g = container_of(c, struct greeting, channel);
	struct worker *w = g->worker;
	struct address peer = g->peer;
	struct stream *s;

	if (m->type != MESSAGE_LOGIN && m->type != MESSAGE_NEW_WORK_CONN) {
		count(&w->core.counters, bad_first_messages);
		greeting_close(g, REASON_unexpected_message);
		return CHANNEL_LEFT;
	}
	s = channel_release(&g->channel);
	greeting_free(g);
	if (s && m->type == MESSAGE_LOGIN)
		control_login(w, s, &peer, &m->login);
	else if (s)
		work_arrived(w, s, &m->new_work_conn);
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

/* --- a port of two kinds --- */

/*
 * A frame of frp's is a letter or a digit and the length, of eight bytes, of
 * which the first is 0. A request begins with a token, or an empty line.
 */
static bool is_request(uint8_t first, uint8_t second)
{
	return second != 0 && (text_is(first, TEXT_TOKEN) || first == '\r');
}

static void sniff(struct greeting *g);

static void greeting_sniffed(
	struct stream_reader *r, struct chunk *c, int result)
{
	struct greeting *g = container_of(r, struct greeting, sniffer);
	struct worker *w = g->worker;
	struct chunk *first = g->first;
	struct stream *s = g->channel.stream;
	bool http = false;

	g->first = NULL;
	if (result == 1 && !first) {
		g->first = c;
		sniff(g);
		return;
	}
	if (result > 0 && first)
		http = is_request(*chunk_bytes(first), *chunk_bytes(c));
	else if (result > 1)
		http = is_request(chunk_bytes(c)[0], chunk_bytes(c)[1]);
	if (result > 0)
		stream_unread(s, c);
	if (first)
		stream_unread(s, first);
	if (!http) {
		channel_start(&g->channel);
		return;
	}
	http_visitor_adopt(w, s, &g->peer);
	greeting_free(g);
}

static void sniff(struct greeting *g)
{
	stream_read(g->channel.stream, &g->sniffer);
}

void greeting_accept(struct listener *l, int fd)
{
	struct worker *w = l->worker;
	struct greeting *g = pool_take(w->pools.greetings);
	struct stream *s;

	s = raw_stream_open(w->pools.streams, worker_loop(w), fd);
	if (!g || !s) {
		if (g)
			pool_give(w->pools.greetings, g);
		stream_close(&s, true);
		w->core.counters.ended[REASON_limit]++;
		listener_pause(l);
		return;
	}
	g->worker = w;
	address_of_peer(&g->peer, fd);
	list_append(&w->greetings, &g->link);
	channel_init(&g->channel, s, &greeting_ops);
	loop_set_timer(worker_loop(w), &g->deadline,
		w->settings->first_message_timeout_ms * CLOCK_MS,
		greeting_late);
	g->sniffer.received = greeting_sniffed;
	if (w->settings->http_shares_port)
		sniff(g);
	else
		channel_start(&g->channel);
}
