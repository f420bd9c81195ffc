/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A lookout is posted on the relay of an http proxy when requests are to be
 * printed: it watches the bytes of both directions (common/http/watch.h) and
 * writes what it has seen into the worker's journal. Nothing that passes
 * depends on it. A relay without one is not touched at all.
 */

#ifndef ADIT_CLIENT_LOOKOUT_H
#define ADIT_CLIENT_LOOKOUT_H

#include "common/http/watch.h"
#include "common/relay/pump.h"

struct client;
struct client_proxy;

struct lookout {
	struct inspector out, back;
	struct watch watch;
	struct client *client;
	const struct client_proxy *proxy;
};

/* NULL: requests of this proxy are not printed, or there is no memory. */
struct lookout *lookout_post(
	struct client *c, const struct client_proxy *proxy);

/*
 * The relay is over, `clean` if nobody cut it, or goes on without: no pump
 * knows the lookout any more. *l is NULL afterwards; NULL in it is accepted.
 */
void lookout_leave(struct lookout **l, bool clean);

#endif
