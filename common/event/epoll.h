/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Inside of the epoll backend: an operation in flight has a slot, and a
 * descriptor a place. Included by epoll.c, epoll_place.c and epoll_try.c only.
 */

#ifndef ADIT_EVENT_EPOLL_H
#define ADIT_EVENT_EPOLL_H

#include <sys/epoll.h>

#include "common/event/backend.h"

/* Events that one epoll_wait(2) brings at most. */
#define EPOLL_EVENTS 512

/* While the kernel is short of memory, not of room in a socket. */
#define SEND_PAUSE (2 * CLOCK_MS)

enum slot_state {
	/* For an event of its descriptor. Next: QUEUED, or free. */
	SLOT_WAITING,
	/* It is tried by the next wait. Next: any. */
	SLOT_QUEUED,
	/* A receive that found no buffer. Next: QUEUED, WAITING, or free. */
	SLOT_HUNGRY,
	/* A send for which the kernel was short of memory. Next: QUEUED. */
	SLOT_PAUSED,
};

struct slot {
	struct op *op;
	const void *data; /* of a send */
	union {
		uint32_t size;   /* of a send */
		uint32_t events; /* of a poll */
	};
	int fd;
	uint32_t next;   /* in the queue of its state; of the free ones */
	uint32_t beside; /* the next one of the same descriptor */
	uint8_t state;   /* enum slot_state */
	bool more : 1;   /* as in struct op_args */
	bool woken : 1;  /* a send that has waited for room */
};

_Static_assert(sizeof(struct slot) == 40, "an idle connection has two");

/* What is known of a descriptor. */
struct place {
	uint32_t first; /* its slots */
	/* Of whoever has the number: an event for a former one is ignored. */
	uint32_t generation;
	uint16_t asked; /* poll(2) events that epoll tells of; 0: not there */
	/* Of these, what may be true: it was told of, nothing denied it yet. */
	uint16_t ready;
};

/* Slots in order, linked by `next`. */
struct queue {
	uint32_t first, last, count;
};

struct epoll {
	int fd;
	bool coarse; /* there is no epoll_pwait2(2) */
	struct slot *slots;
	uint32_t slot_count, slots_made, slot_free;
	struct place *places;
	uint32_t place_count;
	struct queue queued, hungry, paused;
	struct timer pause; /* the end of it, for all that are paused */
	struct epoll_event events[EPOLL_EVENTS];
};

/* --- epoll.c: slots --- */

/* Put the slot, which is in no queue, into the one of its new state. */
void slot_set_state(struct epoll *e, uint32_t index, enum slot_state state);

/* Its last completion is in hand: the slot is free. */
void slot_give(struct epoll *e, uint32_t index);

/* --- epoll_place.c --- */

/* The place of a descriptor that has, or had, an operation. */
static inline struct place *place_of(const struct epoll *e, int fd)
{
	return &e->places[fd];
}

/* There is a place for the descriptor. Without memory the program ends. */
void place_make(struct epoll *e, int fd);

/* Whether epoll tells of all the events: what it did not is not there. */
bool place_tells(const struct place *p, uint32_t events);

/* Whether any of the events may be true: whether a try is worth it. */
bool place_may(const struct place *p, uint32_t events);

/*
 * Nothing of the events is there, says the kernel, or epoll does not tell of
 * them yet: from now on it does. 0 or -errno (epoll_ctl(2)).
 */
int place_await(struct epoll *e, int fd, uint32_t events) must_check;

/*
 * A receive has emptied the socket, and its descriptor is told of: whether
 * what comes next is, too. It is not where an end, or urgent data, was seen.
 */
bool place_drained(struct place *p);

/* The number is somebody else's from now on. `open`: nobody closes it. */
void place_forget(struct epoll *e, int fd, bool open);

/* --- epoll_try.c --- */

/* The events that the slot's operation can do something with. */
uint32_t slot_wants(const struct slot *s);

/*
 * Try the slot's operation, which is in no queue, and write what comes of it
 * to l->batch from n on; how many are there then. What does not end waits.
 */
int slot_try(struct loop *l, uint32_t index, int n);

/* Completions for which there is room before a try. */
#define TRY_MOST 2

/*
 * The waiting slot's events have come: a poll is told of them, what else waits
 * is queued. As slot_try, of which it needs no room.
 */
int slot_wake(struct loop *l, uint32_t index, uint32_t events, int n);

#endif
