/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The one interface of a connected byte stream: a socket now; TLS, WebSocket
 * or a yamux channel are streams over a stream. What a stream does is in its
 * operations table; who listens, what is unread and what is being written is
 * kept here, the same for all of them.
 *
 * One party reads at a time and one writes. Bytes come and go in chunks, whose
 * ownership moves with them. Callbacks come from the loop, never from inside
 * the call that asked. Functions belong to the loop's thread.
 */

#ifndef ADIT_RELAY_STREAM_H
#define ADIT_RELAY_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event/chunk.h"
#include "common/event/pipe.h"

struct loop;
struct stream;

/*
 * Embedded in who reads. Called once for each stream_read: result > 0 and
 * that many bytes in `c`, which is the reader's now; or 0 at the end of the
 * stream, or -errno, both with `c` NULL. Called once for each stream_await:
 * the same, or 1 with `c` NULL when there is something to splice in.
 */
struct stream_reader {
	void (*received)(struct stream_reader *r, struct chunk *c, int result);
};

/*
 * Embedded in who writes. Called once for each stream_write: the result is 0
 * when all bytes of the chunk were taken, else -errno; the chunk comes back.
 * Called once for each stream_await_room, with `c` NULL.
 */
struct stream_writer {
	void (*sent)(struct stream_writer *w, struct chunk *c, int result);
};

/* What kind of stream it is. */
struct stream_ops {
	/* Start to receive; stream_received brings the outcome. */
	void (*read)(struct stream *s);
	/* Start to send; stream_sent brings how many bytes were taken. */
	void (*write)(
		struct stream *s, const void *data, uint32_t n, bool more);
	/* End our direction (FIN, close_notify); 0 or -errno. */
	int (*finish)(struct stream *s);
	/* Cut: the other end sees an abort. Else: it sees an end. */
	void (*close)(struct stream *s, bool cut);
	/*
	 * For streams over another one, else NULL: what that one holds already
	 * becomes unread, or the end; nothing is being read.
	 */
	void (*fetch)(struct stream *s);
	/* The socket below, for its addresses. */
	int (*descriptor)(const struct stream *s);
	/*
	 * Whether a reset is known below, and was not read yet. NULL: the
	 * socket's is all there is to know.
	 */
	bool (*is_reset)(const struct stream *s);
	/* Why it has failed, a literal; NULL: -errno says all. May be NULL. */
	const char *(*trouble)(const struct stream *s);
	/*
	 * For streams whose bytes a pipe can take, else NULL: wait until there
	 * is something to splice in (stream_ready brings it) or room to splice
	 * out (stream_room), and do so, as pipe_fill and pipe_drain. Streams
	 * with a handshake have await_room alone.
	 */
	void (*await)(struct stream *s);
	void (*await_room)(struct stream *s);
	ssize_t (*splice_in)(struct stream *s, struct pipe *p, uint32_t max);
	ssize_t (*splice_out)(struct stream *s, struct pipe *p);
};

/* How much one read may bring when bulk comes. */
enum stream_gulp {
	STREAM_CHUNK,  /* what fits into a chunk of loop->chunks */
	STREAM_BULK,   /* LOOP_BULK, less the headroom */
	STREAM_SEALED, /* what LOOP_BULK bytes are when they are sealed */
};

struct stream {
	const struct stream_ops *ops;
	struct loop *loop;
	struct stream_reader *reader; /* who waits for bytes, if anyone */
	struct stream_writer *writer; /* who waits for `sending` */
	struct chunk_queue unread;
	struct chunk *sending; /* non-NULL exactly while a write runs */
	int read_end;          /* 1: open; 0: ended; -errno: failed */
	bool reading;          /* a receive, or a wait, is in flight */
	bool readiness;        /* the reader wants no bytes, but to know */
	bool steady;           /* it stays on this thread: read ahead */
	bool ending;           /* the end follows what came last */
	bool backlog;          /* the last receive left bytes in the socket */
	bool awaits_room;      /* a wait for room is in flight */
	bool closing;          /* closed by its owner: nobody is called */
	bool finished;         /* our direction was ended */
	bool more;             /* of `sending` */
	uint8_t gulp;          /* enum stream_gulp, set by the reader */
};

/* For those who make streams: a zeroed stream becomes an open one. */
void stream_init(
	struct stream *s, struct loop *l, const struct stream_ops *ops);
void stream_received(struct stream *s, struct chunk *c, int result);
void stream_ready(struct stream *s, int result);
void stream_sent(struct stream *s, int result);
void stream_room(struct stream *s, int result);

/*
 * What is there to read without waiting: > 0 and a chunk of that many bytes,
 * now the caller's; 0 at the end; -errno after a failure; -EAGAIN when
 * stream_read must be asked.
 */
int stream_take(struct stream *s, struct chunk **c_r) must_check;

/* Ask for bytes, after stream_take said -EAGAIN; replaces an earlier reader. */
void stream_read(struct stream *s, struct stream_reader *r);

/* Whether it was reset, perhaps behind bytes that nobody has read yet. */
bool stream_is_reset(const struct stream *s);

/* Nobody reads any more; what arrives is kept as unread. */
void stream_leave_reading(struct stream *s);

/* Give bytes back to be read again, before all others. */
void stream_unread(struct stream *s, struct chunk *c);

/* The same with a whole queue, on a stream that has nothing unread. */
void stream_unread_all(struct stream *s, struct chunk_queue *q);

/* Take all that is unread into the empty queue. */
void stream_take_all(struct stream *s, struct chunk_queue *q);

/*
 * Write all bytes of the chunk, which must not be empty, while no other write
 * runs. `more`: further bytes follow at once.
 */
void stream_write(
	struct stream *s, struct chunk *c, bool more, struct stream_writer *w);

/* The writer is not to be called any more; the write itself goes on. */
void stream_leave_writing(struct stream *s);

/* Another writer hears of the end of the running write. */
static inline void stream_follow_writing(
	struct stream *s, struct stream_writer *w)
{
	s->writer = w;
}

static inline bool stream_is_writing(const struct stream *s)
{
	return s->sending || s->awaits_room;
}

/* Whether the four functions below may be used. */
static inline bool stream_can_splice(const struct stream *s)
{
	return s->ops->await;
}

/*
 * Ask to be told of bytes to splice in, after stream_take said -EAGAIN; a
 * receive that is in flight may bring a chunk all the same.
 */
void stream_await(struct stream *s, struct stream_reader *r);

/* Move up to `max` bytes into the empty pipe: how many, 0 at the end of the
 * stream, -EAGAIN, or -errno after a failure. */
ssize_t stream_splice_in(
	struct stream *s, struct pipe *p, uint32_t max) must_check;

/* Ask to be told when there is room; no write may run. */
void stream_await_room(struct stream *s, struct stream_writer *w);

/* Move what is in the pipe out, as much as there is room: how many bytes,
 * -EAGAIN or -errno. No write may run. */
ssize_t stream_splice_out(struct stream *s, struct pipe *p) must_check;

/* End our direction, once; no write may run. 0 or -errno. */
int stream_finish(struct stream *s);

/*
 * Close and free, as soon as nothing is in flight. `cut` says whether the
 * other end shall see an abort (RST) or an end; an end is only given after
 * all writes. Nobody is called any more. NULL is accepted.
 */
void stream_close(struct stream **s, bool cut);

static inline int stream_descriptor(const struct stream *s)
{
	return s->ops->descriptor(s);
}

/* What there is to say about a failure, a literal; NULL: no more than -errno */
static inline const char *stream_trouble(const struct stream *s)
{
	return s->ops->trouble ? s->ops->trouble(s) : NULL;
}

#endif
