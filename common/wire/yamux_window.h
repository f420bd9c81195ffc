/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a peer may send on one stream of yamux: it is granted anew what was
 * read, in large portions. The window grows while the reader keeps up, and
 * shrinks, never below YAMUX_WINDOW, when it does not. Pure.
 */

#ifndef ADIT_WIRE_YAMUX_WINDOW_H
#define ADIT_WIRE_YAMUX_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct yamux_window {
	uint32_t size;   /* bytes that may be on the way, or held unread */
	uint32_t credit; /* of these: what the peer may still send */
};

/* As both ends begin a stream. */
void yamux_window_init(struct yamux_window *w);

/* A frame of n bytes comes; false: the peer was not granted that much. */
bool yamux_window_take(struct yamux_window *w, uint32_t n) must_check;

/* Whether so much was read, up to `held` bytes, that a grant is due. */
bool yamux_window_is_due(const struct yamux_window *w, uint32_t held);

/*
 * The delta to send, 0 when it is not due. The window may grow up to `max`
 * bytes, less than its size meaning not at all.
 */
uint32_t yamux_window_grant(
	struct yamux_window *w, uint32_t held, uint32_t max) must_check;

#endif
