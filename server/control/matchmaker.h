/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A matchmaker of a control brings its idle work connections of one kind and
 * the visitors that wait for such a one together, wherever they are: an offer
 * stands for a work connection on some worker, a wish for a visitor. It lives
 * with the control and asks the client for work connections; all others reach
 * it by letters.
 *
 *   visitor's worker      control's worker        work connection's worker
 *     | wish ------------->  |                          |
 *     |                      |  <---------------- offer | (nothing armed)
 *     | <--- match (parked)  |  park or bring --------> |
 *     | <--- wait            |                          |
 *
 * From frpc as many idle ones are kept as it asked for. From adit, whose work
 * connections come back after each visitor, as many as the visitors of late
 * have needed, within transport.workPool.
 *
 * A parked work connection never moves, since its receive is armed: the
 * visitor, of whom nothing is in flight before it is told to wait, goes to it.
 * A new one, with nothing armed yet, is brought to the visitor that waits.
 */

#ifndef ADIT_SERVER_CONTROL_MATCHMAKER_H
#define ADIT_SERVER_CONTROL_MATCHMAKER_H

#include "common/base/list.h"
#include "common/base/reason.h"
#include "common/base/timer.h"
#include "common/event/mailbox.h"
#include "server/registry/claim.h"
#include "server/control/demand.h"
#include "server/link/tickets.h"

struct control;
struct proxy;
struct worker;

/* Idle work connections beyond the pool count, as in frp. */
#define MATCHMAKER_SPARE 10

/* A ReqWorkConn unanswered for so long counts as lost. */
#define MATCHMAKER_REQUEST_TIME (10 * CLOCK_SECOND)

/*
 * How long idle work connections beyond the pool count are kept; of those
 * that come back, half of what was not needed for so long goes.
 */
#define MATCHMAKER_SURPLUS_TIME (10 * CLOCK_SECOND)

/* The kinds of work connections that a control may have. */
enum work_kind {
	WORK_LINKED, /* through what the control itself came through */
	WORK_PLAIN,  /* without TLS, for those proxies that may */
	WORK_KINDS
};

/*
 * A visitor, and which of its wishes it is. It may have gone to another
 * matchmaker meanwhile: what answers a former question is not for it.
 */
struct question {
	struct ref visitor;
	uint32_t number;
};

/* A parked work connection. */
struct offer {
	struct matchmaker *match;
	struct list link; /* matchmaker's offers */
	struct ref work;
};

/* A visitor that waits. */
struct wish {
	struct matchmaker *match;
	struct proxy *proxy;
	struct list link; /* matchmaker's wishes */
	struct question question;
	bool fixed; /* its visitor cannot move any more */
};

/* Embedded in its control, one for each kind. */
struct matchmaker {
	struct control *control;
	uint8_t kind;               /* enum work_kind */
	bool proven;                /* such work connections do come */
	struct list offers, wishes; /* the oldest first */
	struct timer trim;          /* due when surplus was idle long enough */
	struct timer ask;           /* due with the next turn: requests */
	uint32_t pool;              /* offers wanted */
	uint32_t min, max;          /* of `pool`, and of offers */
	uint32_t least;             /* offers since the last trim, at least */
	uint32_t offer_count, wish_count;
	uint32_t outstanding; /* ReqWorkConn sent and not yet answered */
	int64_t last_request; /* clock.h: of the newest ReqWorkConn */
	struct demand demand; /* how many will be wanted at once */
};

/* For a new control, whose capabilities are known; `pool`: see Login. */
void matchmakers_init(struct control *c, uint32_t pool);

/* One more proxy, or one less, may do without TLS: there is a pool as long as
 * there is one. */
void matchmaker_hold_plain(struct control *c);
void matchmaker_drop_plain(struct control *c);

/* Whether idle ones are kept. */
bool matchmaker_has_pool(const struct matchmaker *m);

struct loop *matchmaker_loop(const struct matchmaker *m);

/* Turn the visitors of a proxy away that wait, for the reason. */
void matchmaker_lose_proxy(
	struct control *c, const struct proxy *p, enum reason why);

/* The control closes, its proxies are gone: drop all offers. */
void matchmakers_close(struct control *c);

/* Ask the client soon for as many work connections as are missing. */
void matchmakers_request(struct control *c);

/* --- letters to the control's worker, from any worker `w` --- */

/*
 * A visitor of the proxy wants a work connection; `fixed`: on its own worker.
 * It hears of it by visitor_tell_match, _wait or _away.
 */
void matchmaker_wish(struct worker *w, struct ref control, struct handle proxy,
	struct question question, bool fixed);

/* A visitor that was told to wait does so no more. */
void matchmaker_withdraw(
	struct worker *w, uint32_t control_worker, struct handle wish);

/*
 * Here is a work connection of ours; `armed`: it was parked already, and
 * cannot be brought anywhere; `answer`: it is new, as was asked. Its worker
 * hears of it by work_tell_park, work_tell_bring or work_tell_drop.
 */
struct offering {
	struct ref control, work;
	uint8_t kind; /* enum work_kind */
	bool armed, answer;
};

/*
 * `r`: what a new one of a control with tickets has come with, or NULL; it is
 * dropped if the ticket does not admit it.
 */
void matchmaker_offer(
	struct worker *w, const struct offering *o, const struct redemption *r);

/* A parked one has died. */
void matchmaker_lost(
	struct worker *w, uint32_t control_worker, struct handle offer);

#endif
