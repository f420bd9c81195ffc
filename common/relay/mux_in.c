/* SPDX-License-Identifier: Apache-2.0 */

/* Frames that come: what each may be, and what is done about it. */

#include <errno.h>
#include <string.h>

#include "common/event/loop.h"
#include "common/relay/mux_internal.h"

/* The peer broke the rules: it is told so, and that is the end. */
static void break_off(struct mux *m, const char *why)
{
	struct yamux_frame bye = { .type = YAMUX_GO_AWAY,
		.length = YAMUX_BYE_PROTOCOL };

	count(m->all->loop->counters, mux_errors);
	mux_say(m, &bye);
	mux_end(m, -EPROTO, why, MUX_POLITELY);
}

static void refuse(struct mux *m, uint32_t id)
{
	struct yamux_frame no = {
		.type = YAMUX_CREDIT, .flags = YAMUX_RST, .id = id
	};

	count(m->all->loop->counters, mux_streams_refused);
	mux_say(m, &no);
}

/* Client ids are odd; who opens streams is the client. */
static bool is_of_peer(const struct mux *m, uint32_t id)
{
	return id != 0 && (id % 2 == 1) == (m->all->accepted != NULL);
}

static void incoming(struct mux *m, uint32_t id)
{
	struct mux_stream *s = NULL;

	if (mux_table_find(&m->table, id)) {
		break_off(m, "the peer opened a stream that is open");
		return;
	}
	if (!is_of_peer(m, id)) {
		break_off(m, "the peer opened a stream with an id of ours");
		return;
	}
	if (m->all->accepted && m->unaccepted < YAMUX_BACKLOG &&
		m->table.count < m->all->streams_max)
		s = mux_stream_make(m, id, MUX_STREAM_OPEN);
	if (!s) {
		refuse(m, id);
		return;
	}
	m->unaccepted++;
	mux_stream_owe(s, MUX_OWES_ACK);
	m->all->accepted(m, &s->stream);
}

/* More bytes may be sent. */
static void credit(struct mux_stream *s, uint32_t delta)
{
	if (delta > UINT32_MAX - s->may_send)
		s->may_send = UINT32_MAX;
	else
		s->may_send += delta;
	mux_stream_turn(s);
}

/* A frame of a stream that is open; its SYN is done with. */
static void stream_frame(
	struct mux *m, struct mux_stream *s, const struct yamux_frame *f)
{
	bool data = f->type == YAMUX_DATA && f->length > 0;

	if (data && !yamux_window_take(&s->window, f->length)) {
		break_off(m, "the peer sent more than it was granted");
		return;
	}
	if (f->flags & YAMUX_FIN && s->in_end != 1) {
		break_off(m, "the peer ended a stream twice");
		return;
	}
	/* frp's end forgets the ACK of a stream that we have ended already. */
	if (s->state == MUX_STREAM_ASKED)
		mux_stream_set_state(s, MUX_STREAM_OPEN);
	if (f->flags & YAMUX_RST) {
		mux_stream_cut(s, 0, true);
		return;
	}
	if (f->type == YAMUX_CREDIT)
		credit(s, f->length);
	/* What comes after its end is thrown away. */
	if (data && s->in_end == 1) {
		m->payload = s;
		m->payload_last = f->flags & YAMUX_FIN;
	} else if (f->flags & YAMUX_FIN) {
		mux_stream_ended(s);
	}
}

static void ping(struct mux *m, const struct yamux_frame *f)
{
	struct yamux_frame pong = {
		.type = YAMUX_PING, .flags = YAMUX_ACK, .length = f->length
	};

	if (f->flags & YAMUX_SYN)
		mux_say(m, &pong);
	else if (m->pinging && f->length == m->ping_id)
		mux_answered(m);
}

static void go_away(struct mux *m, const struct yamux_frame *f)
{
	if (f->length == YAMUX_BYE_NORMAL)
		m->peer_leaves = true;
	else
		mux_end(m, -EPROTO,
			f->length == YAMUX_BYE_PROTOCOL
				? "the peer says that we broke the rules"
				: "the peer had to go away",
			MUX_POLITELY);
}

static void take_frame(struct mux *m, const struct yamux_frame *f)
{
	struct mux_stream *s;

	if (f->type == YAMUX_PING) {
		ping(m, f);
		return;
	}
	if (f->type == YAMUX_GO_AWAY) {
		go_away(m, f);
		return;
	}
	m->payload = NULL;
	if (f->flags & YAMUX_SYN)
		incoming(m, f->id);
	s = mux_table_find(&m->table, f->id);
	/* The peer cannot know of one whose SYN has not gone. */
	if (s && s->state >= MUX_STREAM_ASKED && m->state == MUX_OPEN)
		stream_frame(m, s, f);
}

/* Whether a frame with bytes of the stream, and nothing else, begins here. */
static bool goes_on(const struct mux_stream *s, const uint8_t *at, uint32_t n)
{
	struct yamux_frame f;

	return n >= YAMUX_HEADER && yamux_decode(&f, at) == 0 &&
	       f.type == YAMUX_DATA && f.flags == 0 && f.id == s->id &&
	       f.length <= s->window.credit;
}

/*
 * The first *n_io bytes are payload, and so are those of the frames that
 * follow, as far as they are of the same stream: they move up behind the
 * first. Returns how many bytes of headers lie behind them then.
 */
static uint32_t gather(struct mux *m, struct chunk *k, uint32_t *n_io)
{
	struct mux_stream *s = m->payload;
	uint32_t out = (uint32_t)k->from + *n_io, in = out, n;
	struct yamux_frame f;

	while (m->in.left == 0 && !m->payload_last &&
		goes_on(s, k->data + in, k->to - in)) {
		n = YAMUX_HEADER;
		if (yamux_parse(&m->in, k->data + in, &n, &f) != YAMUX_FRAME ||
			!yamux_window_take(&s->window, f.length))
			never_reached(); /* as goes_on has said */
		in += n;
		n = k->to - in < f.length ? k->to - in : f.length;
		m->in.left -= n;
		memmove(k->data + out, k->data + in, n);
		in += n;
		out += n;
	}
	*n_io = out - (uint32_t)k->from;
	return in - out;
}

/*
 * Hand n bytes to whoever is reading, and forget the `gap` behind them;
 * returns what is left of the chunk.
 */
static struct chunk *deliver(
	struct mux_stream *s, struct chunk *k, uint32_t n, uint32_t gap)
{
	struct mux *m = s->mux;
	struct chunk *part = mux_split(s, &k, n, gap);

	if (!part) {
		mux_end(m, -ENOMEM, "no memory for what has come", MUX_AT_ONCE);
		return k;
	}
	s->stream.ending = m->payload_last && m->in.left == 0;
	stream_received(&s->stream, part, (int)n);
	mux_stream_drained(s);
	return k;
}

/* The first n bytes are payload; returns what is left of the chunk. */
static struct chunk *take_payload(struct mux *m, struct chunk *k, uint32_t n)
{
	struct mux_stream *s = m->payload;

	if (s && !s->stream.closing) {
		uint32_t gap = gather(m, k, &n);

		k = s->stream.reading ? deliver(s, k, n, gap)
				      : mux_hold(s, k, n, gap);
	} else {
		k->from += (int32_t)n;
	}
	/* Unless it was cut meanwhile. */
	if (m->in.left == 0 && m->payload_last && m->payload)
		mux_stream_ended(m->payload);
	return k;
}

static void take_chunk(struct mux *m, struct chunk *k)
{
	while (k && chunk_length(k) > 0 && m->state == MUX_OPEN) {
		uint32_t n = chunk_length(k);
		struct yamux_frame f;
		int step = yamux_parse(&m->in, chunk_bytes(k), &n, &f);

		if (step < 0) {
			count(m->all->loop->counters, mux_errors);
			mux_end(m, step, "the peer does not speak yamux",
				MUX_POLITELY);
		} else if (step == YAMUX_PAYLOAD) {
			k = take_payload(m, k, n);
		} else {
			k->from += (int32_t)n;
			if (step == YAMUX_FRAME)
				take_frame(m, &f);
		}
	}
	chunk_give(k);
}

static void take(struct mux *m, struct chunk *k, int result)
{
	if (!k) {
		mux_lost(m, result);
		return;
	}
	m->heard = m->all->loop->now;
	take_chunk(m, k);
}

void mux_read(struct mux *m)
{
	struct chunk *k;

	while (m->state == MUX_OPEN) {
		int n;

		m->below->gulp = STREAM_BULK;
		n = stream_take(m->below, &k);
		if (n == -EAGAIN) {
			stream_read(m->below, &m->reader);
			return;
		}
		take(m, k, n);
	}
}

void mux_received(struct stream_reader *r, struct chunk *k, int result)
{
	struct mux *m = container_of(r, struct mux, reader);

	mux_enter(m);
	if (m->state == MUX_OPEN)
		take(m, k, result);
	else
		chunk_give(k);
	mux_read(m);
	mux_leave(m);
}
