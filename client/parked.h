/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A parked work connection: one on whose visitor's and whose service's side
 * nothing has moved for a while. A record is kept of it until one of the two
 * stirs (common/relay/parking.h). It counts as busy and keeps its place.
 */

#ifndef ADIT_CLIENT_PARKED_H
#define ADIT_CLIENT_PARKED_H

#include "common/relay/parking.h"

struct client;
struct proxy;

struct parked_work {
	struct parked parked;
	struct proxy *proxy; /* held */
	uint32_t epoch;      /* of the carrier */
	uint8_t caps;        /* of the session */
};

/* Prepare this worker's parking; its loop and pools are there. */
void parked_init(struct client *c);

#endif
