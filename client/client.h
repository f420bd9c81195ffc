/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client is what adit runs on one worker: work connections, and their pools.
 * The first one of the crew also has the control, and opens the proxies, whose
 * table all of them read.
 */

#ifndef ADIT_CLIENT_CLIENT_H
#define ADIT_CLIENT_CLIENT_H

#include "client/control.h"
#include "client/proxy_table.h"
#include "client/settings.h"
#include "common/base/pool.h"
#include "common/crypto/cipher.h"
#include "common/crypto/login_proof.h"
#include "common/event/core.h"
#include "common/event/resolver.h"
#include "common/crypto/tls_sessions.h"
#include "common/relay/carrier.h"
#include "common/relay/mux.h"
#include "common/relay/parking.h"

/* Bytes of a receive buffer. */
#define CLIENT_CHUNK_SIZE 16384

struct crew;
struct journal;

struct client {
	struct core core;
	struct settings *settings; /* held; those it goes by now */
	struct crew *crew;
	struct cipher_key token_key;
	struct proof_key proof_key; /* of the token, too */
	struct session session; /* the control's; elsewhere as it was told */
	struct control control; /* of the first */
	struct proxy_table *proxies; /* held; of each only the first changes
				      * more than throttles */
	struct list leaving; /* the first's: proxies that are no more, once
			      * the server has answered for them; held */
	struct list works;   /* all */
	struct carriers carriers;
	struct muxes muxes;                /* the first's; of its one mux */
	struct tls_context *tls;           /* of new links; NULL: without */
	struct tls_sessions *tls_sessions; /* with the server */
	struct parking parking;            /* of work connections */
	uint32_t epoch; /* sessions that this worker knows were cut */
	struct timer drain_timer;
	struct journal *journal; /* of requests; NULL: they are not printed */
	bool first;
	struct {
		struct pool *streams, *layers, *links, *muxes, *mux_streams;
		struct pool *dials, *works, *carriers, *parked;
		struct pool *lookouts; /* NULL without a journal */
	} pools;
};

/* One of `count`, on the backend; 0 or -errno after an error in the log. */
int client_create(struct client *c, const struct settings *settings,
	uint32_t count, const struct backend *backend) must_check;

/* Bytes that the objects of one visitor take at most. */
size_t client_visitor_records(void);

/* Before it runs: write the requests of http proxies into the journal, which
 * outlives it. 0 or -ENOMEM. */
int client_watch(struct client *c, struct journal *journal) must_check;

/*
 * Its worker: go by these settings and proxies, held for it, from now on. The
 * first one opens and takes back what differs.
 */
void client_use(
	struct client *c, struct settings *s, struct proxy_table *proxies);

/* After core_supervise, and after the resolver: free what is left. */
void client_destroy(struct client *c);

/* Which of the server's addresses the session is for; the settings' text. */
const char *client_server(const struct client *c, uint16_t *port_r);

/* Dial the server: while a session is there, where that one is. */
struct dial *client_dial_server(struct client *c, struct dial_owner *owner);

/* Whose mailbox it is, for who gets a letter. */
static inline struct client *client_of_mailbox(struct mailbox *m)
{
	return container_of(
		container_of(m, struct core, mailbox), struct client, core);
}

static inline struct loop *client_loop(const struct client *c)
{
	return c->core.loop;
}

/* Called when a work connection has gone: a drain may be complete now. */
void client_work_gone(struct client *c);

#endif
