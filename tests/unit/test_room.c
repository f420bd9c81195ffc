/* SPDX-License-Identifier: Apache-2.0 */

/* Room for controls: who makes it, and for how many. */
// links: server/registry/room.c server/registry/claim.c server/users/user_load.c common/relay/throttle.c

#include "server/registry/room.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MAX 4

static struct room room;
static struct registration there[16];
static uint32_t count;

static void setup(void)
{
	room_init(&room);
}

static void done(void)
{
	while (count > 0)
		claim_free(there[--count].claim);
}

TestSuite(room, .init = setup, .fini = done);

static struct registration *enter(const char *record, bool proven)
{
	char *terms[] = { (char *)record };
	struct claim_texts texts = { ARRAY_SIZE(terms), terms };
	struct registration *r = &there[count];

	r->claim = claim_new(CLAIM_CONTROL, "id", NULL, &texts);
	cr_assert(r->claim);
	r->claim->proven = proven;
	r->claim->owner.handle = (struct handle){ ++count, 1 };
	room_enter(&room, r);
	return r;
}

/* Who goes for one more that comes, who is told so; NULL: nobody. */
static struct registration *look(enum verdict expected)
{
	struct registration *r;

	cr_assert_eq(room_look(&room, MAX, &r), expected);
	if (r)
		r->evicted = true;
	return r;
}

static void leave(struct registration *r)
{
	room_leave(&room, r);
	room.waiting = 0;
}

Test(room, full_of_those_that_stay)
{
	struct registration *r = enter("a", true);

	enter("", false); /* of auth.token */
	enter("b", true);
	cr_assert_null(look(VERDICT_FREE));
	enter("", true);
	cr_assert_null(look(VERDICT_TAKEN));
	leave(r);
	cr_assert_null(look(VERDICT_FREE));
}

Test(room, the_oldest_unproven_goes)
{
	struct registration *first = enter("a", false), *second;

	enter("a", true);
	second = enter("b", false);
	enter("b", true);
	cr_assert_eq(look(VERDICT_WAIT), first);
	cr_assert_eq(look(VERDICT_WAIT), second);
	cr_assert_null(look(VERDICT_TAKEN));
	/* The first that waits gets its room, and the second looks again. */
	leave(first);
	cr_assert_null(look(VERDICT_FREE));
	enter("a", true);
	cr_assert_null(look(VERDICT_WAIT), "one is going");
	cr_assert_null(look(VERDICT_TAKEN));
	leave(second);
	cr_assert_null(look(VERDICT_FREE));
}

Test(room, who_has_proven_itself_stays)
{
	struct registration *first = enter("a", false);
	struct registration *second = enter("a", false);
	struct registration *third = enter("a", false);

	enter("a", true);
	room_prove(&room, first->claim->owner);
	/* That goes for another reason: its room may be another's already. */
	second->evicted = true;
	cr_assert_eq(look(VERDICT_WAIT), third);
	cr_assert_null(look(VERDICT_TAKEN));
	leave(second);
	cr_assert_null(look(VERDICT_FREE));
}
