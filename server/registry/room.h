/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Room for controls: how many are registered, and who makes room for one more
 * when there are as many as may be. That is one of frp's kind that has proven
 * nothing yet, as its login may be one that somebody has listened to and sends
 * again and again; the oldest first.
 */

#ifndef ADIT_SERVER_REGISTRY_ROOM_H
#define ADIT_SERVER_REGISTRY_ROOM_H

#include "server/registry/registration.h"

struct room {
	struct list unproven; /* their registrations, the oldest first */
	uint32_t used;        /* all that are registered */
	uint32_t leaving;     /* of these, those that make room */
	uint32_t waiting;     /* claims that wait for it */
};

void room_init(struct room *room);

/* A control is registered. */
void room_enter(struct room *room, struct registration *r);

/* Its owner has proven that it is no replay: it stays. */
void room_prove(struct room *room, struct ref owner);

/* It has gone. */
void room_leave(struct room *room, struct registration *r);

/*
 * Whether there is room for one more, of `max`. VERDICT_WAIT: the claim is
 * counted among those that wait, and *r_r, if not NULL, is to be evicted for
 * it. When one has gone `waiting` is zero again, and all that wait look again.
 */
enum verdict room_look(
	struct room *room, int64_t max, struct registration **r_r) must_check;

#endif
