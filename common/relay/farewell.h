/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A farewell is what remains of a connection whose owner is done with it: the
 * last bytes are sent, our direction is ended, what the peer still sends is
 * drained, and the stream is closed, all within FAREWELL_TIME. So an error
 * answer arrives even at a peer that is still talking.
 */

#ifndef ADIT_RELAY_FAREWELL_H
#define ADIT_RELAY_FAREWELL_H

#include "common/base/list.h"
#include "common/relay/stream.h"

#define FAREWELL_TIME (5 * CLOCK_SECOND)

/* All farewells of a thread. */
struct farewells {
	struct list list;
	uint32_t count;
};

void farewells_init(struct farewells *fs);

/*
 * Take over the stream, which nobody reads any more, with a write perhaps
 * still running, and the chunks to send after it.
 */
void farewell_begin(
	struct farewells *fs, struct stream *s, struct chunk_queue *last_words);

/* Cut all of them short. */
void farewells_cut(struct farewells *fs);

#endif
