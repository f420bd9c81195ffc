/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The tickets of one control: each admits one work connection, once, within
 * TICKETS_TIME, and only from who holds the key that the control's TLS session
 * gave to both ends. A slot's generation moves on when it is used, so nothing
 * has to be remembered of what was. On the control's worker.
 */

#ifndef ADIT_SERVER_TICKETS_H
#define ADIT_SERVER_TICKETS_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/crypto/ticket.h"
#include "server/claim.h"

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
 * Give one out, at the time `now` (clock.h). False: as many as may be are out,
 * and none of them is late.
 */
bool tickets_issue(struct tickets *t, int64_t now,
	uint8_t bytes[static TICKET_SIZE]) must_check;

/*
 * It has come back with a MAC on the connection of that binding: NULL, and it
 * is used; or what is wrong, for the log, and a good one may still come.
 */
const char *tickets_redeem(struct tickets *t, int64_t now,
	const uint8_t bytes[static TICKET_SIZE],
	const uint8_t mac[static TICKET_MAC_SIZE],
	const uint8_t binding[static TICKET_BINDING_SIZE]) must_check;

#endif
