/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pipe that splice(2) moves bytes through, from a socket into it and from
 * it into another, without their passing through user space. A loop's pipes
 * are made on first use and kept, few of them, since a pipe is taken for one
 * move and given back empty; only while the second socket takes no more does
 * it stay with its holder, who is told when that lasts too long. One thread.
 */

#ifndef ADIT_EVENT_PIPE_H
#define ADIT_EVENT_PIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/event/chunk.h"

struct loop;
struct pipe_pool;

/* How long a pipe may be held with bytes in it before its holder is told. */
#define PIPE_PATIENCE (50 * CLOCK_MS)

struct pipe {
	struct pipe *next; /* of the free ones */
	struct pipe_pool *pool;
	struct list link; /* of the held ones */
	int64_t since;    /* when it was held, clock.h */
	void (*overdue)(struct pipe *p);
	void *holder; /* for `overdue` */
	uint32_t bytes;
	int in, out; /* its ends: to write, to read */
};

/*
 * Up to `count` pipes (0: none) of `size` bytes for the loop, which outlives
 * them. NULL without memory.
 */
struct pipe_pool *pipe_pool_create(
	struct loop *l, uint32_t count, uint32_t size) must_check;

/* No pipe may be in use. NULL is accepted. */
void pipe_pool_destroy(struct pipe_pool **p);

/* Pipes that are in use, and the bytes that one can hold. */
uint32_t pipe_pool_used(const struct pipe_pool *p);
uint32_t pipe_pool_size(const struct pipe_pool *p);

/*
 * An empty pipe; NULL: all are in use, or the system allows no more (EMFILE,
 * pipe-user-pages-soft of pipe(7)): the caller copies then.
 */
struct pipe *pipe_take(struct pipe_pool *p) must_check;

/* Give it back; bytes inside are lost with it. NULL is accepted. */
void pipe_give(struct pipe *p);

/*
 * The bytes inside stay for longer than this turn: `overdue` is called each
 * time that PIPE_PATIENCE has passed, until the pipe is given back.
 */
void pipe_hold(struct pipe *p, void (*overdue)(struct pipe *p), void *holder);

/*
 * Move up to `max` bytes from the socket into the empty pipe, or what is in
 * the pipe into the socket (`more`: further bytes follow at once), without
 * waiting. How many; 0 at the end of the stream; or -errno.
 */
ssize_t pipe_fill(struct pipe *p, int fd, uint32_t max) must_check;
ssize_t pipe_drain(struct pipe *p, int fd, bool more) must_check;

/* Copy what fits from the pipe to the end of the chunk; how much. */
uint32_t pipe_spill(struct pipe *p, struct chunk *c);

#endif
