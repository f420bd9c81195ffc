/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the files of a mux know of one another: mux.c (its life), mux_in.c
 * (frames that come), mux_out.c (frames that go), mux_stream.c (one stream),
 * mux_hold.c (bytes that nobody has read yet). Every call from outside is
 * between mux_enter and mux_leave: a stream or a mux that is done is freed by
 * the last mux_leave, so that pointers stay valid while callbacks run.
 */

#ifndef ADIT_RELAY_MUX_INTERNAL_H
#define ADIT_RELAY_MUX_INTERNAL_H

#include "common/relay/mux.h"

/* mux_stream.owed */
enum mux_owed {
	MUX_OWES_SYN = 1,
	MUX_OWES_ACK = 2,
	MUX_OWES_CREDIT = 4, /* a grant, if one is still due */
	MUX_OWES_FIN = 8,
	MUX_OWES_RST = 16, /* and nothing else then */
};

static inline struct mux_stream *mux_stream_of(struct stream *s)
{
	return container_of(s, struct mux_stream, stream);
}

/* --- mux.c --- */

void mux_enter(struct mux *m);
void mux_leave(struct mux *m);

/* How a mux ends. */
enum mux_how {
	MUX_POLITELY, /* what is due still goes out */
	MUX_AT_ONCE,
};

/*
 * It ends, as `ended` will say; the first cause counts. No callback but later
 * ones, from the loop.
 */
void mux_end(struct mux *m, int result, const char *why, enum mux_how how);

/* The connection has ended, or failed: 0 or -errno. */
void mux_lost(struct mux *m, int result);

/* It has nothing to send any more, or cannot. */
void mux_gone(struct mux *m, bool cut);

/* See to mux->failing, from the loop. */
void mux_soon(struct mux *m);

/* The peer has answered the ping. */
void mux_answered(struct mux *m);

/* Set the timers for what waits for the peer. */
void mux_watch(struct mux *m);

/* --- mux_in.c --- */

/* Read on; called once, at the beginning. */
void mux_read(struct mux *m);

void mux_received(struct stream_reader *r, struct chunk *k, int result);

/* --- mux_out.c --- */

/* A frame without payload that belongs to no stream. */
void mux_say(struct mux *m, const struct yamux_frame *f);

/* Hand the connection what is due, if it can take it. */
void mux_push(struct mux *m);

void mux_sent(struct stream_writer *w, struct chunk *k, int result);

/* --- mux_stream.c --- */

/* A stream in the table; NULL: the pool is exhausted. */
struct mux_stream *mux_stream_make(
	struct mux *m, uint32_t id, enum mux_stream_state state) must_check;

void mux_stream_set_state(struct mux_stream *s, enum mux_stream_state state);

/* It is to send these frames. */
void mux_stream_owe(struct mux_stream *s, unsigned owed);

/* Whether it is to send bytes may have changed. */
void mux_stream_turn(struct mux_stream *s);

/* Bytes were read: see whether a grant is due. */
void mux_stream_drained(struct mux_stream *s);

/* The peer has ended its direction. */
void mux_stream_ended(struct mux_stream *s);

/*
 * It is cut, with nothing but `owed` to be sent still, and whoever reads or
 * writes it hears so. What was not read stays, or is dropped.
 */
void mux_stream_cut(struct mux_stream *s, unsigned owed, bool drop);

/* Free it if it is done. */
void mux_stream_settle(struct mux_stream *s);

/* --- mux_hold.c --- */

/*
 * The first n bytes of the chunk wait to be read, copied or in the chunk.
 * Returns the rest behind a gap of so many bytes, NULL if there is none;
 * without memory the mux ends.
 */
struct chunk *mux_hold(struct mux_stream *s, struct chunk *k, uint32_t n,
	uint32_t gap) must_check;

/* The first chunk that waits; NULL: none. */
struct chunk *mux_release(struct mux_stream *s) must_check;

/* Drop all that wait. */
void mux_drop(struct mux_stream *s);

/*
 * The first n bytes of *k_io, as a chunk; *k_io becomes the rest behind the
 * gap, NULL if there is none. NULL without memory: *k_io is as before.
 */
struct chunk *mux_split(struct mux_stream *s, struct chunk **k_io, uint32_t n,
	uint32_t gap) must_check;

#endif
