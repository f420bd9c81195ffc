/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A connection's layers: a raw stream and up to STACK_LAYERS layers over it,
 * taken apart and put together again, here or on another thread.
 */

#ifndef ADIT_RELAY_STACK_H
#define ADIT_RELAY_STACK_H

#include "common/base/transform.h"
#include "common/relay/raw_stream.h"

#define STACK_LAYERS 4

/* What is left of such a stream while it is nobody's. */
struct stack_rest {
	struct raw_rest socket;
	struct transform *layers[STACK_LAYERS]; /* owned; the lowest first */
	uint8_t count;
};

/*
 * Whether it can be taken apart now: nothing is unread, being written or half
 * opened in any layer, nobody has ended, no handshake goes on. _rest: with a
 * receive in flight, for a `stirred` on this thread; _move: with none.
 */
bool stack_can_rest(const struct stream *s);
bool stack_can_move(const struct stream *s);

/* Take it apart; else as raw_stream_rest. */
void stack_rest(struct stream **s, struct stack_rest *r, op_fn *stirred);

/*
 * The stream again, from pools of struct raw_stream and of struct layer; the
 * rest is empty then. NULL when one is exhausted: the rest is as it was, or
 * all was closed and freed and it is empty; stack_discard suits both.
 */
struct stream *stack_wake(struct pool *streams, struct pool *layers,
	struct loop *l, struct stack_rest *r) must_check;

/* From inside `stirred`, after stack_wake: its result. */
void stack_stir(struct stream *s, int result);

/* Close and free what is left, with nothing in flight. */
void stack_discard(struct stack_rest *r);

#endif
