/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Inside of the io_uring backend: an operation in flight has a slot, and a
 * send goes through stages. Included by ring.c, ring_send.c, ring_missed.c and
 * ring_right.c only.
 */

#ifndef ADIT_EVENT_RING_H
#define ADIT_EVENT_RING_H

#include <liburing.h>

#include "common/event/backend.h"
#include "common/event/lent.h"

/* A turn with at most so many entries is light: sends do without the ring. */
#define RING_LIGHT 4

/* How far a send has come; other operations stay in SEND_TRIED. */
enum send_stage {
	SEND_TRIED,   /* send(2) is under way */
	SEND_WAITING, /* it found no room: waiting until the socket has some */
	SEND_RETRIED, /* send(2) again; without room it pauses */
	SEND_PAUSED,  /* the socket said room, send(2) said none */
};

struct slot {
	struct op *op; /* NULL: free */
	const void *data;
	union {
		uint32_t size; /* of a send */
		uint32_t next; /* free, or a receive that lacks a buffer */
	};
	int fd;
	uint32_t generation;
	bool more : 1;
	bool limited : 1;   /* the receive was asked to stop at recv_limit */
	bool hungry : 1;    /* the receive lacks a buffer */
	bool suspected : 1; /* among the ring's suspects */
	uint8_t stage : 4;  /* enum send_stage */
	uint8_t pauses : 4; /* of a send, up to now */
};

_Static_assert(sizeof(struct slot) == 32, "an idle connection has two");

struct ring {
	struct io_uring uring;
	struct slot *slots;
	uint32_t slot_count, slots_made, slot_free;
	/* Receives that found no buffer, first to last. */
	uint32_t hungry, hungry_last;
	/* Slots whose receives may have missed an end (ring_missed.c). */
	uint32_t *suspects, suspect_count;
	struct timer look; /* when they are looked at */
	struct loop *loop; /* whose it is */
	/* Bytes that a receive again and again takes at a time; 0: any. */
	uint32_t recv_limit;
	struct lent lent;
	unsigned last; /* entries collected in the last turn */
};

/*
 * While the ring is disabled: once it is enabled, it takes nothing but what
 * ring_right.def has. 0 or -errno.
 */
int ring_restrict(struct ring *r) must_check;

/* A free entry of the submission queue. */
struct io_uring_sqe *ring_take_sqe(struct loop *l);

/* What names the slot's operation. */
static inline uint64_t ring_user_data(const struct ring *r, uint32_t index)
{
	return (uint64_t)r->slots[index].generation << 32 | index;
}

/* A slot for the operation on the descriptor. */
uint32_t ring_take_slot(struct ring *r, struct op *op, int fd);

/* Ask the kernel to stop the slot's operation, which completes all the same. */
void ring_stop(struct loop *l, uint32_t index);

/* The receive goes on, and has taken all that was there: look at it later. */
void ring_suspect(struct loop *l, uint32_t index);

/* Start to send. */
void ring_send(struct loop *l, struct op *op, const struct op_args *a);

/* Whether this result is a step of the send and not its end. */
bool ring_send_goes_on(const struct slot *s, int result);

/* The next step of a send that has found no room, or may have now. */
void ring_send_continue(struct loop *l, uint32_t index);

#endif
