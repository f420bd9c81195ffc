/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A drain reads from a stream and throws away: from a visitor that still
 * talks after its answer was decided. Without it, closing a socket with unread
 * bytes resets the connection, and the reset eats the answer (RFC 9112
 * section 9.6). It takes a bounded number of bytes, then leaves the rest to
 * the kernel's back-pressure.
 */

#ifndef ADIT_RELAY_DRAIN_H
#define ADIT_RELAY_DRAIN_H

#include "common/relay/stream.h"

#define DRAIN_MAX (256 * 1024)

struct drain {
	struct stream *source; /* NULL: not started, or stopped */
	struct stream_reader reader;
	uint32_t left;
	/* Once, from the loop or from drain_start: 0 at the end, or -errno. */
	void (*ended)(struct drain *d, int result);
};

/* Begin; nobody else reads the stream. */
void drain_start(struct drain *d, struct stream *source,
	void (*ended)(struct drain *d, int result));

/* Leave the stream; `ended` is not called. Not started: no effect. */
void drain_stop(struct drain *d);

#endif
