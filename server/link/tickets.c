/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/tickets.h"

#include <stdlib.h>
#include <string.h>

/* Free, or out until then. */
struct slot {
	int64_t until; /* 0: free */
	uint32_t generation;
	uint8_t kind; /* enum ticket_kind, while it is out */
};

struct tickets {
	struct ref control;
	struct session_key session;
	struct ticket_key key;
	uint32_t next; /* where to look for a free one */
	struct slot slots[TICKETS_MAX];
};

struct tickets *tickets_create(struct ref control, const struct session_key *k)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->control = control;
	t->session = *k;
	ticket_key_derive(&t->key, k);
	return t;
}

void tickets_destroy(struct tickets **tp)
{
	if (*tp) {
		ticket_key_wipe(&(*tp)->key);
		session_key_wipe(&(*tp)->session);
	}
	free(*tp);
	*tp = NULL;
}

bool tickets_issue(struct tickets *t, enum ticket_kind kind, int64_t now,
	uint8_t bytes[static TICKET_SIZE])
{
	for (uint32_t n = 0; n < TICKETS_MAX; n++) {
		uint32_t i = t->next++ % TICKETS_MAX;
		struct slot *s = &t->slots[i];
		struct ticket ticket = { .kind = (uint8_t)kind,
			.worker = (uint16_t)t->control.worker,
			.control = t->control.handle.index,
			.control_generation = t->control.handle.generation,
			.slot = (uint16_t)i };

		if (s->until > now)
			continue;
		s->until = now + TICKETS_TIME;
		s->kind = ticket.kind;
		ticket.slot_generation = ++s->generation;
		ticket_write(bytes, &ticket);
		return true;
	}
	return false;
}

const char *tickets_redeem(
	struct tickets *t, int64_t now, const struct redemption *r)
{
	enum ticket_kind on = r->plain ? TICKET_PLAIN : TICKET_TLS;
	struct ticket ticket;
	struct slot *s;

	if (!ticket_read(&ticket, r->ticket) || ticket.slot >= TICKETS_MAX)
		return "it is no ticket";
	if (ticket.worker != t->control.worker ||
		ticket.control != t->control.handle.index ||
		ticket.control_generation != t->control.handle.generation)
		return "the ticket is of another client";
	s = &t->slots[ticket.slot];
	if (s->until == 0 || s->generation != ticket.slot_generation)
		return "the ticket was used already";
	if (s->until <= now)
		return "the ticket is too old";
	if (ticket.kind != s->kind || s->kind != on)
		return "the ticket is for another kind of connection";
	if (!ticket_mac_verify(r->mac, &t->key, r->ticket, r->binding))
		return "the ticket's proof is wrong";
	s->until = 0;
	return NULL;
}

void tickets_start_key(const struct tickets *t,
	const uint8_t bytes[static TICKET_SIZE], struct start_key *key_r)
{
	start_key_derive(key_r, &t->session, bytes);
}
