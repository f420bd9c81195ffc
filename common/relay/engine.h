/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which engine moves the next bytes of a direction: copy, a receive into a
 * buffer and a send of it, or splice, a wait for readiness and two splice(2)
 * calls through a pipe. Copying costs less where bytes come in small bursts,
 * splicing where they come in bulk; each direction decides by itself after
 * every wake, and changes its mind. The thresholds and the sweep that found
 * them are in ARCHITECTURE.md.
 */

#ifndef ADIT_RELAY_ENGINE_H
#define ADIT_RELAY_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

/* So many bytes are bulk, if they are known to come. */
#define ENGINE_BULK 16384

/* A wake below ENGINE_THIN bytes is thin; so many in a row end a bulk. */
#define ENGINE_THIN 8192
#define ENGINE_THIN_WAKES 4

/* What the operator asked for (transport.relay). */
enum engine_mode {
	ENGINE_AUTO,
	ENGINE_ALWAYS_COPY,
	ENGINE_ALWAYS_SPLICE,
};

enum engine_kind {
	ENGINE_COPY,
	ENGINE_SPLICE,
};

/* One direction's state; all zero but the mode: it copies. */
struct engine {
	uint8_t mode; /* enum engine_mode */
	uint8_t kind; /* enum engine_kind: of the next bytes */
	uint8_t thin; /* wakes in a row */
};

/* What was seen when bytes came. */
struct engine_wake {
	uint64_t bytes; /* that came */
	uint64_t known; /* that are known to follow; 0: nothing is known */
	bool filled;    /* they filled the buffer */
	bool backlog;   /* and left something behind in the socket */
};

/* A direction's first state in that mode. */
struct engine engine_start(enum engine_mode mode);

/* Its state after a wake; pure. */
struct engine engine_next(struct engine e, const struct engine_wake *w);

#endif
