/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Raw streams over the scripted backend: each has a real descriptor, one end
 * of a socket pair, so that ends and cuts can be seen at the other end, and
 * moves its bytes by the script.
 */

#ifndef ADIT_TESTS_DOUBLE_STREAMS_H
#define ADIT_TESTS_DOUBLE_STREAMS_H

#include "common/relay/raw_stream.h"
#include "tests/double/script.h"

struct end {
	struct stream *stream;
	int fd;   /* the stream's */
	int peer; /* the other end of the pair */
};

/* The world of a test: a loop with 16 chunks, a pool of streams. */
extern struct loop *world_loop;
extern struct pool *world_streams;
extern struct counters world_counters;

void world_begin(void);

/* Fails the test if an operation, a stream or a chunk is left. */
void world_end(void);

/* A stream on one end of a new pair. */
struct end end_open(void);

/* Whether the stream's side was shut down: the peer reads the end. */
bool end_is_finished(const struct end *e);

/* A send in flight takes n bytes; false: none is. */
bool end_take(const struct end *e, int n);

/* Bytes arrive, or the end (NULL, 0) or an error (NULL, -errno), for a receive
 * or, in reality, for a wait. */
void end_feed(const struct end *e, const void *bytes, int size);

/* Whether the stream is receiving. */
bool end_reads(const struct end *e);

#endif
