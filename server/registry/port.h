/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which remote port a tcp proxy gets: the one it asks for, if allowPorts has
 * it, nobody listens there, and it is kept for nobody else; or, for port 0, the
 * one its name had before, else a random free one. Worker 0's.
 */

#ifndef ADIT_SERVER_REGISTRY_PORT_H
#define ADIT_SERVER_REGISTRY_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct claim;
struct names;
struct port_memory;
struct worker;

struct port_request {
	struct worker *worker;
	const struct names *names; /* which ports our proxies have */
	const struct port_memory *memory;
	const struct claim *claim; /* of a tcp proxy */
};

/* Whether the port that it would get is on its way to be free. */
bool port_is_leaving(const struct port_request *r) must_check;

/*
 * Listen, with one descriptor for each worker in `fds`. NULL and the port in
 * *port_r, or frp's text for why not.
 */
const char *port_open(
	const struct port_request *r, int *fds, uint16_t *port_r) must_check;

#endif
