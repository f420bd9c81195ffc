/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which remote port a tcp proxy gets: the one it asks for, if allowPorts has
 * it and nobody listens there; or, for port 0, the one its name had before,
 * else a random free one.
 */

#ifndef ADIT_SERVER_REGISTRY_PORT_H
#define ADIT_SERVER_REGISTRY_PORT_H

#include "server/upgrade/inherited.h"
#include "server/settings.h"

struct port_request {
	const struct settings *settings;
	int64_t asked;                  /* by the client; 0: any */
	uint16_t before;                /* what the name had; 0: nothing */
	const struct conf_ranges *from; /* to choose from; empty: all */
	/* Whether one of our own proxies has the port. */
	bool (*is_taken)(void *arg, uint16_t port);
	/* Whether it is not somebody else's. */
	bool (*is_open_to)(void *arg, uint16_t port);
	void *arg;
	struct inherited *inherited; /* sockets that we have already */
	int workers;                 /* how many descriptors are wanted */
};

/*
 * Listen, with one descriptor for each worker in `fds`. NULL and the port in
 * *port_r, or frp's text for why not.
 */
const char *port_open(
	const struct port_request *r, int *fds, uint16_t *port_r) must_check;

#endif
