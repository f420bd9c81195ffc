/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An operation is one thing asked of the kernel: accept, receive, send or
 * wait for readiness. It is embedded in its owner, in flight from the call
 * that starts it until its last callback begins, and its owner may be freed
 * only when it is idle. One operation, one purpose: an owner that receives and
 * sends at once has two. All functions belong to the loop's thread.
 */

#ifndef ADIT_EVENT_OPERATION_H
#define ADIT_EVENT_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event/chunk.h"

struct loop;
struct op;

/*
 * An operation has come to a result: >= 0, or -errno (-ECANCELED after
 * op_cancel, unless the kernel was faster). Called from the loop, never from
 * inside the call that starts or cancels.
 */
typedef void op_fn(struct op *op, int result);

enum op_state {
	/* Not in flight: zeroed, or in its last callback. Next: FLYING. */
	OP_IDLE,
	/* Started; the callback is to come. Next: IDLE, CANCELLED. */
	OP_FLYING,
	/* op_cancel was called; the callback is to come. Next: IDLE. */
	OP_CANCELLED,
};

enum op_kind {
	OP_ACCEPT,
	OP_RECV,
	OP_SEND,
	OP_POLL
};

struct op {
	op_fn *done;
	struct chunk *chunk; /* a receive's bytes, for its callback to take */
	uint32_t slot;       /* the backend's, while in flight */
	uint8_t state;       /* enum op_state, set by the loop only */
	uint8_t kind;        /* enum op_kind */
	/* The last receive emptied the socket: wait for more before trying. */
	uint8_t drained;
	/* The end of the stream has come, too, and is told of next. */
	uint8_t ending;
};

static inline bool op_in_flight(const struct op *op)
{
	return op->state != OP_IDLE;
}

/*
 * Accept connections on the listening socket: one callback each with the new
 * descriptor (non-blocking, close-on-exec), until a failure or a cancel, after
 * which the operation is idle (op_in_flight tells, inside the callback).
 */
void op_accept(struct loop *l, struct op *op, int fd, op_fn *done);

/*
 * Receive once. The callback finds 1 or more bytes in op->chunk, which is its
 * to keep; or 0 at the end of the stream; or -errno. No buffer is held while
 * nothing arrives; without a free buffer the operation waits for one.
 */
void op_recv(struct loop *l, struct op *op, int fd, op_fn *done);

/*
 * Receive again and again: one callback each, until the end of the stream, a
 * failure, a cancel, or as soon as the backend likes, after which the
 * operation is idle (op_in_flight tells, inside the callback).
 */
void op_recv_many(struct loop *l, struct op *op, int fd, op_fn *done);

/*
 * Send up to `size` bytes at `data`, which must stay valid and unchanged until
 * the callback; its result counts the bytes that were taken (1 to size).
 * `more`: further bytes follow at once (MSG_MORE, send(2)).
 */
void op_send(struct loop *l, struct op *op, int fd, const void *data,
	uint32_t size, bool more, op_fn *done);

/*
 * Wait once for readiness (poll(2) events; POLLERR and POLLHUP are implied);
 * the result is the set of events.
 */
void op_poll(
	struct loop *l, struct op *op, int fd, uint32_t events, op_fn *done);

/* Ask for an early end; the callback still comes. Idle: no effect. */
void op_cancel(struct loop *l, struct op *op);

/*
 * What is in flight on `from`, a receive or a wait, goes on on the idle `to`,
 * and `done` is called there; `from` is idle, and its owner may be freed.
 * Nothing in flight: no effect.
 */
void op_move(struct loop *l, struct op *from, struct op *to, op_fn *done);

#endif
