/* SPDX-License-Identifier: Apache-2.0 */

/* Who makes room for a new control, and who is not disturbed by it. */
// links: server/registry/succession.c server/registry/registration.c server/registry/tenures.c server/registry/names.c server/registry/claim.c server/users/user_load.c common/relay/throttle.c

#include "server/registry/succession.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MAX 16

static struct grants grants;
static struct registration there[MAX];
static int count;
static struct claim *asked;
static struct succession s;

static void done(void)
{
	for (int i = 0; i < count; i++) {
		registration_leave(&grants, &there[i]);
		free(there[i].claim);
	}
	cr_assert_null(grants.names.table, "a name is left");
	free(asked);
}

TestSuite(succession, .fini = done);

/* What a login says; NULL is "". */
struct login {
	const char *record, *run_id, *before, *client;
	bool legacy, iv, again;
};

/* One that is signed; one of frp's kind. */
static struct login adit(const char *record, const char *run_id,
	const char *before, const char *client)
{
	return (struct login){ .record = record,
		.run_id = run_id,
		.before = before,
		.client = client };
}

static struct login frp(const char *record, const char *run_id, bool iv)
{
	return (struct login){
		.record = record, .run_id = run_id, .legacy = true, .iv = iv
	};
}

static struct claim *claim_of(const struct login *l)
{
	char *terms[] = { (char *)(l->record ? l->record : ""),
		(char *)(l->iv ? "00" : ""),
		(char *)(l->before ? l->before : ""),
		(char *)(l->client ? l->client : "") };
	struct claim_texts texts = { ARRAY_SIZE(terms), terms };
	struct claim *c = claim_new(CLAIM_CONTROL, l->run_id, NULL, &texts);

	cr_assert(c);
	c->proven = !l->legacy || l->iv;
	c->again = l->again;
	return c;
}

static struct registration *enter(struct login l)
{
	struct registration *r = &there[count++];

	r->claim = claim_of(&l);
	list_init(&r->peers);
	cr_assert(registration_enter(&grants, r));
	return r;
}

static enum verdict look(struct login l)
{
	free(asked);
	asked = claim_of(&l);
	return succession_look(&s, &grants.names, asked);
}

/* Just this one goes. */
static void expect(struct registration *r)
{
	cr_assert_eq(s.count, 1);
	cr_assert_eq(s.old[0], r);
}

Test(succession, nobody_is_there)
{
	cr_assert_eq(look(adit("a", "1", "2", "a/x")), VERDICT_FREE);
	cr_assert_eq(s.count, 0);
	cr_assert_null(s.rival);
}

Test(succession, by_the_run_id_that_is_named)
{
	struct registration *r = enter(adit("a", "1", NULL, NULL));

	cr_assert_eq(look(adit("a", "2", "1", NULL)), VERDICT_WAIT);
	expect(r);
	cr_assert_null(s.rival);
	/* Another user's is nobody's. */
	cr_assert_eq(look(adit("b", "2", "1", NULL)), VERDICT_FREE);
	cr_assert_eq(look(adit("", "2", "1", NULL)), VERDICT_FREE);
	cr_assert_eq(look(adit("a", "2", "3", NULL)), VERDICT_FREE);
}

Test(succession, by_client_id)
{
	struct registration *r = enter(adit("a", "1", NULL, "a/x"));

	cr_assert_eq(look(adit("a", "2", NULL, "a/x")), VERDICT_WAIT);
	expect(r);
	cr_assert_eq(s.rival, r);
	cr_assert_eq(look(adit("a", "2", NULL, "a/y")), VERDICT_FREE);
	/* Without one it is the client of no other without one. */
	enter(adit("a", "3", NULL, NULL));
	cr_assert_eq(look(adit("a", "2", NULL, NULL)), VERDICT_FREE);
	/* A record decides, whatever the names look like. */
	cr_assert_eq(look(adit("b", "2", NULL, "a/x")), VERDICT_FREE);
	enter(adit("b", "2", NULL, "a/x"));
	cr_assert_eq(look(adit("a", "4", NULL, "a/x")), VERDICT_WAIT);
	expect(r);
}

Test(succession, of_both)
{
	struct registration *one = enter(adit("a", "1", NULL, NULL));
	struct registration *two = enter(adit("a", "2", NULL, "a/x"));

	cr_assert_eq(look(adit("a", "3", "1", "a/x")), VERDICT_WAIT);
	cr_assert_eq(s.count, 2);
	cr_assert_eq(s.old[0], one);
	cr_assert_eq(s.old[1], two);
	cr_assert_eq(s.rival, two);
	/* One that is both goes once. */
	cr_assert_eq(look(adit("a", "3", "2", "a/x")), VERDICT_WAIT);
	expect(two);
}

Test(succession, is_no_rival_once_it_goes)
{
	struct registration *r = enter(adit("a", "1", NULL, "a/x"));

	r->evicted = true;
	cr_assert_eq(look(adit("a", "2", NULL, "a/x")), VERDICT_WAIT);
	expect(r);
	cr_assert_null(s.rival);
	r->evicted = false;
	registration_set_state(r, ENTRY_WITHDRAWING);
	cr_assert_eq(look(adit("a", "2", NULL, "a/x")), VERDICT_WAIT);
	cr_assert_null(s.rival);
}

/* frp's logins: their own run id, verbatim, and nothing else. */
Test(succession, of_frps_kind)
{
	struct registration *r = enter(frp("a", "1", false));
	struct login replay = frp("a", "1", true);

	replay.again = true;
	cr_assert_eq(look(frp("a", "1", false)), VERDICT_TAKEN,
		"it may be a replay");
	cr_assert_eq(s.count, 0);
	cr_assert_eq(look(replay), VERDICT_TAKEN, "so is an IV");
	cr_assert_eq(s.count, 0);
	cr_assert_eq(look(frp("a", "1", true)), VERDICT_WAIT);
	expect(r);
	cr_assert_eq(look(frp("b", "1", true)), VERDICT_TAKEN);
	/* Of auth.token anybody is as good as any. */
	r = enter(frp("", "2", false));
	cr_assert_eq(look(frp("", "2", false)), VERDICT_WAIT);
	expect(r);
	/* A signed one may come after one of frp's kind. */
	cr_assert_eq(look(adit("a", "3", "1", NULL)), VERDICT_WAIT);
}
