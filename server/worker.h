/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A worker is a core that serves: its listeners, controls, proxies, work
 * connections and visitors, each of them the worker's for life. Other threads
 * reach it by letters only.
 */

#ifndef ADIT_SERVER_WORKER_H
#define ADIT_SERVER_WORKER_H

#include "common/base/pool.h"
#include "common/crypto/cipher.h"
#include "common/event/core.h"
#include "common/relay/farewell.h"
#include "server/directory.h"
#include "server/settings.h"

struct listener;

struct worker {
	struct core core;
	const struct settings *settings;
	struct directory directory;
	struct farewells farewells;
	struct list controls;  /* live ones */
	struct list greetings; /* connections without a first message yet */
	struct list visitors;  /* all */
	struct listener *control_port, *http_port; /* NULL: closed, or none */
	struct cipher_key token_key;
	char *page_404; /* custom404Page's content; NULL: the built-in one */
	size_t page_404_size;
	struct timer drain_timer;
	/* Every object is of one of these. */
	struct {
		struct pool *streams, *listeners, *greetings, *controls,
			*proxies, *works, *visitors;
	} pools;
};

/*
 * Make the worker's loop and pools, sized by the settings and the descriptor
 * limit; 0 or -errno after an error in the log.
 */
int worker_create(struct worker *w, const struct settings *settings) must_check;

/* After core_supervise: free what is left. */
void worker_destroy(struct worker *w);

static inline struct loop *worker_loop(const struct worker *w)
{
	return w->core.loop;
}

/* Called when a visitor has gone: a drain may be complete now. */
void worker_visitor_gone(struct worker *w);

#endif
