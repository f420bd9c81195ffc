/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The configuration read again, at SIGHUP. The main thread reads and checks it
 * as a whole: a file with errors changes nothing. Settings and the table of
 * proxies then go from the last worker to the first, which opens and takes back
 * what differs: visitors are sent here only when all know for what.
 */

#ifndef ADIT_CLIENT_RELOAD_H
#define ADIT_CLIENT_RELOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct crew;

/* The main thread's. */
struct reload {
	const char *file;         /* outlives it; NULL: there is none */
	bool asked;               /* by a signal */
	uint32_t sent;            /* how often workers were sent something */
	_Atomic uint32_t arrived; /* at the first; its worker's */
};

/*
 * Main thread, whenever it wakes: do what is asked for. Returns in how many ms
 * to be called again, -1: not known.
 */
int reload_look(struct reload *r, struct crew *c);

#endif
