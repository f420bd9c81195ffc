/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The registry decides who may be known by what: run ids, proxy names, ports
 * and hosts. It lives on worker 0 and is reached by letters; one claim after
 * the other is decided, published to the directory of every worker, and only
 * then answered, so that whoever hears of success is routed everywhere.
 *
 *   owner          registry            every worker
 *     | claim  ------> |                     |
 *     |                | publish --------->  | adds the route, accepts
 *     |                | <------------- done |
 *     | <---- decided  |                     |
 *
 * A release takes the same way back; a name is free once every worker has
 * let go of it, and a claim for it waits that long. A new control that takes
 * over from older ones (succession.h) makes their owners close them, and waits
 * for it. Where its run id is another user's, it is told so.
 */

#ifndef ADIT_SERVER_REGISTRY_REGISTRY_H
#define ADIT_SERVER_REGISTRY_REGISTRY_H

#include "common/event/mailbox.h"
#include "server/registry/claim.h"
#include "server/registry/registration.h"

struct awaited;
struct registry;
struct worker;

/* Why a control cannot have the run id. */
enum clash {
	CLASH_NONE,
	CLASH_FOREIGN, /* it is another user's, or nobody's */
	CLASH_LIVE,    /* a control of its user has it; a proof is needed */
};

/* The answer to a claim, delivered to its owner's worker. */
struct decision {
	struct letter letter;
	struct ref owner;
	struct handle entry; /* what registry_release is called with */
	uint16_t port;       /* tcp: the one opened */
	uint8_t clash;       /* enum clash; with one there is no error */
	bool again;          /* a control's login: it came before */
	char error[REGISTRY_ERROR_SIZE]; /* frp's text; "": success */
};

/* 0 or -ENOMEM. `w` is worker 0. */
int registry_create(struct registry **r_r, struct worker *w) must_check;

/* All threads have ended. NULL is accepted. */
void registry_destroy(struct registry **r);

/*
 * Worker 0: while another aditd takes over nothing is granted (yielding.h);
 * whether nothing is on its way to the workers any more, and what has waited is
 * decided.
 */
bool registry_is_still(const struct registry *reg) must_check;
void registry_go_on(struct registry *reg);

/*
 * The same: the proxies that there are, and that are awaited, as records of
 * server/upgrade/awaited.h; the caller's to free, NULL without any.
 */
uint8_t *registry_list(const struct registry *reg, size_t *size_r) must_check;

/*
 * Before the workers run: a user's login of this time came before, and is not
 * to come again for `keep_s` seconds.
 */
void registry_remember(
	struct registry *reg, const char *user, int64_t stamp, int64_t keep_s);

/* The same: these names had these ports. */
void registry_expect(struct registry *reg, const struct awaited *a);

/*
 * From the owner's worker `w`: ask for the claim, which is taken over. The
 * answer goes to control_decided or proxy_decided there.
 */
void registry_claim(struct worker *w, struct claim *c);

/* From the owner's worker: give up what was granted. */
void registry_release(struct worker *w, struct handle entry);

/* The same, and all visitors that are being served by it are cut. */
void registry_revoke(struct worker *w, struct handle entry);

#endif
