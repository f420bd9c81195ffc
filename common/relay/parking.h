/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Idle connections are parked: of a relay in which nothing has moved for a
 * while only the two sockets are kept, each with its receive in flight, in a
 * record of some 100 bytes. The first thing that comes makes two streams
 * again, and the relay goes on as if nothing had been. One thread.
 */

#ifndef ADIT_RELAY_PARKING_H
#define ADIT_RELAY_PARKING_H

#include "common/base/pool.h"
#include "common/relay/carrier.h"
#include "common/relay/raw_stream.h"
#include "common/relay/relay.h"

/* Relays are looked at so often; quiet from one time to the next is idle. */
#define PARKING_TICK (500 * CLOCK_MS)

/* Looked at in one turn at most; the others come soon after. */
#define PARKING_LOOKS 1024
#define PARKING_PAUSE (20 * CLOCK_MS)

/* Which side of the relay is a carrier's visit; any other is a raw stream. */
enum parked_carrier {
	PARKED_NONE,
	PARKED_A,
	PARKED_B,
};

/* The owner's record begins with it. */
struct parked {
	struct raw_rest a, b;
	struct parking *home;
	uint8_t carrier; /* enum parked_carrier */
	bool closing;
};

/* What all parked relays of a thread share; the owner fills in the upper. */
struct parking {
	struct loop *loop;
	struct pool *records, *streams;
	struct carriers *carriers;
	/*
	 * The relay is idle: parking_take may put it into a record. Called
	 * from the loop, nothing else of the relay's owner is on the stack.
	 */
	void (*idle)(struct relay *r);
	/*
	 * It goes on: the streams are the owner's, who makes a relay of them
	 * and frees the record.
	 */
	void (*wake)(struct parked *p, struct stream *a, struct stream *b);
	/* It was cut, or there was no memory: the owner frees the record. */
	void (*gone)(struct parked *p);

	struct list awake; /* relays that are watched */
	struct timer timer;
};

void parking_init(struct parking *p);

/* The relay runs; from now on until it ends it may be found idle. */
void parking_watch(struct parking *p, struct relay *r);

/*
 * From inside `idle`: put what is left of the relay into the zeroed record.
 * False: it cannot be now, nothing has happened. Else the relay is idle, its
 * streams are gone.
 */
bool parking_take(struct parking *p, struct parked *record, struct relay *r,
	enum parked_carrier carrier) must_check;

/* Cut one that is parked; `gone` is called for it, from the loop. */
void parking_cut_one(struct parked *record);

/* Cut all that are parked; `gone` is called for each, from the loop. */
void parking_cut(struct parking *p);

#endif
