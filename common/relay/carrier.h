/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A carrier is a work connection that carries visitors one after another, in
 * the framing of common/wire/carry.h. What its user sees is a stream: idle,
 * then one visit, from StartWorkConn to the end of both directions, which is
 * closed like any other stream. When it was closed and both ends have said
 * how the visit ended, the carrier is given back as a new, idle stream; closed
 * while idle, or when that cannot be, the connection ends. What ends a visit,
 * in whatever way, never touches the next one: where the other end may still
 * have so much to throw away that it tires of it, there is no next one.
 */

#ifndef ADIT_RELAY_CARRIER_H
#define ADIT_RELAY_CARRIER_H

#include "common/base/list.h"
#include "common/base/pool.h"
#include "common/base/timer.h"
#include "common/relay/inlet.h"
#include "common/relay/stream.h"

/* How long, and for how many bytes, the other end may go on after a close. */
#define CARRIER_PATIENCE (5 * CLOCK_SECOND)
#define CARRIER_DRAIN_MAX (4 * 1024 * 1024)

/*
 * What whoever starts visits asks of the end of one, to be sure that the other
 * end is within both: so many bytes on their way, after such a time.
 */
#define CARRIER_LATE_MAX (16 * 1024)
#define CARRIER_LATE (2 * CLOCK_SECOND)

struct carrier;

/* What all carriers of a thread share. */
struct carriers {
	struct loop *loop;
	struct pool *pool;  /* of objects that begin with a struct carrier */
	struct list ending; /* closed, and not given back yet: oldest first */
	struct timer timer;
	bool steady; /* connections stay on this thread while idle */
	bool starts; /* we send StartWorkConn; else we get it */
	/*
	 * The carrier is idle again: its stream is the callee's, nobody reads
	 * or writes it. Called from inside stream_close or from the loop.
	 */
	void (*again)(struct carrier *c);
	/* NULL, or: the carrier is being freed with its connection. */
	void (*gone)(struct carrier *c);
};

struct carrier {
	struct stream stream; /* the visit's */
	struct stream *link;  /* the connection below; owned */
	struct carriers *all;
	struct stream_reader reader; /* of the link */
	struct stream_writer writer; /* of the link */
	struct inlet in;
	struct list ending;
	int64_t until;     /* while ending: the latest, clock.h */
	int64_t heard;     /* when the other end's last word came; 0: not yet */
	uint32_t drained;  /* while ending: bytes thrown away */
	uint32_t sent;     /* bytes of the visit, up to some above DRAIN_MAX */
	uint32_t out_left; /* of the frame that is going out */
	uint32_t writing;  /* bytes of the stream's chunk that the link has */
	uint8_t out_head[CARRY_HEADER];
	uint8_t out_unsent; /* header bytes that have not gone */
	uint8_t out;        /* enum carry_state */
	uint8_t last_word;  /* enum carry_type to be sent; 0: none */
	bool broken;        /* the link is of no use any more */
	bool waits;         /* the stream's chunk waits for the link */
};

static inline void carriers_init(struct carriers *all)
{
	list_init(&all->ending);
}

/* Cut those that are ending. */
void carriers_cut(struct carriers *all);

/*
 * The thread ends: wait for those that are ending, which takes CARRIER_PATIENCE
 * at most, or cut them. True when there are none any more.
 */
static inline bool carriers_finish(struct carriers *all, bool wait)
{
	if (!wait || list_empty(&all->ending))
		carriers_cut(all);
	return list_empty(&all->ending);
}

/*
 * An idle carrier over the stream, which it owns from now on, and whose next
 * bytes in both directions are frames; `first` (NULL: nothing) is sent before
 * them. NULL when the pool is exhausted: all is closed then.
 */
struct carrier *carrier_open(struct carriers *all, struct stream *link,
	struct chunk *first) must_check;

/* Whether its visit is open both ways and between two frames. */
bool carrier_can_rest(const struct carrier *c);

/* Take an idle one apart, or one that can rest. Returns the link. */
struct stream *carrier_detach(struct carrier *c) must_check;

/*
 * One that could rest, over its link, which it owns from now on. NULL when the
 * pool is exhausted: the link is closed then.
 */
struct carrier *carrier_wake(
	struct carriers *all, struct stream *link) must_check;

/*
 * Whether it may carry another visit, now that the last one has ended. The
 * other end may have let go of it long before it hears so, and resets the
 * connection when what it throws away until then is too much or takes too
 * long: who starts visits begins none that could be hit by that.
 */
bool carrier_may_renew(const struct carrier *c);

/* Whether it is a visit on a carrier. */
bool carrier_is(const struct stream *s);

/* Whose stream it is; the stream must be a carrier's. */
static inline struct carrier *carrier_of(struct stream *s)
{
	return container_of(s, struct carrier, stream);
}

#endif
