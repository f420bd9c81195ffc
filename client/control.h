/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The control connection to the server: dialled, logged in, kept alive, and
 * made again when it is lost, with the run id of the last session.
 */

#ifndef ADIT_CLIENT_CONTROL_H
#define ADIT_CLIENT_CONTROL_H

#include "client/backoff.h"
#include "client/link.h"
#include "common/base/address.h"
#include "common/crypto/ticket.h"
#include "common/relay/channel.h"
#include "common/relay/mux.h"

/* Answers awaited: LoginResp. */
#define CONTROL_LOGIN_TIME (10 * CLOCK_SECOND)

/* A run id as the server gives it, and its NUL. */
#define CONTROL_RUN_ID_SIZE 257

/* A control that ends sooner counts as one more failed attempt. */
#define CONTROL_PROVEN (5 * CLOCK_SECOND)

/* Who is sent away logs in again at once, but not sooner than that after the
 * last time. */
#define CONTROL_MOVES (100 * CLOCK_MS)

enum control_state {
	/* Not started, or stopped for good. Next: DIALING. */
	CONTROL_IDLE,
	/* The link is being made. Next: LOGIN, PAUSED, IDLE. */
	CONTROL_DIALING,
	/* Login was sent. Next: RUNNING, PAUSED, IDLE. */
	CONTROL_LOGIN,
	/* Logged in. Next: PAUSED, IDLE. */
	CONTROL_RUNNING,
	/* The timer is set for the next attempt. Next: DIALING, IDLE. */
	CONTROL_PAUSED,
};

struct control {
	struct link *link; /* while DIALING */
	struct link_owner link_owner;
	struct mux *mux; /* what the channel is a stream of; NULL: none */
	struct channel channel;
	struct timer timer;     /* LoginResp, being proven, the next attempt */
	struct timer heartbeat; /* the next Ping */
	struct backoff backoff;
	int64_t heard; /* clock.h: of the last Pong, or the login */
	int64_t asked; /* the same, when the login was sent */
	size_t tried;  /* servers that could not be reached, in a row */
	bool ever;     /* logged in at least once */
	bool hinted;   /* at what to do, since logins are refused */
	bool adit;     /* the link is an aditd's own (TLS_ALPN_ADIT) */
	bool warned;   /* that nobody vouches for the server */
	uint8_t binding[TLS_EXPORT_SIZE]; /* of the link, if it is adit's */
	uint8_t state;                    /* enum control_state */
};

/* What work connections need to know of the session, on whatever worker. */
struct session {
	struct address server;  /* where it is; size 0: not known */
	struct address local;   /* connectServerLocalIP; size 0: any */
	unsigned caps;          /* enum capability, or-ed: what both have */
	uint8_t at;             /* settings' servers: which one */
	bool muxed;             /* work connections are streams of its mux */
	bool proven;            /* by a signature: no cipher, no login keys */
	struct session_key key; /* if proven: of sealed starts, and */
	struct ticket_key tickets; /* of tickets, which comes from it */
	char run_id[CONTROL_RUN_ID_SIZE];
};

/* The session is over, or a copy of it has done. */
static inline void session_keys_wipe(struct session *s)
{
	session_key_wipe(&s->key);
	ticket_key_wipe(&s->tickets);
}

struct client;

/* Prepare it. */
void control_init(struct client *c);

void control_start(struct client *c);

/* Leave the server for good. */
void control_stop(struct client *c);

/* The client's settings are others. */
void control_use(struct client *c);

/* Send, while RUNNING; false: the control was lost by it. */
bool control_send(struct client *c, const struct message *m);

#endif
