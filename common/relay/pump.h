/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pump moves bytes one way, from one stream to another, in order: small ones
 * through a chunk, which is received and sent as it is, and bulk through a
 * pipe that they never leave (engine.h). It reads only while its queue is
 * below the mark (back-pressure), has one write in flight at a time, and
 * reports one end. It never takes a byte beyond its limit or its inspector's
 * end: those stay unread in the source. Under a throttle bytes go when it is
 * their turn, and nothing is read while they wait for that; a source that is
 * reset meanwhile has failed at once, whatever it had sent before. So has, if
 * that is asked for, one that is reset while the sink takes nothing.
 */

#ifndef ADIT_RELAY_PUMP_H
#define ADIT_RELAY_PUMP_H

#include "common/base/counter.h"
#include "common/base/timer.h"
#include "common/relay/engine.h"
#include "common/relay/inspector.h"
#include "common/relay/stream.h"
#include "common/relay/throttle.h"

/* Chunks that may wait for the sink; one when buffers are scarce. */
#define PUMP_MARK 4

#define PUMP_UNLIMITED UINT64_MAX

/*
 * How often a source that nobody reads is looked at, once nothing passes. An
 * event would need an operation of its own, for what most pumps never are.
 */
#define PUMP_LOOK CLOCK_SECOND

enum pump_end {
	/* The source ended and the sink took everything. */
	PUMP_EOF,
	/* The limit was reached and the sink took everything. */
	PUMP_LIMIT,
	/* The inspector said DONE and the sink took everything. */
	PUMP_INSPECTED,
	/* The inspector said BAD; what was queued is dropped. */
	PUMP_BAD,
	/* Receiving failed; what came before it was delivered, see above. */
	PUMP_SOURCE_FAILED,
	/* Sending failed; the rest is dropped. */
	PUMP_SINK_FAILED,
};

enum pump_state {
	/* Not started, or stopped. Next: RUNNING. */
	PUMP_IDLE,
	/* Reading and writing. Next: FLUSHING, IDLE. */
	PUMP_RUNNING,
	/* Nothing more is read; the queue is written. Next: IDLE. */
	PUMP_FLUSHING,
};

struct pump {
	struct stream *source, *sink;
	struct stream_reader reader;
	struct stream_writer writer;
	struct inspector *inspector; /* NULL: none, or none any more */
	struct chunk_queue queue;    /* not yet handed to the sink */
	struct pipe *pipe;           /* with bytes after those; NULL: none */
	uint64_t limit;              /* bytes still to take from the source */
	uint64_t opaque;             /* of INSPECT_RUN */
	uint64_t bytes;              /* taken from the source and passed on */
	struct counters *counters;
	void (*ended)(struct pump *p, enum pump_end how);
	struct turn turn;   /* of the next bytes, under throttles */
	struct timer timer; /* they wait for it, or the next look */
	int64_t looked;     /* when a reset was looked for */
	uint32_t seen;      /* of `bytes`, when nobody read */
	uint32_t granted;   /* bytes in the queue whose turn has been */
	uint32_t rest;      /* of the chunk being sent: not its turn yet */
	uint8_t state;      /* enum pump_state */
	uint8_t end;        /* enum pump_end, while FLUSHING */
	uint8_t queued;     /* chunks in the queue */
	uint8_t counter;    /* enum counter: where bytes count */
	bool finishes;      /* see pump_params */
	bool heeds_reset;   /* the same */
	bool waits;         /* bytes wait for their turn */
	bool gulps;         /* the last chunk was a large one */
	struct engine engine;
};

struct pump_params {
	struct stream *source, *sink; /* stay the caller's; outlive the pump */
	/*
	 * Called once, from the loop or from inside pump_start; the pump is
	 * idle then and may be freed.
	 */
	void (*ended)(struct pump *p, enum pump_end how);
	struct inspector *inspector; /* NULL: none */
	uint64_t limit;              /* PUMP_UNLIMITED: none */
	bool finishes; /* EOF, LIMIT: the caller ends the sink at once */
	/*
	 * A source that is reset while the sink takes nothing has failed, with
	 * what it had sent: nobody is left who would wait for it.
	 */
	bool heeds_reset;
	struct counters *counters;
	enum counter counter;
	enum engine_mode mode;
	struct throttles throttles; /* outlive the pump */
};

/* Prepare a zeroed or idle pump. */
void pump_init(struct pump *p, const struct pump_params *params);

/* Before the start: bytes of ours that go first and count nowhere. */
void pump_push(struct pump *p, struct chunk *c);

/* Begin; the source must have no other reader, the sink no other writer. */
void pump_start(struct pump *p);

/* Whether it is running, without an end to come, and waits for bytes. */
bool pump_is_idle(const struct pump *p);

/* Whether the sink has been handed all, and only has to take it. */
bool pump_is_out(const struct pump *p);

/* Leave both streams; `ended` is not called. Idle: no effect. */
void pump_stop(struct pump *p);

#endif
