/* SPDX-License-Identifier: Apache-2.0 */

/* Hosts are a user's while it has something there. */
// links: server/registry/tenures.c server/registry/claim.c server/users/user_load.c common/relay/throttle.c

#include "server/registry/tenures.h"

#include <criterion/criterion.h>

#include "server/users/user_load.h"

static struct claim *claim_of(struct user_load *l, char *first, char *second)
{
	char *v[] = { first, second };
	struct claim_texts hosts = { second ? 2 : 1, v };
	struct claim *c = claim_new(CLAIM_HTTP, "x", &hosts, NULL);

	cr_assert(c);
	c->load = user_load_hold(l);
	return c;
}

static enum verdict look(const struct tenures *t, const struct claim *c)
{
	const char *host;

	return tenures_look(t, c, &host);
}

Test(tenures, until_all_has_ended)
{
	struct user_load *alice = user_load_new(), *bob = user_load_new();
	struct claim *first = claim_of(alice, "a", "a");
	struct claim *second = claim_of(alice, "b", "a");
	struct claim *his = claim_of(bob, "c", "a");
	struct tenures t = { 0 };
	const char *host;

	cr_assert_eq(look(&t, his), VERDICT_FREE);
	cr_assert(tenures_enter(&t, first));
	cr_assert_eq(look(&t, second), VERDICT_FREE);
	cr_assert(tenures_enter(&t, second));
	cr_assert_eq(tenures_look(&t, his, &host), VERDICT_TAKEN);
	cr_assert_str_eq(host, "a");
	tenures_end_soon(&t, first);
	cr_assert_eq(look(&t, his), VERDICT_TAKEN);
	tenures_end_soon(&t, second);
	cr_assert_eq(look(&t, his), VERDICT_WAIT);
	tenures_leave(&t, first);
	cr_assert_eq(look(&t, his), VERDICT_WAIT);
	tenures_leave(&t, second);
	cr_assert_eq(look(&t, his), VERDICT_FREE);
	/* Without a record one is a user, too; who lists domains is none. */
	user_load_drop(&second->load);
	cr_assert(tenures_enter(&t, second));
	cr_assert_eq(look(&t, his), VERDICT_TAKEN);
	his->listed = true;
	cr_assert_eq(look(&t, his), VERDICT_FREE);
	cr_assert(tenures_enter(&t, his));
	tenures_end_soon(&t, his);
	tenures_leave(&t, his);
	tenures_clear(&t);
	cr_assert_eq(look(&t, first), VERDICT_FREE);
	claim_free(first);
	claim_free(second);
	claim_free(his);
	user_load_drop(&alice);
	user_load_drop(&bob);
}
