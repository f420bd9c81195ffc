/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/room.h"

void room_init(struct room *room)
{
	*room = (struct room){ 0 };
	list_init(&room->unproven);
}

void room_enter(struct room *room, struct registration *r)
{
	room->used++;
	list_init(&r->unproven);
	if (*claim_term(r->claim, TERM_RECORD) && !r->claim->proven)
		list_append(&room->unproven, &r->unproven);
}

void room_prove(struct room *room, struct ref owner)
{
	list_each (l, &room->unproven) {
		struct registration *r =
			container_of(l, struct registration, unproven);

		if (ref_is_same(r->claim->owner, owner)) {
			list_remove(l);
			return;
		}
	}
}

void room_leave(struct room *room, struct registration *r)
{
	room->used--;
	room->leaving -= r->displaced;
	list_remove(&r->unproven);
}

/* Out of the list, in which some may be that go for another reason. */
static struct registration *take_oldest(struct room *room)
{
	struct list *l;

	while ((l = list_take(&room->unproven))) {
		struct registration *r =
			container_of(l, struct registration, unproven);

		if (!registration_is_leaving(r))
			return r;
	}
	return NULL;
}

enum verdict room_look(
	struct room *room, int64_t max, struct registration **r_r)
{
	*r_r = NULL;
	if (room->used < max)
		return VERDICT_FREE;
	/* Each of those that go makes room for one. */
	if (room->waiting >= room->leaving) {
		*r_r = take_oldest(room);
		if (!*r_r)
			return VERDICT_TAKEN;
		(*r_r)->displaced = true;
		room->leaving++;
	}
	room->waiting++;
	return VERDICT_WAIT;
}
