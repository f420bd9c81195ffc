/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A control is one client's logged-in control connection and all that hangs
 * on it: it owns its proxies, keeps their idle work connections and the
 * visitors that wait for one, and brings the two together.
 */

#ifndef ADIT_SERVER_CONTROL_H
#define ADIT_SERVER_CONTROL_H

#include "common/base/address.h"
#include "common/base/list.h"
#include "common/base/timer.h"
#include "common/relay/channel.h"

struct visitor;
struct work;
struct worker;

/* A run id in use, and its NUL (frp's has 16 characters). */
#define RUN_ID_SIZE 65

/* Idle work connections beyond the pool count, as in frp. */
#define CONTROL_POOL_SPARE 10

/* A ReqWorkConn unanswered for so long counts as lost. */
#define CONTROL_REQUEST_TIME (10 * CLOCK_SECOND)

/* How long idle work connections beyond the pool count are kept. */
#define CONTROL_SURPLUS_TIME (10 * CLOCK_SECOND)

enum control_state {
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
	struct list parked; /* work.link: idle work connections, oldest first */
	struct list waiting;    /* visitor.queue: who waits for one, in order */
	struct timer heartbeat; /* due when the client was silent too long */
	struct timer trim;      /* due when surplus was idle long enough */
	struct timer grave;
	uint32_t pool; /* idle work connections wanted */
	uint32_t parked_count, waiting_count;
	uint32_t outstanding; /* ReqWorkConn sent and not yet answered */
	uint32_t ports;       /* remote ports in use */
	int64_t last_request; /* clock.h: of the newest ReqWorkConn */
	bool half_close;      /* capability: its work connections carry it */
	uint8_t state;        /* enum control_state */
	char run_id[RUN_ID_SIZE];
	char peer[ADDRESS_TEXT_SIZE];
	char *user; /* owned; "" without one */
};

/*
 * Answer a Login that came on the stream, which is taken over: refuse it, or
 * make it a control, replacing the one that has its run id.
 */
void control_login(struct worker *w, struct stream *s,
	const struct address *peer, const struct message_login *login);

/* Take everything down; visitors that are being served stay. */
void control_close(struct control *c, enum reason why, const char *detail);

/* An idle work connection for a visitor, or NULL: then the visitor waits. */
struct stream *control_take_work(struct control *c);

/* Put a visitor last in the queue, or take it out of it. */
void control_enqueue(struct control *c, struct visitor *v);
void control_dequeue(struct control *c, struct visitor *v);

/* A work connection has come (the control owns the stream now). */
void control_add_work(struct control *c, struct stream *s);

/* Ask for as many work connections as are missing. */
void control_request_work(struct control *c);

#endif
