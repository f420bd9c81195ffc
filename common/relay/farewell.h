/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A farewell is what remains of a connection whose owner is done with it: the
 * last bytes are sent, our direction is ended, what the peer still sends is
 * drained, and the stream is closed, all within FAREWELL_TIME. So an error
 * answer arrives even at a peer that is still talking (RFC 9112, section 9.6).
 *
 * Most peers end as soon as they are told the end. So a socket on which all
 * is said and nothing in flight is put aside: nobody waits for its peer, and
 * after a while it is looked at, once. Only one whose peer is still there then
 * is drained, for FAREWELL_TIME.
 */

#ifndef ADIT_RELAY_FAREWELL_H
#define ADIT_RELAY_FAREWELL_H

#include "common/base/list.h"
#include "common/base/timer.h"
#include "common/relay/stream.h"

#define FAREWELL_TIME (5 * CLOCK_SECOND)

/* How long one is put aside: so long, up to the double. */
#define FAREWELL_ASIDE (20 * CLOCK_MS)

/* So many at most; a power of two. One more, and the first is looked at. */
#define FAREWELL_ASIDE_MAX 128

/* All farewells of a thread. */
struct farewells {
	struct list list; /* those that speak, or drain */
	uint32_t count;   /* of all */
	struct stream *aside[FAREWELL_ASIDE_MAX]; /* a ring */
	uint32_t first, next;                     /* of them, modulo 2^32 */
	uint32_t young; /* the first that waits one more round */
	struct timer round;
};

void farewells_init(struct farewells *fs);

/*
 * Take over the stream, which nobody reads any more, with a write perhaps
 * still running, and the chunks to send after it.
 */
void farewell_begin(
	struct farewells *fs, struct stream *s, struct chunk_queue *last_words);

/*
 * The thread ends, and nobody is drained any more. Gently: on whom all is said
 * the kernel goes on sending it, and others have the rest of their time. Else
 * all are cut. True when none is left; else ask again, after a turn.
 */
bool farewells_finish(struct farewells *fs, bool gently) must_check;

#endif
