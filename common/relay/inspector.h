/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An inspector looks at the bytes that a pump moves, and says what becomes of
 * them: which go on, which do not, what is put in between, and where a message
 * ends. What it lets run it does not see; that may be spliced.
 */

#ifndef ADIT_RELAY_INSPECTOR_H
#define ADIT_RELAY_INSPECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event/chunk.h"

/*
 * Looks at the bytes that pass and says what becomes of the first of them;
 * called again for the rest.
 */
enum inspect_verdict {
	INSPECT_PASS, /* `count` bytes of the span go on */
	INSPECT_RUN,  /* so do the next `count` bytes, seen or still to come */
	INSPECT_DROP, /* `count` bytes of the span go nowhere */
	INSPECT_DONE, /* the message has ended before this span */
	INSPECT_BAD,  /* the message is malformed */
	INSPECT_QUIT, /* all goes on, and nobody is asked any more */
};

struct inspection {
	enum inspect_verdict verdict;
	uint64_t count;     /* at least 1 for PASS, RUN, DROP */
	const uint8_t *put; /* goes out behind those; the inspector's */
	uint32_t put_size;  /* not with RUN */
	bool last;          /* the message ends with them; not with RUN */
};

struct inspector {
	struct inspection (*step)(
		struct inspector *i, const uint8_t *bytes, uint32_t size);
};

/* What became of a chunk. */
enum inspected {
	INSPECTED_OPEN, /* it goes on, and so does the message */
	INSPECTED_END,  /* it goes on, and the message ends with it */
	INSPECTED_BAD,  /* malformed, or no memory; it stays the caller's */
};

/*
 * Let the inspector decide about the chunk, closing the gaps of what it drops;
 * another chunk takes its place where there is no gap for what it puts. The
 * pointer becomes NULL when the inspector quits; `run` is what is left of
 * INSPECT_RUN, zero at first. With END what came behind the message is in
 * *rest_r, the caller's now, or NULL.
 */
enum inspected inspector_look(struct inspector **i, uint64_t *run,
	struct chunk **c_io, struct chunk **rest_r) must_check;

#endif
