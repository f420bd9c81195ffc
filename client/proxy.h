/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A proxy as the client knows it: what is configured, and what the server
 * made of it. It is opened anew with each login, with the port that it was
 * given before. Name and settings never change: a reload that changes them
 * makes another one. It is freed by who drops it last: tables of proxies
 * (proxy_table.h), work connections, records of parked ones.
 */

#ifndef ADIT_CLIENT_PROXY_H
#define ADIT_CLIENT_PROXY_H

#include <stdatomic.h>

#include "client/settings.h"
#include "client/words.h"
#include "common/base/list.h"
#include "common/base/timer.h"
#include "common/relay/throttle.h"
#include "common/wire/message.h"

struct client;

/*
 * A refused proxy is asked for again after a second, then after twice as
 * long each time, up to half a minute (frp's one interval): after a crash the
 * server may still have the name for a moment.
 */
#define PROXY_RETRY_FIRST (1 * CLOCK_SECOND)
#define PROXY_RETRY_LAST (30 * CLOCK_SECOND)

enum proxy_state {
	/* Not known to the server. Next: ASKED. */
	PROXY_NEW,
	/* NewProxy was sent. Next: RUNNING, REFUSED, NEW. */
	PROXY_ASKED,
	/* The server publishes it. Next: NEW. */
	PROXY_RUNNING,
	/* The server said no; the timer is set. Next: ASKED, NEW. */
	PROXY_REFUSED,
};

struct proxy {
	_Atomic uint32_t holders;
	struct client *client; /* the first */
	struct settings *all;  /* held: what its own are a part of */
	const struct client_proxy *settings;
	char *name;               /* with the user's prefix; owned */
	struct throttle throttle; /* where it is ours to keep to its limit */
	struct list link; /* of those whose answer is awaited (client.h) */
	struct timer retry;
	int64_t wait;        /* before the next attempt, after a refusal */
	uint16_t given_port; /* the remote port it had; 0: none yet */
	char subdomain[WORDS_SIZE]; /* in place of the settings'; "": theirs */
	uint8_t turn;               /* of words.h: which name that is */
	bool announced;             /* its address was printed */
	uint8_t state;              /* enum proxy_state */
};

/* One of these settings, for the first worker; held once. NULL: no memory. */
struct proxy *proxy_new(struct client *first, const struct settings *all,
	const struct client_proxy *settings) must_check;

/* Any thread. NULL is accepted. */
struct proxy *proxy_hold(struct proxy *p);
void proxy_drop(struct proxy **p);

/*
 * First worker, while the control runs: have the server publish it; later, if
 * it has yet to answer for an older one of that name. False: the control was
 * lost.
 */
bool proxy_open(struct proxy *p);

/* The control is gone: the server does not know it any more. */
void proxy_lost(struct proxy *p);

/*
 * Take it back; from one of which the server has not said what it thinks, when
 * it has. False: the control was lost.
 */
bool proxy_close(struct proxy *p);

/* The control is gone: nothing is answered any more. */
void proxies_unanswered(struct client *c);

/* The answer to a NewProxy. */
void proxy_answered(struct client *c, const struct message_new_proxy_resp *m);

/* A map of the settings as the protocol has it; the same memory. */
struct message_map proxy_map(const struct conf_map *m);

/* Any worker: what limits its visitors, together and both ways; or NULL. */
struct throttle *proxy_throttle(struct proxy *p);

#endif
