/* SPDX-License-Identifier: Apache-2.0 */

/* What a proxy has with its group, and when that is free. */
// links: server/registry/registration.c server/registry/tenures.c server/registry/names.c server/registry/claim.c server/users/user_load.c common/relay/throttle.c

#include "server/registry/registration.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/users/user_load.h"

#define MAX 8

static struct grants grants;
static struct registration there[MAX];
static struct user_load *alice, *bob;
static char error[REGISTRY_ERROR_SIZE];

static void setup(void)
{
	alice = user_load_new();
	bob = user_load_new();
	cr_assert(alice && bob);
}

static void leave(int i)
{
	registration_leave(&grants, &there[i]);
	claim_free(there[i].claim);
	there[i] = (struct registration){ 0 };
}

static void done(void)
{
	for (int i = 0; i < MAX; i++)
		if (there[i].claim)
			leave(i);
	cr_assert_null(grants.names.table, "a name is left");
	user_load_drop(&alice);
	user_load_drop(&bob);
}

TestSuite(registration, .init = setup, .fini = done);

/* What an http proxy says; NULL is "". */
struct says {
	const char *name, *host, *group, *key, *location;
};

static struct claim *claim_of(const struct says *s, struct user_load *load)
{
	char *hosts[] = { (char *)s->host };
	char *terms[] = { "", "", "", (char *)(s->group ? s->group : ""),
		(char *)(s->key ? s->key : ""),
		(char *)(s->location ? s->location : "") };
	struct claim *c = claim_new(CLAIM_HTTP, s->name,
		&(struct claim_texts){ 1, hosts },
		&(struct claim_texts){ ARRAY_SIZE(terms), terms });

	cr_assert(c);
	c->locations = 1;
	c->load = load ? user_load_hold(load) : NULL;
	return c;
}

static void enter(int i, struct claim *c)
{
	there[i].claim = c;
	list_init(&there[i].peers);
	cr_assert(registration_enter(&grants, &there[i]));
}

static enum verdict look(struct says s, struct user_load *load)
{
	struct claim *c = claim_of(&s, load);
	enum verdict v;

	*error = '\0';
	v = registration_look_at_proxy(&grants, c, error);
	claim_free(c);
	return v;
}

static void join(int i, struct says s, struct user_load *load)
{
	cr_assert_eq(look(s, load), VERDICT_FREE, "%s", error);
	enter(i, claim_of(&s, load));
}

static void expect_taken(struct says s, struct user_load *load, const char *why)
{
	cr_assert_eq(look(s, load), VERDICT_TAKEN, "%s", s.name);
	cr_assert_str_eq(error, why);
}

Test(registration, who_may_join_a_group)
{
	join(0, (struct says){ "a", "h", "g", "k", "/x" }, NULL);
	cr_assert_eq(look((struct says){ "b", "h", "g", "k", "/x" }, NULL),
		VERDICT_FREE);
	expect_taken((struct says){ "a", "h", "g", "k", "/x" }, NULL,
		"proxy [a] already exists");
	expect_taken((struct says){ "b", "h", "g", "l", "/x" }, NULL,
		"group auth failed");
	expect_taken((struct says){ "b", "h", "g", NULL, "/x" }, NULL,
		"group auth failed");
	expect_taken((struct says){ "b", "i", "g", "k", "/x" }, NULL,
		"group params invalid");
	expect_taken((struct says){ "b", "h", "g", "k", "/y" }, NULL,
		"group params invalid");
	/* Who is in no group, or in another one, has no place beside it. */
	expect_taken((struct says){ "b", "h", NULL, NULL, "/x" }, NULL,
		"router config conflict");
	expect_taken((struct says){ "b", "h", "f", "k", "/x" }, NULL,
		"router config conflict");
	cr_assert_eq(look((struct says){ "b", "h", NULL, NULL, "/y" }, NULL),
		VERDICT_FREE);
}

/* Whoever leaves: the others keep the group and its place to the last. */
Test(registration, a_group_stays_to_the_last)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const char *const names[] = { "a", "b", "c" };

	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		for (int i = 0; i < 3; i++)
			join(i, (struct says){ names[i], "h", "g", "k", "" },
				NULL);
		for (int i = 0; i < 3; i++) {
			expect_taken((struct says){ "d", "h", "g", "l", "" },
				NULL, "group auth failed");
			expect_taken((struct says){ "d", "h", NULL, NULL, "" },
				NULL, "router config conflict");
			cr_assert_eq(
				look((struct says){ "d", "h", "g", "k", "" },
					NULL),
				VERDICT_FREE);
			leave(orders[o][i]);
		}
		cr_assert_null(grants.names.table, "a name is left");
		cr_assert_eq(
			look((struct says){ "d", "i", "g", "l", "" }, NULL),
			VERDICT_FREE);
	}
}

/* The last one that goes is waited for; one of several is not. */
Test(registration, while_they_leave)
{
	join(0, (struct says){ "a", "h", "g", "k", "" }, NULL);
	join(1, (struct says){ "b", "h", "g", "k", "" }, NULL);
	registration_withdraw(&grants, &there[0]);
	expect_taken((struct says){ "c", "h", "g", "l", "" }, NULL,
		"group auth failed");
	leave(0);
	registration_withdraw(&grants, &there[1]);
	cr_assert_eq(look((struct says){ "c", "h", "g", "l", "" }, NULL),
		VERDICT_WAIT);
	cr_assert_eq(look((struct says){ "c", "h", NULL, NULL, "" }, NULL),
		VERDICT_WAIT);
	cr_assert_eq(look((struct says){ "b", "i", NULL, NULL, "" }, NULL),
		VERDICT_WAIT);
	cr_assert_eq(look((struct says){ "c", "h", "g", "k", "" }, NULL),
		VERDICT_FREE);
}

/* By the name that a user's proxies begin with; the others' are in common. */
Test(registration, groups_are_a_users_own)
{
	join(0, (struct says){ "alice.a", "h", "g", "k", "" }, alice);
	join(1, (struct says){ "bob.a", "i", "g", "l", "" }, bob);
	join(2, (struct says){ "a", "j", "g", "m", "" }, NULL);
	join(3, (struct says){ "alice.b", "h", "g", "k", "" }, alice);
	join(4, (struct says){ "x.b", "j", "g", "m", "" }, NULL);
	expect_taken((struct says){ "bob.b", "i", "g", "k", "" }, bob,
		"group auth failed");
}

/* Another path of a host is no other user's, until all of it has gone. */
Test(registration, a_host_is_one_users)
{
	const char *taken = "domain [h] is in use by another user";

	join(0, (struct says){ "alice.a", "h", NULL, NULL, "/a" }, alice);
	join(1, (struct says){ "alice.b", "h", NULL, NULL, "/b" }, alice);
	expect_taken(
		(struct says){ "bob.c", "h", NULL, NULL, "/c" }, bob, taken);
	registration_withdraw(&grants, &there[0]);
	expect_taken(
		(struct says){ "bob.c", "h", NULL, NULL, "/c" }, bob, taken);
	registration_withdraw(&grants, &there[1]);
	cr_assert_eq(look((struct says){ "bob.c", "h", NULL, NULL, "/c" }, bob),
		VERDICT_WAIT);
	leave(0);
	leave(1);
	cr_assert_eq(look((struct says){ "bob.c", "h", NULL, NULL, "/c" }, bob),
		VERDICT_FREE);
}

/* A host may have an http proxy and an https one, and one of each. */
Test(registration, http_and_https_are_apart)
{
	struct says says = { "a", "h", NULL, NULL, "" };
	struct claim *c;

	join(0, says, NULL);
	says.name = "b";
	c = claim_of(&says, NULL);
	c->kind = CLAIM_HTTPS;
	cr_assert_eq(registration_look_at_proxy(&grants, c, error),
		VERDICT_FREE, "%s", error);
	enter(1, c);
	leave(0);
	cr_assert_eq(look(says, NULL), VERDICT_TAKEN);
	says.name = "c";
	cr_assert_eq(look(says, NULL), VERDICT_FREE);
	c = claim_of(&says, NULL);
	c->kind = CLAIM_HTTPS;
	cr_assert_eq(
		registration_look_at_proxy(&grants, c, error), VERDICT_TAKEN);
	claim_free(c);
}

/* A port is its proxy's. */
Test(registration, ports)
{
	char text[8];

	there[0].port = 6000;
	enter(0, claim_new(CLAIM_TCP, "a", NULL, NULL));
	enter(1, claim_new(CLAIM_TCP, "b", NULL, NULL));
	cr_assert_eq(registration_look(&grants.names, NAME_OF_PORT,
			     registration_port(text, 6000)),
		VERDICT_TAKEN);
	leave(1);
	cr_assert_eq(registration_look(&grants.names, NAME_OF_PORT, "6000"),
		VERDICT_TAKEN);
	leave(0);
	cr_assert_eq(registration_look(&grants.names, NAME_OF_PORT, "6000"),
		VERDICT_FREE);
}

/* The terms of a control are others: its client id is nobody's group. */
Test(registration, a_control_has_no_group)
{
	char *terms[] = { "", "", "", "x", "192.0.2.1" };

	enter(0, claim_new(CLAIM_CONTROL, "run", NULL,
			 &(struct claim_texts){ ARRAY_SIZE(terms), terms }));
	cr_assert_eq(look((struct says){ "a", "h", "x", "k", "" }, NULL),
		VERDICT_FREE, "%s", error);
	cr_assert_eq(names_find(&grants.names, NAME_OF_CLIENT, "x"), &there[0]);
}
