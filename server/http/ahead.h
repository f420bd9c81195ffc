/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a visitor sends while its request is being answered is read ahead, by
 * one buffer, and kept for the next request: so its going is noticed. One that
 * has said more is not read any more, but looked at, whether it was reset.
 * Sources: RFC 9112, sections 9.3.2, 9.5.
 */

#ifndef ADIT_SERVER_HTTP_AHEAD_H
#define ADIT_SERVER_HTTP_AHEAD_H

#include "common/base/timer.h"
#include "common/event/chunk.h"
#include "common/relay/stream.h"

/*
 * One that waits for its last answer sends nothing more, as a rule, and goes
 * with the answer: it is looked at when that has not come so soon.
 */
#define AHEAD_PATIENCE (100 * CLOCK_MS)

/* How often one that has said too much is looked at. */
#define AHEAD_LOOK CLOCK_SECOND

/* All zero: nobody is looked at. */
struct ahead {
	struct stream *visitor;
	struct stream_reader reader;
	struct chunk_queue said; /* two chunks at most */
	/*
	 * It was reset (result < 0), or has ended its side and said nothing
	 * more (0). Called once, perhaps before ahead_begin returns.
	 */
	void (*gone)(struct ahead *a, int result);
	struct timer later; /* before it is looked at, or looked at again */
};

/*
 * Look at the visitor, whom nobody reads, until ahead_stop; if `last`, from
 * AHEAD_PATIENCE on.
 */
void ahead_begin(struct ahead *a, struct stream *visitor, bool last,
	void (*gone)(struct ahead *a, int result));

/* What it has said is the stream's again. Nobody looked: no effect. */
void ahead_stop(struct ahead *a);

#endif
