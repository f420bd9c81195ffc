/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A mux is a connection that carries many streams at once, in yamux's framing
 * (common/wire/yamux.h). One end opens streams and the other accepts them.
 * Each is a stream like any other: it half-closes, a cut is RST, an end is FIN,
 * and nothing can be spliced.
 *
 * The connection is always read, however slow the readers of the streams are:
 * what is not read waits in memory, for which the peer needs a grant. A grant
 * is renewed when the reader has taken the bytes. Of one mux no more than
 * `held_max` bytes wait; above that a stream that holds most is cut (one of
 * those whose memory has the same power of two). Streams send in turn, one
 * frame each; small ones that are ready go out in one write.
 *
 * Who frees what. The mux owns the connection below. Its owner has it from
 * mux_open to mux_close, which it calls once, also after `ended`; each stream
 * belongs to whoever got it, who closes it like any other, also when the mux
 * has ended or was closed: it is cut then. The memory of a mux is given back
 * when it was closed, and its last stream too.
 */

#ifndef ADIT_RELAY_MUX_H
#define ADIT_RELAY_MUX_H

#include "common/base/list.h"
#include "common/base/pool.h"
#include "common/base/timer.h"
#include "common/relay/mux_table.h"
#include "common/relay/stream.h"
#include "common/wire/yamux.h"
#include "common/wire/yamux_window.h"

/* The peer's time to accept a stream; else the mux ends. */
#define MUX_OPEN_TIME (75 * CLOCK_SECOND)
/* Its time to end a stream that we have closed; then it is cut. */
#define MUX_CLOSE_TIME (30 * CLOCK_SECOND)
/*
 * Its time to answer a ping. While other bytes come it may be late, up to
 * MUX_PONG_LATEST: they may be what the answer waits for.
 */
#define MUX_PONG_TIME (10 * CLOCK_SECOND)
#define MUX_PONG_LATEST (60 * CLOCK_SECOND)
/* For the last frames of a mux that ends. */
#define MUX_LEAVE_TIME (5 * CLOCK_SECOND)

/* The usual values of what a mux is told. */
#define MUX_PING_USUAL (30 * CLOCK_SECOND)
#define MUX_HELD_USUAL (64 * 1024 * 1024)

/* Payload of a frame at most, and of one that is copied to others. */
#define MUX_FRAME_MAX 32768
#define MUX_SMALL 4096

/* Streams that hold bytes, by the power of two: below 1 KiB, to 16 MiB. */
#define MUX_CLASSES 16

struct mux;

/* What all of a thread share; it outlives them. */
struct muxes {
	struct loop *loop;
	struct pool *pool;    /* of objects that begin with a struct mux */
	struct pool *streams; /* of objects that begin with a mux_stream */
	uint32_t streams_max; /* of one mux: further ones are refused */
	uint32_t held_max;    /* bytes of memory, of one mux */
	uint32_t window_max;  /* of a stream; YAMUX_WINDOW or more */
	int64_t ping;         /* between two pings; 0: none are sent */
	/*
	 * NULL: we open the streams. Else the peer does, and this one is the
	 * callee's; nothing of it has come yet. Called from the loop.
	 */
	void (*accepted)(struct mux *m, struct stream *s);
	/*
	 * The mux has ended by itself: 0 if the peer has closed the connection,
	 * else -errno, and a literal that says why. All streams know already;
	 * mux_close is due. Called from the loop, once at most.
	 */
	void (*ended)(struct mux *m, int result, const char *why);
};

enum mux_state {
	MUX_OPEN,    /* to any of the others */
	MUX_LEAVING, /* the last frames are going out; next: CUT, GONE */
	MUX_CUT,     /* shut down, for the write in flight; next: GONE */
	MUX_GONE,    /* the connection is closed */
};

struct mux {
	struct muxes *all;
	struct stream *below; /* the connection; NULL: closed */
	struct stream_reader reader;
	struct stream_writer writer;
	struct mux_table table; /* the streams that the peer knows */
	uint32_t streams;       /* those that exist */
	uint32_t depth;         /* of calls into this one */

	/* In. */
	struct yamux_parser in;
	struct mux_stream *payload; /* whose is coming; NULL: nobody's */
	bool payload_last;          /* its FIN came with it */
	bool peer_leaves;           /* it accepts no streams any more */
	uint32_t unaccepted;        /* ACKs that we owe */
	uint32_t held;              /* memory of what nobody has read */
	uint32_t grown;             /* of all windows, beyond YAMUX_WINDOW */
	struct list holders[MUX_CLASSES];

	/* Out. */
	struct chunk *batch;      /* frames that go out next */
	struct mux_stream *flyer; /* whose own chunk is going out */
	int32_t flyer_from;       /* what becomes of that chunk then */
	uint32_t flyer_to;
	struct list riders; /* copies of their chunks are going out */
	struct list owing;  /* they have frames without payload to send */
	struct list ready;  /* they have bytes to send, and may */

	/* Streams that we open, and those that end. */
	uint32_t next_id;
	uint32_t opening;    /* not accepted yet, YAMUX_BACKLOG at most */
	struct list queued;  /* their SYN waits for the others to be accepted */
	struct list asked;   /* their SYN is out: oldest first */
	struct list lingers; /* closed, the peer is to end, too: oldest first */
	struct list failing; /* written to though they are dead */
	struct list dead;    /* to be freed */
	struct timer asking, lingering;

	/* The life of the whole. */
	struct timer soon; /* what is not to happen inside a call */
	struct timer keep; /* a ping, its answer; the end of MUX_LEAVING */
	int64_t heard;     /* when something came, clock.h */
	int64_t pinged;    /* when the last ping was sent */
	uint32_t ping_id;
	bool pinging; /* it was not answered yet */
	uint8_t state;
	bool begun;      /* to read */
	bool told;       /* everybody of the end */
	bool closed;     /* by its owner */
	bool just_lost;  /* there is no more to say than -errno */
	int result;      /* for `ended` */
	const char *why; /* for `ended` */
};

enum mux_stream_state {
	MUX_STREAM_QUEUED, /* to be opened; next: NEW, OFF */
	MUX_STREAM_NEW,    /* its SYN is the next to go; next: ASKED, OFF */
	MUX_STREAM_ASKED,  /* to be accepted; next: OPEN, OFF */
	MUX_STREAM_OPEN,   /* next: OFF */
	MUX_STREAM_OFF,    /* the peer does not know it any more */
};

struct mux_stream {
	struct stream stream;
	struct mux *mux;
	struct mux_stream *next;    /* of the table */
	struct chunk_queue in;      /* has come, and was not taken */
	struct list holder;         /* while there is something in it */
	struct list owes;           /* frames; or it is to be freed */
	struct list turn;           /* to send, or its bytes are going out */
	struct list wait;           /* for the peer, by its state */
	int64_t until;              /* in `wait` */
	struct yamux_window window; /* the peer's */
	uint32_t id;
	uint32_t may_send;
	uint32_t unread; /* bytes in `in` */
	uint32_t held;   /* memory of `in` */
	uint32_t flying; /* bytes of `sending` that are going out */
	int in_end;      /* after `in`: as stream.read_end */
	uint8_t state;   /* enum mux_stream_state */
	uint8_t owed;    /* which frames; mux_internal.h */
};

/*
 * A mux over the connection, which it owns from now on, with what is unread on
 * it; or NULL when the pool is exhausted: the connection is closed then.
 */
struct mux *mux_open(struct muxes *all, struct stream *below) must_check;

/*
 * A new stream; 0 or -errno: -ENOTCONN when the mux has ended, -ESHUTDOWN when
 * the peer accepts no more, -ENOBUFS at a limit, -ENOMEM. It can be written to
 * at once; when the peer does not accept it, it is cut.
 */
int mux_open_stream(struct mux *m, struct stream **s_r) must_check;

/*
 * Let go of it: the streams are cut, what was written to them before is not
 * waited for; only FIN and RST that are due still go out. Nobody but their
 * readers and writers is called any more. NULL is accepted.
 */
void mux_close(struct mux **m);

/* Streams that the peer knows. */
static inline uint32_t mux_streams(const struct mux *m)
{
	return m->table.count;
}

#endif
