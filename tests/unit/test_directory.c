/* SPDX-License-Identifier: Apache-2.0 */

/* Routes: found by host, run id and entry, held by those who use them. */
// links: server/directory.c server/claim.c

#include "server/directory.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct directory d;

static void teardown(void)
{
	directory_clear(&d);
}

TestSuite(directory, .fini = teardown);

static struct handle entry(uint32_t i)
{
	return (struct handle){ i, 1 };
}

static struct route *add(
	uint32_t i, enum claim_kind kind, const char *name, const char *host)
{
	char *v[] = { (char *)host };
	struct claim_texts hosts = { host ? 1 : 0, v };
	struct claim *c = claim_new(kind, name, &hosts, NULL);
	struct route *r;

	cr_assert(c);
	cr_assert_eq(directory_add(&d, c, entry(i), &r), 0);
	return r;
}

Test(directory, claims_are_one_block)
{
	char *v[] = { "a.test", "", "*.b.test", "login", "host", "A", "b" };
	struct claim_texts hosts = { 3, v }, terms = { 4, v + 3 };
	struct claim *c = claim_new(CLAIM_HTTP, "name", &hosts, &terms), *copy;
	const char *h;

	copy = claim_copy(c);
	memset(c, 0xff, c->size);
	free(c);
	cr_assert_str_eq(claim_name(copy), "name");
	h = claim_first_host(copy);
	for (int i = 0; i < 3; i++, h = claim_next_host(copy, h))
		cr_assert_str_eq(h, v[i]);
	cr_assert_null(h);
	h = claim_first_term(copy);
	for (int i = 3; i < 7; i++, h = claim_next_term(copy, h))
		cr_assert_str_eq(h, v[i]);
	cr_assert_null(h);
	free(copy);
	c = claim_new(CLAIM_TCP, "", NULL, NULL);
	cr_assert_null(claim_first_host(c));
	cr_assert_null(claim_first_term(c));
	free(c);
}

Test(directory, hosts)
{
	static const struct {
		const char *host;
		int want; /* -1: nobody */
	} rows[] = {
		{ "a.example.com", 0 },
		{ "b.example.com", 1 },
		{ "x.y.example.com", 2 },
		{ "x.b.y.example.com", 2 },
		{ "b.y.example.com", 2 },
		{ "example.com", -1 },
		{ "com", -1 },
		{ "a.other.com", -1 },
		{ "", -1 },
	};
	struct route *r[3], *all;

	r[0] = add(0, CLAIM_HTTP, "0", "a.example.com");
	r[1] = add(1, CLAIM_HTTP, "1", "*.example.com");
	r[2] = add(2, CLAIM_HTTP, "2", "*.y.example.com");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_assert_eq(directory_route(&d, rows[i].host),
			rows[i].want < 0 ? NULL : r[rows[i].want], "%s",
			rows[i].host);
	/* "*.com" never serves "example.com", "*" serves everybody. */
	add(4, CLAIM_HTTP, "4", "*.com");
	cr_assert_null(directory_route(&d, "example.com"));
	all = add(5, CLAIM_HTTP, "5", "*");
	cr_assert_eq(directory_route(&d, "example.com"), all);
	cr_assert_eq(directory_route(&d, ""), all);
	directory_remove(&d, all);
	cr_assert_null(directory_route(&d, "example.com"));
}

Test(directory, controls_and_entries)
{
	struct route *r = add(7, CLAIM_CONTROL, "id", NULL);

	cr_assert_eq(directory_find_control(&d, "id"), r);
	cr_assert_null(directory_find_control(&d, ""));
	cr_assert_eq(directory_find(&d, entry(7)), r);
	cr_assert_null(directory_find(&d, entry(8)));
	/* A proxy may have the name of a run id. */
	add(8, CLAIM_TCP, "id", NULL);
	cr_assert_eq(directory_find_control(&d, "id"), r);
	directory_remove(&d, r);
	cr_assert_null(directory_find_control(&d, "id"));
	cr_assert_not_null(directory_find(&d, entry(8)));
}

Test(directory, a_route_lives_as_long_as_it_is_held)
{
	struct route *r = add(1, CLAIM_HTTP, "n", "a.test"),
		     *held = route_hold(r);

	cr_assert_not(held->closed);
	directory_remove(&d, r);
	cr_assert(held->closed);
	cr_assert_null(directory_route(&d, "a.test"));
	cr_assert_str_eq(route_name(held), "n");
	route_drop(&held);
	cr_assert_null(held);
}
