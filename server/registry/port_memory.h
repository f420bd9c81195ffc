/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which port a name had, so that the same name gets the same port again.
 */

#ifndef ADIT_SERVER_REGISTRY_PORT_MEMORY_H
#define ADIT_SERVER_REGISTRY_PORT_MEMORY_H

#include <stdint.h>

#include "common/base/clock.h"

/* Names remembered at most, and for how long (as frp: a day). */
#define PORT_MEMORIES 10000
#define PORT_MEMORY_TIME (24 * 3600 * CLOCK_SECOND)

struct memory;

/* All zero is empty. */
struct port_memory {
	struct memory *table;
};

/* The port that the name had within the last day, or 0. `now`: clock.h. */
uint16_t port_recall(
	const struct port_memory *m, const char *name, int64_t now);

/* Beyond PORT_MEMORIES the oldest name is forgotten. */
void port_remember(
	struct port_memory *m, const char *name, uint16_t port, int64_t now);

void port_memory_clear(struct port_memory *m);

#endif
