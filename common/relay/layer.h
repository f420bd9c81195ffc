/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The stream over a stream: what comes from the one below is opened by a
 * transform (common/base/transform.h), what is written is sealed by it. Its
 * handshake, answers and end go over the connection by themselves, whether
 * anybody reads or writes or not. Idle it holds no chunk.
 *
 * Opened bytes are in chunks of the loop's; when there is none, the layer
 * waits and tries again. Sealed bytes are in chunks of loop->sealed, so that a
 * whole chunk goes out in one write; beyond that pool's limit in one of the
 * heap, and there is one for each layer at most.
 */

#ifndef ADIT_RELAY_LAYER_H
#define ADIT_RELAY_LAYER_H

#include <assert.h>

#include "common/base/pool.h"
#include "common/base/timer.h"
#include "common/base/transform.h"
#include "common/relay/stream.h"

/* How long a closed layer may take to send its last words. */
#define LAYER_PATIENCE (5 * CLOCK_SECOND)

/* How long it waits before it asks again for memory that there was not. */
#define LAYER_RETRY (5 * CLOCK_MS)

/* How far our direction's end has come. */
enum layer_end {
	LAYER_OPEN,
	LAYER_ASKED, /* by the owner: when the handshake is done it is told */
	LAYER_TOLD,  /* the transform; after its words below ends, too */
};

struct layer {
	struct stream stream;
	struct stream *below;        /* owned */
	struct transform *transform; /* owned */
	struct pool *home;
	struct stream_reader reader; /* of below */
	struct stream_writer writer; /* of below */
	struct timer timer;          /* to go on soon; closing: to have ended */
	struct chunk *opening;       /* from below, and not opened to its end */
	uint32_t taken;  /* of the stream's chunk, by the running write */
	int read_end;    /* of what is opened; as the stream's */
	int write_error; /* 0, or -errno: no write can succeed */
	uint8_t end;     /* enum layer_end */
	bool waits;      /* the stream's chunk waits to be sealed */
	bool more;       /* the transform has more opened than was taken */
	bool starved;    /* there was no chunk to open into */
	bool failed;     /* by the transform */
	bool mute;       /* below takes no bytes any more */
};

/*
 * A stream over `below`, which nobody reads or writes, and the transform; both
 * are its own from now on. From the pool, whose objects are of sizeof(struct
 * layer). A handshake begins at once: our first words go out from in here, and
 * below is read until it is done; the owner limits its time. NULL when the
 * pool is exhausted, or the transform NULL as there was no memory for it: what
 * there is of both is closed and freed then.
 *
 * A read ends with 0 where the transform says so, or below has ended and that
 * is proper; with -ECONNRESET where it was a cut; with the transform's error
 * where the peer broke its rules. A write fails with that, too, and so does
 * waiting for room, which is there when the handshake is over. Ending our
 * direction ends below's, too, after the transform's last words. After a
 * failure an alert is still sent, for LAYER_PATIENCE at most. A clean close
 * does what ending does, and closes below cleanly; a cut cuts below.
 */
struct stream *layer_open(struct pool *home, struct stream *below,
	struct transform *t) must_check;

/* Whether the stream is a layer; the functions below are for those only. */
bool layer_is(const struct stream *s);

static inline struct layer *layer_of(const struct stream *s)
{
	assert(layer_is(s));
	return container_of(s, struct layer, stream);
}

/* The stream below, for its looks. */
struct stream *layer_below(const struct stream *s);

/* The transform, to be asked, never to be freed or moved. */
struct transform *layer_transform(const struct stream *s);

/* Why it has failed: a literal; NULL: the transform has not. */
const char *layer_trouble(const struct stream *s);

/* Of its stream: whether the one below was reset. */
bool layer_is_reset(const struct stream *s);

/*
 * Whether it can be taken apart: no handshake, and nothing that came or goes
 * is in it. Nothing is said about the stream below.
 */
bool layer_can_rest(const struct stream *s);

/*
 * Take it apart: the stream below is returned, the transform is the caller's.
 * Whoever still reads or writes the layer is not called.
 */
struct stream *layer_detach(struct stream *s, struct transform **t_r);

/* Cut those of the pool that are closed and still have words to send. */
void layers_cut(struct pool *home);

#endif
