/* SPDX-License-Identifier: Apache-2.0 */

/* Routes: found by place, run id and entry, held by those who use them. */
// links: server/registry/directory.c server/registry/claim.c server/registry/sites.c server/users/policy.c server/users/user_load.c common/relay/throttle.c

#include "server/registry/directory.h"

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

/* What an http claim may say; NULL: nothing. */
struct place_terms {
	const char *host, *location, *user, *group;
};

static struct route *add_place(
	uint32_t i, const char *name, const struct place_terms *t)
{
	char *hosts[] = { (char *)t->host };
	char *terms[] = { "", "", t->user ? (char *)t->user : "",
		t->group ? (char *)t->group : "", "", (char *)t->location };
	struct claim *c =
		claim_new(CLAIM_HTTP, name, &(struct claim_texts){ 1, hosts },
			&(struct claim_texts){ t->location ? 6 : 5, terms });
	struct route *r;

	cr_assert(c);
	c->locations = t->location ? 1 : 0;
	cr_assert_eq(directory_add(&d, c, entry(i), &r), 0);
	return r;
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

static struct route *find(const char *host, const char *path, const char *user)
{
	struct place *p = sites_find(&d.sites, NULL, host, text_of(path), user);

	return p ? place_turn(p, NULL) : NULL;
}

static struct route *of_host(const char *host)
{
	return find(host, "/", "");
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
	for (uint32_t i = 0; i < 4; i++)
		cr_assert_str_eq(claim_term(copy, i), v[3 + i]);
	cr_assert_str_eq(claim_next_term(claim_term(copy, 0)), "host");
	cr_assert_str_eq(claim_term(copy, 4), "");
	free(copy);
	c = claim_new(CLAIM_TCP, "", NULL, NULL);
	cr_assert_null(claim_first_host(c));
	cr_assert_str_eq(claim_term(c, 0), "");
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
		cr_assert_eq(of_host(rows[i].host),
			rows[i].want < 0 ? NULL : r[rows[i].want], "%s",
			rows[i].host);
	/* "*.com" never serves "example.com", "*" serves everybody. */
	add(4, CLAIM_HTTP, "4", "*.com");
	cr_assert_null(of_host("example.com"));
	all = add(5, CLAIM_HTTP, "5", "*");
	cr_assert_eq(of_host("example.com"), all);
	cr_assert_eq(of_host(""), all);
	directory_remove(&d, all);
	cr_assert_null(of_host("example.com"));
}

/* What is found by a server name is not found by a request, nor otherwise. */
Test(directory, tls_sites)
{
	struct route *web = add(1, CLAIM_HTTP, "web", "a.test");
	struct route *tls = add(2, CLAIM_HTTPS, "tls", "a.test");
	struct route *all = add(3, CLAIM_HTTPS, "all", "*");
	struct place *p =
		sites_find(&d.tls_sites, NULL, "a.test", text_of(""), "");

	cr_assert_eq(of_host("a.test"), web);
	cr_assert_null(of_host("b.test"));
	cr_assert_eq(place_turn(p, NULL), tls);
	cr_assert_null(tls->group);
	p = sites_find(&d.tls_sites, NULL, "", text_of(""), "");
	cr_assert_eq(place_turn(p, NULL), all);
	directory_remove(&d, tls);
	cr_assert_eq(of_host("a.test"), web);
	p = sites_find(&d.tls_sites, NULL, "a.test", text_of(""), "");
	cr_assert_eq(place_turn(p, NULL), all);
	directory_remove(&d, all);
	cr_assert_null(
		sites_find(&d.tls_sites, NULL, "a.test", text_of(""), ""));
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
	cr_assert_null(of_host("a.test"));
	cr_assert_str_eq(route_name(held), "n");
	route_drop(&held);
	cr_assert_null(held);
}

Test(directory, locations)
{
	static const struct place_terms rows[] = {
		{ "a.test", NULL, NULL, NULL },
		{ "a.test", "/foo", NULL, NULL },
		{ "a.test", "/foo/bar", NULL, NULL },
		{ "a.test", "/", "bob", NULL },
		{ "a.test", "/foo/b", "bob", NULL },
		{ "*.b.test", NULL, NULL, NULL },
		{ "x.b.test", "/only", NULL, NULL },
		{ "*", "/any", NULL, NULL },
	};
	static const struct {
		const char *host, *path, *user;
		int want; /* -1: nobody */
	} wanted[] = {
		{ "a.test", "/", "", 0 },
		{ "a.test", "/foo", "", 1 },
		{ "a.test", "/foobar", "", 1 },
		{ "a.test", "/fo", "", 0 },
		{ "a.test", "/FOO", "", 0 },
		{ "a.test", "/foo/bar/x", "", 2 },
		{ "a.test", "", "", 0 },
		{ "a.test", "/foo/bar", "bob", 4 },
		{ "a.test", "/foo/x", "bob", 3 },
		{ "a.test", "/foo/x", "eve", 1 },
		/* A miss falls through to the wildcard, and that to "*". */
		{ "x.b.test", "/only", "", 6 },
		{ "x.b.test", "/else", "", 5 },
		{ "c.test", "/any", "", 7 },
		{ "c.test", "/else", "", -1 },
		{ "a.test", "/any", "", 0 },
	};
	struct route *r[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		r[i] = add_place((uint32_t)i, "n", &rows[i]);
	cr_assert_eq(d.sites.located, 5);
	cr_assert_eq(d.sites.of_user, 2);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		cr_assert_eq(
			find(wanted[i].host, wanted[i].path, wanted[i].user),
			wanted[i].want < 0 ? NULL : r[wanted[i].want],
			"row %zu", i);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		directory_remove(&d, r[i]);
	cr_assert_null(d.sites.table);
	cr_assert_eq(d.sites.located + d.sites.of_user, 0);
}

Test(directory, groups)
{
	static const struct place_terms t = { "a.test", NULL, NULL, "g" };
	struct route *a = add_place(1, "a", &t), *b = add_place(2, "b", &t),
		     *c = add_place(3, "c", &t), *held;
	struct place *p =
		sites_find(&d.sites, NULL, "a.test", text_of("/"), "");

	cr_assert_eq(of_host("a.test"), a);
	cr_assert_eq(of_host("a.test"), b);
	cr_assert_eq(of_host("a.test"), c);
	cr_assert_eq(of_host("a.test"), a);
	/* The first one's terms are all others'. */
	cr_assert_eq(a->lead, a);
	cr_assert_eq(b->lead, a);
	cr_assert_eq(place_turn(p, b), c);
	cr_assert(place_has_other(p, b));
	directory_remove(&d, a);
	cr_assert_eq(b->lead->entry.index, 1);
	cr_assert_eq(of_host("a.test"), b);
	held = route_hold(b);
	directory_remove(&d, b);
	cr_assert_eq(place_turn(held->group, held), c);
	directory_remove(&d, c);
	cr_assert_null(place_turn(held->group, held));
	cr_assert_not(place_has_other(held->group, held));
	cr_assert_null(of_host("a.test"));
	/* A new group of the name has nothing of the old one. */
	a = add_place(4, "d", &t);
	cr_assert_eq(a->lead, a);
	cr_assert_null(place_turn(held->group, held));
	route_drop(&held);
}
