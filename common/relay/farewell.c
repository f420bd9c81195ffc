/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/farewell.h"

#include "common/base/socket.h"
#include "common/event/loop.h"
#include "common/relay/drain.h"
#include "common/relay/raw_stream.h"

struct farewell {
	struct list link;
	struct farewells *all;
	struct stream *stream;
	struct stream_writer writer;
	struct chunk_queue queue;
	struct drain drain;
	struct timer timer;
};

void farewells_init(struct farewells *fs)
{
	*fs = (struct farewells){ .count = 0 };
	list_init(&fs->list);
}

static void farewell_end(struct farewell *f, bool cut)
{
	list_remove(&f->link);
	f->all->count--;
	loop_cancel_timer(f->stream->loop, &f->timer);
	drain_stop(&f->drain);
	chunk_queue_clear(&f->queue);
	stream_close(&f->stream, cut);
	free(f);
}

static void farewell_late(struct timer *t)
{
	struct farewell *f = container_of(t, struct farewell, timer);

	/* All was sent, unless the peer takes nothing: then it is a cut. */
	farewell_end(f, !f->stream->finished);
}

static void farewell_drained(struct drain *d, int result)
{
	(void)result;
	farewell_end(container_of(d, struct farewell, drain), false);
}

/* Send the next chunk, or end our direction and wait for the peer's end. */
static void farewell_turn(struct farewell *f)
{
	struct chunk *c;

	if (stream_is_writing(f->stream))
		return;
	c = chunk_queue_pop(&f->queue);
	if (c)
		stream_write(f->stream, c, false, &f->writer);
	else if (stream_finish(f->stream) < 0)
		farewell_end(f, true);
	else
		drain_start(&f->drain, f->stream, farewell_drained);
}

static void farewell_sent(struct stream_writer *w, struct chunk *c, int result)
{
	struct farewell *f = container_of(w, struct farewell, writer);

	chunk_give(c);
	if (result < 0)
		farewell_end(f, true);
	else
		farewell_turn(f);
}

static void farewell_speak(
	struct farewells *fs, struct stream *s, struct chunk_queue *last_words)
{
	struct farewell *f = calloc(1, sizeof(*f));

	if (!f) {
		chunk_queue_clear(last_words);
		stream_close(&s, true);
		return;
	}
	f->all = fs;
	f->stream = s;
	f->queue = *last_words;
	*last_words = (struct chunk_queue){ 0 };
	f->writer.sent = farewell_sent;
	list_append(&fs->list, &f->link);
	fs->count++;
	loop_set_timer(s->loop, &f->timer, FAREWELL_TIME, farewell_late);
	if (stream_is_writing(s))
		stream_follow_writing(s, &f->writer);
	else
		farewell_turn(f);
}

/* --- those that are put aside --- */

static struct stream *take_first(struct farewells *fs)
{
	fs->count--;
	return fs->aside[fs->first++ % FAREWELL_ASIDE_MAX];
}

/*
 * Has the first one's peer ended? Else it is drained from now on. Of one that
 * is over nothing is left to be cut: that spares the question of how it ends.
 */
static void look(struct farewells *fs)
{
	struct chunk_queue nothing = { 0 };
	struct stream *s = take_first(fs);

	if (socket_is_over(stream_descriptor(s)))
		stream_close(&s, true);
	else
		farewell_speak(fs, s, &nothing);
}

static void round_ends(struct timer *t)
{
	struct farewells *fs = container_of(t, struct farewells, round);

	while (fs->first != fs->young)
		look(fs);
	fs->young = fs->next;
	if (fs->first != fs->next)
		loop_set_timer(fs->aside[fs->first % FAREWELL_ASIDE_MAX]->loop,
			t, FAREWELL_ASIDE, round_ends);
}

static void put_aside(struct farewells *fs, struct stream *s)
{
	if (stream_finish(s) < 0) {
		stream_close(&s, true);
		return;
	}
	if (fs->next - fs->first == FAREWELL_ASIDE_MAX) {
		if (fs->young == fs->first)
			fs->young++;
		look(fs);
	}
	if (!timer_is_set(&fs->round))
		loop_set_timer(s->loop, &fs->round, FAREWELL_ASIDE, round_ends);
	fs->aside[fs->next++ % FAREWELL_ASIDE_MAX] = s;
	fs->count++;
}

void farewell_begin(
	struct farewells *fs, struct stream *s, struct chunk_queue *last_words)
{
	if (!last_words->head && raw_stream_can_move(s))
		put_aside(fs, s);
	else
		farewell_speak(fs, s, last_words);
}

bool farewells_finish(struct farewells *fs, bool gently)
{
	while (fs->first != fs->next) {
		struct stream *s = take_first(fs);

		loop_cancel_timer(s->loop, &fs->round);
		stream_close(&s, !gently);
	}
	fs->young = fs->next;
	list_each_safe (l, &fs->list) {
		struct farewell *f = container_of(l, struct farewell, link);

		if (!gently || f->stream->finished)
			farewell_end(f, !gently);
	}
	return fs->count == 0;
}
