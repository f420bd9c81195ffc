/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A control is one client's logged-in control connection and all that hangs
 * on it: it owns its proxies, and its matchmaker keeps their idle work
 * connections and the visitors that wait for one.
 */

#ifndef ADIT_SERVER_CONTROL_CONTROL_H
#define ADIT_SERVER_CONTROL_CONTROL_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/base/timer.h"
#include "common/crypto/login_proof.h"
#include "common/relay/channel.h"
#include "server/link/link.h"
#include "server/control/matchmaker.h"

struct tickets;
struct user;
struct users;
struct worker;

/*
 * A run id in use, and its NUL (frp's has 16 characters). Who has it has the
 * control's work connections, on a bare link: in the log are its first 4.
 */
#define RUN_ID_SIZE 65

enum control_state {
	/*
	 * The registry decides about the run id. Next: PROVISIONAL, RUNNING,
	 * CLOSED.
	 */
	CONTROL_CLAIMED,
	/*
	 * One with a record has its LoginResp. Unless it came inside TLS of
	 * ours, its login may be one that somebody has listened to: before its
	 * first NewProxy or CloseProxy is served, the registry says whether
	 * the IV in front of it all is a new one, and only then it replaces
	 * another control and is asked for work connections. One whose login
	 * came before replaces none, and has as long as such a login has.
	 * Next: RUNNING, CLOSED.
	 */
	CONTROL_PROVISIONAL,
	/* Serving. Next: CLOSED. */
	CONTROL_RUNNING,
	/* Everything is taken down; freed with the next turn. */
	CONTROL_CLOSED,
};

struct control {
	struct worker *worker;
	struct channel channel;
	struct list link;    /* worker's controls */
	struct list proxies; /* proxy.link */
	struct matchmaker match[WORK_KINDS];
	uint32_t plain;         /* proxies that may be without TLS */
	struct timer heartbeat; /* due when the client was silent too long */
	struct timer grave;
	struct handle entry;   /* of the registry, from PROVISIONAL on */
	uint32_t address;      /* where it counts in half_open.h */
	uint32_t ports;        /* remote ports in use, or claimed */
	uint32_t undecided;    /* proxies that are claimed */
	bool waits;            /* a NewProxy: proxy_has_to_wait */
	struct handle session; /* the mux that it came by; generation 0 */
	bool named;            /* by the run id that it asks for */
	bool extended;         /* it speaks our extension */
	bool proven;           /* by a signature, with `key`: no cipher */
	uint8_t caps;          /* enum capability, or-ed */
	uint8_t state;         /* enum control_state */
	char run_id[RUN_ID_SIZE];
	char before[RUN_ID_SIZE]; /* signed: the run id that it names, or "" */
	char *client; /* owned; signed: its user and client id, or "" */
	struct address from;
	char peer[ADDRESS_TEXT_SIZE]; /* the same, without its port */
	char *user;                   /* owned; "" without one */
	uint8_t key[PROOF_PUBLIC_SIZE];
	struct tickets *tickets;   /* owned; NULL: it needs none */
	struct users *users;       /* held: where its record is */
	const struct user *record; /* NULL: it came with auth.token */
	int64_t stamp, keep_s;     /* of its login, see struct claim */
	int64_t since;             /* when it came (clock.h) */
	bool again;                /* the same login came before */
	bool revoked;              /* its user may no more */
};

/*
 * Answer a Login that came on the stream, which is taken over: refuse it, or
 * make it a control, replacing the one of its user that has its run id. Where
 * it was signed the run id is always a new one: what it names, and the client
 * id, only say whom it replaces.
 */
void control_login(struct worker *w, struct stream *s, const struct link *link,
	const struct message_login *login);

/*
 * Whether its work connections are streams of its session; from adit they are
 * connections of their own.
 */
static inline bool control_is_bound(const struct control *c)
{
	return c->session.generation && !c->extended;
}

/* What it and we encrypt with, by frp's cipher. */
const struct cipher_key *control_key(const struct control *c);
/*
 * The worker's users are others now: go by the new record, or end, with all
 * that is served through it, if the user may not what it did.
 */
void control_reconsider(struct control *c);

/* Take everything down; visitors that are being served stay. */
void control_close(struct control *c, enum reason why, const char *detail);

/*
 * The clients of this server are another's from now on: close it, after saying
 * so to who understands it.
 */
void control_move(struct control *c);

/* Send, or close the control when that cannot be. False: it was closed. */
bool control_send(struct control *c, const struct message *m) must_check;

/* A NewProxy that waits, if any, looks again whether it has to. */
void control_go_on(struct control *c);

/* The registry's answer (struct decision), on the control's worker. */
void control_decided(struct mailbox *m, struct letter *letter);

/*
 * From the registry's worker `w`: another login takes its place, as it is its
 * client's (REASON_replaced) or there is no room for both (REASON_limit).
 */
void control_evict(struct worker *w, struct ref control, enum reason why);

#endif
