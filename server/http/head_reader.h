/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A head that comes in pieces. Most come as one and are parsed where they lie,
 * into a head that all share; only an incomplete one takes memory, for its
 * bytes and for how far the parser has come.
 */

#ifndef ADIT_SERVER_HTTP_HEAD_READER_H
#define ADIT_SERVER_HTTP_HEAD_READER_H

#include "common/event/chunk.h"
#include "common/http/head.h"

struct head_pieces;

/* All zero: nothing has come yet. */
struct head_reader {
	struct head_pieces *pieces; /* NULL: nothing is kept; owned */
};

/* A complete head and its bytes, valid until the reader is cleared. */
struct head_found {
	struct http_head *head;
	const uint8_t *data;
};

/*
 * The next bytes. 1: the head is complete, and the chunk begins behind it, at
 * the next message's first byte or at its own end. 0: more is needed, and -400,
 * -414, -431, -502, -503 (no memory), -505: it is refused; the chunk was taken.
 * `shared` is used for the time until the reader is cleared. `most`: what the
 * head may be.
 */
int head_reader_take(struct head_reader *r, struct chunk *c,
	struct http_head *shared, bool response, const struct head_limits *most,
	struct head_found *found_r) must_check;

/* Whether a part of a head is kept. */
static inline bool head_reader_began(const struct head_reader *r)
{
	return r->pieces;
}

/*
 * What is kept, as it came, in a chunk from the heap, the caller's; nothing is
 * kept any more. NULL: nothing was, or there is no memory.
 */
struct chunk *head_reader_give_back(struct head_reader *r) must_check;

/* Free what is kept: for the next head, or for good. */
void head_reader_clear(struct head_reader *r);

#endif
