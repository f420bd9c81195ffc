/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tickets of one control: each admits one work connection, once, within
 * TICKETS_TIME, and only from who holds the key that the control's TLS session
 * gave to both ends. A slot's generation moves on when it is used, so nothing
 * has to be remembered of what was. On the control's worker.
 */

#ifndef ADIT_SERVER_LINK_TICKETS_H
#define ADIT_SERVER_LINK_TICKETS_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/crypto/sealed_start.h"
#include "common/crypto/ticket.h"
#include "server/registry/claim.h"

/* Tickets of a control that are out at once, and for how long. */
#define TICKETS_MAX 256
#define TICKETS_TIME (30 * CLOCK_SECOND)

struct tickets;

/* For the control; NULL without memory. */
struct tickets *tickets_create(
	struct ref control, const struct session_key *k) must_check;

/* Forget the key, and all that is out. NULL is accepted. */
void tickets_destroy(struct tickets **t);

/*
 * Give one out for a work connection of that kind, at the time `now`
 * (clock.h). False: as many as may be are out, and none of them is late.
 */
bool tickets_issue(struct tickets *t, enum ticket_kind kind, int64_t now,
	uint8_t bytes[static TICKET_SIZE]) must_check;

/* What a work connection has come with, and on what. */
struct redemption {
	uint8_t ticket[TICKET_SIZE];
	uint8_t mac[TICKET_MAC_SIZE];
	uint8_t binding[TICKET_BINDING_SIZE]; /* zero without TLS */
	bool plain;                           /* it has none */
};

/*
 * It is used by that, and NULL; or what is wrong, for the log, and a good one
 * may still come.
 */
const char *tickets_redeem(
	struct tickets *t, int64_t now, const struct redemption *r) must_check;

/* By what the start on the connection of that ticket is sealed. */
void tickets_start_key(const struct tickets *t,
	const uint8_t bytes[static TICKET_SIZE], struct start_key *key_r);

#endif
