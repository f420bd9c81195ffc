/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A loop drives one thread: operations through a backend, timers, chunks. A
 * turn submits what was started, waits, collects what has completed, and only
 * then runs the callbacks, so that nothing recurses.
 */

#ifndef ADIT_EVENT_LOOP_H
#define ADIT_EVENT_LOOP_H

#include "common/base/clock.h"
#include "common/base/counter.h"
#include "common/base/timer.h"
#include "common/event/operation.h"

struct backend;

/* Completions collected in one turn at most. */
#define LOOP_BATCH 512

/* What the layers of a connection may add to a chunk, all together. */
#define LOOP_SEAL 512

/*
 * Bulk that no pipe can take: bytes of a chunk of loop->bulk, and how many of
 * those a loop has. They are sixteen whole records of TLS.
 */
#define LOOP_BULK 262144
#define LOOP_BULK_CHUNKS 16

struct completion {
	struct op *op;
	struct chunk *chunk;
	int result;
	bool last;    /* the operation is idle from here on */
	bool drained; /* a receive that emptied the socket */
};

struct loop {
	const struct backend *backend;
	void *state; /* the backend's */
	struct counters *counters;
	struct chunk_pool *chunks;
	/* Of another size: a chunk's bytes, and LOOP_SEAL more. */
	struct chunk_pool *sealed;
	/* Of LOOP_BULK, and LOOP_SEAL more: for whoever can do without. */
	struct chunk_pool *bulk;
	struct pipe_pool *pipes;
	struct timers timers;
	int64_t now;        /* clock.h, of this turn */
	struct timer trim;  /* due while chunks may hold memory in vain */
	uint32_t gives;     /* of chunks, when it was set */
	bool busy;          /* there were many of them */
	uint32_t in_flight; /* operations */
	/* Of the batch: the first that is not told of yet, and the end. */
	int batch_next, batch_end;
	struct completion batch[LOOP_BATCH];
	/* Sends that ended inside their start and are to be told of. */
	struct completion ended[LOOP_BATCH];
	int ended_count;
};

struct loop_params {
	uint32_t ops;         /* operations in flight at most */
	uint32_t chunk_size;  /* bytes a receive takes at most */
	uint32_t chunks_soft; /* see chunk_pool_create */
	uint32_t chunks_hard;
	uint32_t pipes; /* see pipe_pool_create */
	uint32_t pipe_size;
	struct counters *counters; /* outlives the loop */
};

/*
 * A loop on the given backend, or 0 < the -errno of its set-up. It may be made
 * on another thread than the one that runs it.
 */
int loop_create(struct loop **l_r, const struct backend *backend,
	const struct loop_params *params) must_check;

/* No operation may be in flight. NULL is accepted. */
void loop_destroy(struct loop **l);

/* Make the calling thread the one that runs the loop; 0 or -errno. */
int loop_enter(struct loop *l) must_check;

/* One turn; waits until something completes or a timer is due. */
void loop_turn(struct loop *l);

/*
 * The end of a descriptor that operations were started on; none is in flight.
 * It is closed, or left open for another loop (another thread's, as well).
 */
void loop_close(struct loop *l, int fd);
void loop_forget(struct loop *l, int fd);

/* Call `fire` in `delay` nanoseconds; moves the timer if it is set. */
void loop_set_timer(
	struct loop *l, struct timer *t, int64_t delay, timer_fn *fire);
void loop_cancel_timer(struct loop *l, struct timer *t);

#endif
