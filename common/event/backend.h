/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The door between the loop and what carries its operations out. Included by
 * loop.c, the backends and those who choose one; nothing else above event/
 * knows which one runs.
 */

#ifndef ADIT_EVENT_BACKEND_H
#define ADIT_EVENT_BACKEND_H

#include "common/base/backend_choice.h"
#include "common/event/loop.h"

/* The slot of an operation whose backend knows it no more. */
#define NO_SLOT UINT32_MAX

/* What an operation is started with; the fields that its kind needs. */
struct op_args {
	int fd;
	const void *data;
	uint32_t size;
	uint32_t events;
	bool more; /* send: MSG_MORE; receive: again and again */
};

struct backend {
	const char *name;

	/* Make and destroy l->state; 0 or -errno. */
	int (*create)(struct loop *l, const struct loop_params *params);
	void (*destroy)(struct loop *l);

	/* The calling thread runs the loop from now on; 0 or -errno. */
	int (*enter)(struct loop *l);

	/*
	 * Start an idle operation, or ask for the end of one in flight. A send
	 * may be over at once, with a row in l->ended.
	 */
	void (*start)(struct loop *l, struct op *op, const struct op_args *a);
	void (*cancel)(struct loop *l, struct op *op);

	/* What was in flight on `from` is `to`'s, which is a copy of it. */
	void (*move)(struct loop *l, const struct op *from, struct op *to);

	/*
	 * No operation is in flight on the descriptor, and its number may be
	 * another one's from now on: it is closed, or, if `open`, goes to
	 * another loop. NULL: nothing is remembered.
	 */
	void (*forget)(struct loop *l, int fd, bool open);

	/*
	 * Submit what was started, wait until something has completed or
	 * `timeout` ns have passed (INT64_MAX: for ever), and write what has
	 * completed to l->batch. Returns how many.
	 */
	int (*wait)(struct loop *l, int64_t timeout);

	/*
	 * Whether more has completed than the last wait told of: buffers that
	 * are lent may hold bytes of it. NULL: never.
	 */
	bool (*is_behind)(const struct loop *l);

	/* A test's own time. NULL: clock_now(). */
	int64_t (*now)(const struct loop *l);
};

/* io_uring(7), Linux 6.1 or later. */
extern const struct backend backend_ring;

/* What an operator can do about a failed set-up of backend_ring. */
const char *backend_ring_hint(int error);

/* epoll(7), for where io_uring is refused. */
extern const struct backend backend_epoll;

/*
 * The backend for that. `*error_r`: 0, or why BACKEND_AUTO is not io_uring, as
 * -errno; NULL: nobody asks.
 */
const struct backend *backend_choose(enum backend_choice choice, int *error_r);

#endif
