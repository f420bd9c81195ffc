/* SPDX-License-Identifier: Apache-2.0 */

/*
 * WebSocket (RFC 6455) as a layer of a connection: a byte stream in frames,
 * whose boundaries mean nothing. The handshake is the HTTP upgrade on frp's
 * path. What is sent is binary, a frame a call; what comes may be text or
 * binary, in fragments of any size. A ping is answered; a pong is never sent
 * unasked, because old peers of frp end the connection then. A Close ends the
 * peer's direction; ours goes on and is closed when its owner ends it.
 *
 * Whoever breaks the rules is told so by a Close of 1002, or an HTTP answer of
 * 400 or 404, as last words.
 */

#ifndef ADIT_WIRE_WEBSOCKET_H
#define ADIT_WIRE_WEBSOCKET_H

#include "common/base/transform.h"

#define WEBSOCKET_PATH "/~!frp"

/* A key and what accepts it, with their NULs. */
#define WEBSOCKET_KEY_SIZE 25
#define WEBSOCKET_ACCEPT_SIZE 29

/* Bytes of an HTTP head at most. */
#define WEBSOCKET_HEAD_MAX 4096

/* Bytes of a host at most. */
#define WEBSOCKET_HOST_MAX 300

/* What this room does not have: common/crypto does. It outlives the layer. */
struct websocket_means {
	/* Bytes that nobody can guess: masks. */
	void (*random)(void *out, size_t size);
	/* A random key, and Sec-WebSocket-Accept of a key. */
	void (*key)(char out[static WEBSOCKET_KEY_SIZE]);
	void (*accept)(char out[static WEBSOCKET_ACCEPT_SIZE], const char *key);
};

/* aditd's end. NULL without memory. */
struct transform *websocket_serve(
	const struct websocket_means *means) must_check;

/*
 * adit's end; `host` is what Host says, with a port if it is not the usual
 * one. NULL without memory, or if the host cannot be one.
 */
struct transform *websocket_call(
	const struct websocket_means *means, const char *host) must_check;

#endif
