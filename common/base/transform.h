/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A transform is one layer of a connection, as a function of byte spans: what
 * comes from the peer is opened for the layer above, what that one writes is
 * sealed for the peer. TLS, WebSocket, compression and the stream cipher are
 * transforms. It knows no socket, no loop and no buffers but its own, so it is
 * tested with arrays; common/relay/layer.h makes a stream of it. One thread at
 * a time.
 */

#ifndef ADIT_BASE_TRANSFORM_H
#define ADIT_BASE_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/compiler.h"

struct transform;

/* `in` may be NULL where *n is 0. */
struct transform_ops {
	/*
	 * *n bytes have come: all are taken, kept where they are incomplete,
	 * unless `out` is full; *n becomes how many were taken. Returns how
	 * many bytes were written to out, `size` at most; fewer than `size`
	 * say that there are no more until more bytes come. Else, call again
	 * with the rest, or with none. -errno: the peer broke the rules, or
	 * there is no memory; what this call has opened is lost and nothing
	 * more can be opened, `trouble` says why, and `has_words` may still
	 * ask for a last word (an alert). An end inside the layer sets `ended`
	 * for good; what comes after it is taken and dropped.
	 */
	ssize_t (*open)(struct transform *t, const uint8_t *in, size_t *n,
		uint8_t *out, size_t size);
	/*
	 * *n bytes are to go: *n becomes how many were taken. Words of its own
	 * go first; nothing but these with *n = 0, or while `shaking`. Returns
	 * how many bytes were written to out, more than 0 if any were taken,
	 * or -errno: nothing more can be sealed but a last word. With
	 * `overhead` more room than *n bytes all are taken, and all that was
	 * taken is in what was written.
	 */
	ssize_t (*seal)(struct transform *t, const uint8_t *in, size_t *n,
		uint8_t *out, size_t size);
	/* Our direction ends: what says so is among its own words then. Once,
	 * and not while `shaking`. NULL: the layer has no end of its own. */
	void (*finish)(struct transform *t);
	/*
	 * The connection below has ended: 0 if that is a proper end here, or
	 * -ECONNRESET if it is a cut.
	 */
	int (*below_ended)(struct transform *t);
	void (*free)(struct transform *t);
};

/* Embedded in the layer's own state. */
struct transform {
	const struct transform_ops *ops;
	const char *trouble; /* a literal, after a failure; else NULL */
	/* Bytes that sealing may add to one call's, to 17 KiB at most. */
	uint32_t overhead;
	bool shaking;   /* a handshake goes on: nothing is sealed yet */
	bool has_words; /* of its own, to be sent: seal them */
	bool ended;     /* the peer has ended its direction */
};

static inline void transform_free(struct transform **t)
{
	if (*t)
		(*t)->ops->free(*t);
	*t = NULL;
}

#endif
