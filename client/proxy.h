/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A proxy as the client knows it: what is configured, and what the server
 * made of it. It is opened anew with each login, with the port that it was
 * given before.
 */

#ifndef ADIT_CLIENT_PROXY_H
#define ADIT_CLIENT_PROXY_H

#include "client/settings.h"
#include "client/words.h"
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
	struct client *client;
	const struct client_proxy *settings;
	char *name;               /* with the user's prefix; owned */
	struct throttle throttle; /* where it is ours to keep to its limit */
	struct timer retry;
	int64_t wait;        /* before the next attempt, after a refusal */
	uint16_t given_port; /* the remote port it had; 0: none yet */
	char subdomain[WORDS_SIZE]; /* in place of the settings'; "": theirs */
	uint8_t turn;               /* of words.h: which name that is */
	bool announced;             /* its address was printed */
	uint8_t state;              /* enum proxy_state */
};

/* Make the proxies of the settings; 0 or -ENOMEM. */
int proxies_create(struct client *c) must_check;
void proxies_destroy(struct client *c);

/* After a login: ask for all of them. False: the control was lost. */
bool proxies_open(struct client *c);

/* The control is gone: none is known to the server any more. */
void proxies_lost(struct client *c);

/* Before leaving: take them back. */
void proxies_withdraw(struct client *c);

/* The answer to a NewProxy. */
void proxy_answered(struct client *c, const struct message_new_proxy_resp *m);

/* A map of the settings as the protocol has it; the same memory. */
struct message_map proxy_map(const struct conf_map *m);

/* Any worker: the proxy of this full name, or NULL. It outlives all workers. */
struct proxy *proxy_find(const struct client *c, const char *name);

/* Any worker: what limits its visitors, together and both ways; or NULL. */
struct throttle *proxy_throttle(struct proxy *p);

#endif
