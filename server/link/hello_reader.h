/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A ClientHello that comes in pieces. Most come as one and are read where they
 * lie; only of an incomplete one the bytes are kept, and how far it was read.
 * What was taken is given back untouched, for whoever speaks TLS.
 */

#ifndef ADIT_SERVER_LINK_HELLO_READER_H
#define ADIT_SERVER_LINK_HELLO_READER_H

#include "common/event/chunk.h"
#include "common/wire/client_hello.h"

struct hello_pieces;

/* All zero: nothing has come yet. */
struct hello_reader {
	struct hello_pieces *pieces; /* NULL: nothing is kept; owned */
};

/*
 * The next bytes of a connection, from its first one on; the chunk is taken.
 * A verdict (client_hello.h), or -ENOMEM. COMPLETE: what it says is in
 * *hello_r, all that has come, what is behind it too, is the chunk *all_r, the
 * caller's, and nothing is kept. PARTIAL: more is needed. Else it is over.
 */
int hello_reader_take(struct hello_reader *r, struct chunk *c,
	struct client_hello *hello_r, struct chunk **all_r) must_check;

/* Whether a part of one is kept. */
static inline bool hello_reader_began(const struct hello_reader *r)
{
	return r->pieces;
}

/* Bytes that are kept. */
uint32_t hello_reader_kept(const struct hello_reader *r) must_check;

/* What is kept, the caller's chunk from now on; NULL: nothing. */
struct chunk *hello_reader_give_back(struct hello_reader *r) must_check;

/* Free what is kept. */
void hello_reader_clear(struct hello_reader *r);

#endif
