/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Chunks lent to the kernel: a ring of provided buffers, which receives take
 * from when bytes are there (io_uring_register_buf_ring(3)). Part of the
 * io_uring backend.
 */

#ifndef ADIT_EVENT_LENT_H
#define ADIT_EVENT_LENT_H

#include <liburing.h>

#include "common/event/chunk.h"

/* Chunks with the kernel at most: of 16 KiB, they are 2 MiB. */
#define LENT_MAX 128
#define LENT_GROUP 0

struct lent {
	struct io_uring_buf_ring *ring;
	struct chunk *chunks[LENT_MAX]; /* by buffer id; NULL: not lent */
	uint16_t free[LENT_MAX];        /* stack of unused buffer ids */
	uint32_t free_count;
};

/* Register a zeroed one with the ring; 0 or -errno. */
int lent_create(struct lent *l, struct io_uring *u) must_check;

/* The io_uring has ended: take back what it had. */
void lent_destroy(struct lent *l);

/*
 * Lend as many chunks as may be (chunk_pool_lendable); how many the kernel has
 * now.
 */
uint32_t lent_fill(struct lent *l, struct chunk_pool *chunks);

/* The chunk that came back with this receive, and the bytes in it. */
struct chunk *lent_claim(struct lent *l, const struct io_uring_cqe *cqe);

#endif
