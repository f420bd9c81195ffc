/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A connection for who may wait: bytes go and come in blocking calls, through
 * transforms (transform.h), until a deadline. For the main thread and for
 * programs without a loop. Every result below 0 is a -errno, -ETIMEDOUT for
 * the deadline; after one the dialogue is only good to be asked why and
 * closed.
 */

#ifndef ADIT_BASE_DIALOGUE_H
#define ADIT_BASE_DIALOGUE_H

#include "common/base/address.h"
#include "common/base/transform.h"

/* WebSocket, and TLS inside it. */
#define DIALOGUE_LAYERS 2

struct dialogue_bytes {
	size_t from, to; /* what is there: bytes[from, to) */
	uint8_t bytes[16384];
};

struct dialogue_layer {
	struct transform *transform;  /* owned */
	struct dialogue_bytes closed; /* have come, and are not opened yet */
	struct dialogue_bytes opened; /* and are not received yet */
};

struct dialogue {
	int fd;
	bool connected;
	int64_t deadline; /* clock.h; may be set at any time */
	unsigned layers;
	struct dialogue_layer layer[DIALOGUE_LAYERS]; /* [0] is the lowest */
};

/*
 * Connect, from `local` if it is not NULL. The rest is as if all zero. 0 or
 * -errno, with nothing to close.
 */
int dialogue_connect(struct dialogue *d, const struct address *a,
	const struct address *local, int64_t deadline) must_check;

/*
 * Go on inside the transform, which is taken over: its handshake is done when
 * this is 0. NULL: -ENOMEM.
 */
int dialogue_enter(struct dialogue *d, struct transform *t) must_check;

/* Send all bytes; 0 or -errno. */
int dialogue_send(struct dialogue *d, const void *bytes, size_t n) must_check;

/* Some bytes, when there are any; 0: the end. */
ssize_t dialogue_receive(
	struct dialogue *d, void *buffer, size_t size) must_check;

/* The innermost transform; NULL: none. */
struct transform *dialogue_transform(const struct dialogue *d);

/* A zeroed one, too. */
void dialogue_close(struct dialogue *d);

#endif
