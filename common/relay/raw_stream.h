/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The stream that is a TCP socket and nothing else.
 */

#ifndef ADIT_RELAY_RAW_STREAM_H
#define ADIT_RELAY_RAW_STREAM_H

#include "common/base/pool.h"
#include "common/event/operation.h"
#include "common/relay/stream.h"

struct raw_stream {
	struct stream stream;
	struct op recv, send;
	struct pool *home;
	struct stream_reader *still; /* of raw_stream_still; NULL: none */
	int fd;
	uint32_t received; /* bytes, modulo 2^32 */
	uint8_t ahead;     /* chunks that came and nobody had asked for */
	bool bulk;         /* the last chunk was full, or large */
	bool cut;
	bool doubtful; /* a send may have met with a reset: see raw_end */
};

/* What is left of such a stream while it is nobody's. */
struct raw_rest {
	struct op recv; /* in flight, or idle */
	int fd;
	uint32_t received;
};

/*
 * A stream over the connected socket, which it owns from now on; from the
 * pool, whose objects are of sizeof(struct raw_stream). NULL when the pool is
 * exhausted: the descriptor is closed then. While it is open, the death of
 * this process cuts the connection (socket_set_abort).
 */
struct stream *raw_stream_open(
	struct pool *home, struct loop *l, int fd) must_check;

/*
 * Take such a stream apart: nobody reads or writes, nothing is unread and no
 * send is in flight. A receive or a wait may be: it goes on, on r->recv, and
 * `stirred` is called there. The descriptor is the caller's. With nothing in
 * flight the rest may go to another thread.
 */
void raw_stream_rest(struct stream **s, struct raw_rest *r, op_fn *stirred);

/* Whether it can be taken apart now; a receive is in flight. */
bool raw_stream_can_rest(const struct stream *s);

/* The same, with nothing in flight. */
bool raw_stream_can_move(const struct stream *s);

/*
 * The stream again, from the pool; the rest is empty then, and its fd -1. NULL
 * when the pool is exhausted: nothing has happened.
 */
struct stream *raw_stream_wake(
	struct pool *home, struct loop *l, struct raw_rest *r) must_check;

/*
 * Nobody reads or writes such a stream, and it is to be taken apart with
 * nothing in flight. True: it is so. False: a receive is being stopped; what
 * still comes is unread, or the end, and then the reader is called, with NULL
 * and 1, unless the stream was closed, or asked to read, before.
 */
bool raw_stream_still(struct stream *s, struct stream_reader *r) must_check;

/* From inside `stirred`, after raw_stream_wake: its result. */
void raw_stream_stir(struct stream *s, int result);

#endif
