/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the registry tells a worker: to serve a route from now on, or no more.
 * The worker does so and says that it is done.
 */

#ifndef ADIT_SERVER_REGISTRY_PUBLICATION_H
#define ADIT_SERVER_REGISTRY_PUBLICATION_H

#include "common/event/mailbox.h"
#include "server/registry/claim.h"

struct worker;

/* How a worker answers both; `failed`: it had no memory, or no listener. */
struct publication_done {
	struct letter letter;
	struct handle entry;
	bool failed;
};

/*
 * From worker 0 to the worker `to`: serve the claim, a block of its own that
 * is taken over (NULL: no memory for it), with a listener on the descriptor,
 * which is taken over too (-1: none). The answer comes to `done`.
 */
void publication_send(struct worker *w, uint32_t to, struct handle entry,
	struct claim *claim, int fd, uint16_t port, letter_fn *done);

/*
 * How long an frpc may take to read that its proxy is there: until then it
 * closes each work connection that is started for it. An adit waits itself.
 */
#define PUBLICATION_SETTLES (50 * CLOCK_MS)

/* The same of the claim's client, in ns. */
static inline int64_t publication_settles(const struct claim *c)
{
	return c->caps ? 0 : PUBLICATION_SETTLES;
}

/*
 * From worker 0, when all workers serve a claim with a port: accept there. Not
 * before: a visitor may go to another worker, which has to know its route. And
 * not before its client has settled.
 */
void publication_open(struct worker *w, struct handle entry);

/* From worker 0: serve it no more; `cut` also who is being served by it. */
void publication_withdraw(struct worker *w, uint32_t to, struct handle entry,
	bool cut, letter_fn *done);

#endif
