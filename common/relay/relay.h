/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A relay joins two streams by two pumps and holds what concerns both: how an
 * end, a half-close and an abort of one side reach the other.
 *
 * Side A is the visitor's, side B the service's: on the server a visitor and
 * a work connection, on the client a work connection and a local connection.
 *
 * - A side that ends its direction (FIN) makes the relay end that direction
 *   on the other side. Where the other side does not understand half-close
 *   (frp closes both ways on FIN), the FIN is held until the opposite
 *   direction ends, or for RELAY_HOLD; but no longer than B talks, if it has
 *   said something: most who end so have just closed, and heard all.
 * - A side without half-close that ends has gone: what it sent is delivered,
 *   then the relay ends.
 * - A side that resets, makes the relay end with a reason that is not clean;
 *   the owner then cuts both streams.
 */

#ifndef ADIT_RELAY_RELAY_H
#define ADIT_RELAY_RELAY_H

#include "common/base/list.h"
#include "common/base/reason.h"
#include "common/base/timer.h"
#include "common/relay/drain.h"
#include "common/relay/pump.h"

/* How long a FIN is held towards a peer without half-close. */
#define RELAY_HOLD (30 * CLOCK_SECOND)

/* How long B may be silent meanwhile, unless A waits for its first word. */
#define RELAY_HOLD_QUIET (2 * CLOCK_SECOND)

/* How long the end of B is waited for that takes nothing, and says nothing. */
#define RELAY_UNHEARD (30 * CLOCK_SECOND)

/* How long the last bytes of a side are drained after its answer ended. */
#define RELAY_LINGER (5 * CLOCK_SECOND)

enum relay_state {
	/* Not started, or ended. Next: STARTING. */
	RELAY_IDLE,
	/* Inside relay_start. Next: RUNNING, ENDING. */
	RELAY_STARTING,
	/* Both pumps run, or one still does. Next: LINGERING, ENDING, IDLE. */
	RELAY_RUNNING,
	/* All is delivered; A is drained before it is closed. Next: IDLE. */
	RELAY_LINGERING,
	/* Ended inside relay_start; the owner hears it soon. Next: IDLE. */
	RELAY_ENDING,
};

struct relay {
	struct stream *a, *b; /* the owner's */
	struct pump out;      /* A to B */
	struct pump back;     /* B to A */
	struct drain drain;   /* of A, when `out` has ended early */
	struct timer timer;
	struct list watch; /* of a parking, or in no list */
	uint64_t seen;     /* the parking's: bytes that had moved */
	uint64_t heard;    /* from B, when A's FIN was held, or since */
	uint8_t quiets;    /* while it is: RELAY_HOLD_QUIETs that B talked */
	void (*ended)(struct relay *r, enum reason why);
	uint8_t state; /* enum relay_state */
	uint8_t why;   /* enum reason, while ENDING */
	bool a_half_close, b_half_close;
	bool out_done, back_done; /* that direction was delivered whole */
};

struct relay_params {
	struct stream *a, *b; /* outlive the relay; stay the owner's */
	bool a_half_close, b_half_close;
	uint64_t limit; /* bytes from A at most */
	/* Of the two directions; NULL: none. They outlive the relay. */
	struct inspector *look_out, *look_back;
	struct throttles throttle_out, throttle_back;
	bool again; /* it was parked: counted already */
	struct counters *counters;
	enum engine_mode mode;
	/*
	 * Called once, from the loop; the relay is idle then, nobody reads or
	 * writes on its behalf, and the owner closes the streams: cut unless
	 * the reason is clean.
	 */
	void (*ended)(struct relay *r, enum reason why);
};

/* Prepare a zeroed or idle relay; bytes may then be pushed to its pumps. */
void relay_init(struct relay *r, const struct relay_params *params);

void relay_start(struct relay *r);

/* Whether both directions are open, and wait for bytes. */
bool relay_is_idle(const struct relay *r);

/* Leave both streams; `ended` is not called. Idle: no effect. */
void relay_stop(struct relay *r);

#endif
