/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client is the one object of adit's core: it holds the control, the
 * proxies and the work connections, and their pools.
 */

#ifndef ADIT_CLIENT_CLIENT_H
#define ADIT_CLIENT_CLIENT_H

#include "client/control.h"
#include "client/gateway.h"
#include "client/proxy.h"
#include "client/settings.h"
#include "common/base/pool.h"
#include "common/crypto/cipher.h"
#include "common/event/core.h"
#include "common/event/resolver.h"

struct client {
	struct core core;
	const struct settings *settings;
	struct resolver *resolver;
	struct cipher_key token_key;
	struct gateway gateway; /* transport.proxyURL */
	struct control control;
	struct proxy *proxies;
	size_t proxy_count;
	struct list works; /* all */
	struct timer drain_timer;
	bool one_line; /* started as `adit http ...`: print the address */
	struct {
		struct pool *streams, *dials, *works;
	} pools;
};

/* 0 or -errno after an error in the log. */
int client_create(struct client *c, const struct settings *settings,
	bool one_line) must_check;

/* After core_supervise: free what is left. */
void client_destroy(struct client *c);

static inline struct loop *client_loop(const struct client *c)
{
	return c->core.loop;
}

/* Called when a work connection has gone: a drain may be complete now. */
void client_work_gone(struct client *c);

#endif
