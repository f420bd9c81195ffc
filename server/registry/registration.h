/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A registration is a claim that the registry has granted, and the names that
 * it has for that: its own, a port, places of sites, a group. Proxies of one
 * group share their place and the group's name.
 */

#ifndef ADIT_SERVER_REGISTRY_REGISTRATION_H
#define ADIT_SERVER_REGISTRY_REGISTRATION_H

#include "common/base/list.h"
#include "server/registry/claim.h"
#include "server/registry/names.h"
#include "server/registry/tenures.h"

/* Room for the error of a refused claim. */
#define REGISTRY_ERROR_SIZE 384

enum entry_state {
	/* Told to the workers. Next: PUBLISHED, WITHDRAWING. */
	ENTRY_PUBLISHING,
	/* Granted. Next: WITHDRAWING. */
	ENTRY_PUBLISHED,
	/* Taken back from the workers. Next: gone. */
	ENTRY_WITHDRAWING,
};

struct registration {
	struct claim *claim;
	struct list peers; /* the others of its group, each in the same list */
	struct list unproven; /* a control's: room.h */
	uint32_t missing;     /* workers that have not said done */
	uint16_t port;        /* tcp */
	uint8_t state;        /* enum entry_state */
	bool failed;          /* some worker could not serve it */
	bool evicted;         /* its owner was told to close it */
	bool displaced;       /* ... for want of room */
	bool tenured;         /* its hosts are its user's */
};

/* What all of them have; all zero is nothing. */
struct grants {
	struct names names; /* to their registrations */
	struct tenures tenures;
};

/* Whether it is told to go already, or goes. */
static inline bool registration_is_leaving(const struct registration *r)
{
	return r->evicted || r->state == ENTRY_WITHDRAWING;
}

void registration_set_state(struct registration *r, enum entry_state state);

/* Whether the name is free for one that is not in its holder's group. */
enum verdict registration_look(const struct names *n, enum name_kind kind,
	const char *name) must_check;

/* The name of a port, in decimal. */
const char *registration_port(char text[static 8], uint16_t port);

/* Whether a proxy's claim can have its names; the error (frp's) if taken. */
enum verdict registration_look_at_proxy(const struct grants *g,
	const struct claim *c,
	char error[static REGISTRY_ERROR_SIZE]) must_check;

/* Enter them all, with its port; false without memory: some are. */
bool registration_enter(struct grants *g, struct registration *r) must_check;

/* It begins to be taken back from the workers. */
void registration_withdraw(struct grants *g, struct registration *r);

/* Give them up; what it has with its group the others keep. */
void registration_leave(struct grants *g, struct registration *r);

#endif
