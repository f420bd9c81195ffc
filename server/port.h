/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which remote port a tcp proxy gets: the one it asks for, if allowPorts has
 * it and nobody listens there; or, for port 0, the one its name had before,
 * else a random free one.
 */

#ifndef ADIT_SERVER_PORT_H
#define ADIT_SERVER_PORT_H

#include "server/listener.h"

struct proxy;
struct worker;

/*
 * Open the proxy's listener and claim its port: p->listener and p->port are
 * set. NULL, or frp's text for why not.
 */
const char *port_open(struct worker *w, struct proxy *p, int64_t asked,
	void (*accepted)(struct listener *l, int fd)) must_check;

#endif
