/* SPDX-License-Identifier: Apache-2.0 */

/* What users may publish, and what is another's. */
// links: server/users/policy.c server/users/users.c server/users/settings_users.c common/conf/join.c common/crypto/login_proof.c common/crypto/cipher.c common/crypto/random.c common/crypto/base64.c common/http/host.c common/http/text.c common/base/address.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c common/relay/throttle.c server/users/user_load.c
// libs: -lyaml boringssl

#include "server/users/policy.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *alices[] = { "www.a.test", "*.Alice.Test.", "both.test",
	"z.c.test", "x.y.alice.test" };
static const char *bobs[] = { "*.a.test", "both.test" };
static struct conf_range alices_ports[] = { { 6000, 6009 }, { 7777, 7777 } };
static struct conf_range bobs_ports[] = { { 7777, 7777 }, { 8000, 8000 } };

static struct settings_user list[] = {
	{ .name = "alice",
		.frp_token = "a",
		.domains = { 5, alices },
		.ports = { 2, alices_ports },
		.expires = "",
		.bandwidth = "" },
	{ .name = "bob",
		.frp_token = "b",
		.domains = { 2, bobs },
		.ports = { 2, bobs_ports },
		.types = SETTINGS_TYPE_TCP | SETTINGS_TYPE_HTTP,
		.expires = "",
		.bandwidth = "" },
	{ .name = "carol",
		.frp_token = "c",
		.types = SETTINGS_TYPE_HTTP,
		.max_proxies = 2,
		.expires = "",
		.bandwidth = "" },
};
static const struct settings_users all = { ARRAY_SIZE(list), list };
static struct users *users;
static const struct user *alice, *bob, *carol;

static void setup(void)
{
	users = users_make(&all, NULL, NULL);
	alice = users_find(users, "alice");
	bob = users_find(users, "bob");
	carol = users_find(users, "carol");
	cr_assert(alice && bob && carol);
}

static void done(void)
{
	users_drop(&users);
}

TestSuite(policy, .init = setup, .fini = done);

static const char *ask(const struct user *u, struct policy_wish wish)
{
	static char error[POLICY_ERROR_SIZE];

	return policy_allows(users, u, &wish, error) ? "" : error;
}

static void expect_host(const struct user *u, const char *host, const char *why)
{
	char name[64], *hosts[] = { (char *)host };
	const char *have;

	snprintf(name, sizeof(name), "%s.x", u ? user_name(u) : "x");
	have = ask(u,
		(struct policy_wish){ name, SETTINGS_TYPE_HTTP, hosts, 1, 0 });
	cr_assert(*why ? !!strstr(have, why) : !*have, "%s: %s", host, have);
}

Test(policy, names)
{
	struct policy_wish w = { "alice.x", SETTINGS_TYPE_HTTP, NULL, 0, 0 };

	cr_assert_str_empty(ask(alice, w));
	cr_assert(strstr(ask(bob, w), "does not begin with"));
	cr_assert(strstr(ask(NULL, w), "belongs to a user"));
	for (const char *const *name = (const char *const[]){ "Alice.x",
		     "ALICE.x", "bob.", "carol.a.b", NULL };
		*name; name++) {
		w.name = *name;
		cr_assert(
			strstr(ask(NULL, w), "belongs to a user"), "%s", *name);
		cr_assert(strstr(ask(alice, w), "does not begin"), "%s", *name);
	}
	for (const char *const *name = (const char *const[]){ "alice", "x",
		     "alicex.y", ".alice", "ali.ce", NULL };
		*name; name++) {
		w.name = *name;
		cr_assert_str_empty(ask(NULL, w), "%s", *name);
		cr_assert(strstr(ask(alice, w), "does not begin"), "%s", *name);
	}
}

Test(policy, domains)
{
	const char *others = "belongs to another user";

	expect_host(alice, "www.a.test", "");
	/* Bob's listing covers it, hers is closer. */
	expect_host(bob, "www.a.test", others);
	expect_host(bob, "x.a.test", "");
	expect_host(bob, "*.a.test", "");
	expect_host(alice, "x.a.test", others);
	expect_host(carol, "x.a.test", others);
	expect_host(NULL, "x.a.test", others);
	expect_host(alice, "x.y.alice.test", "");
	expect_host(alice, "*.y.alice.test", "");
	expect_host(alice, "alice.test", "not among the domains");
	expect_host(carol, "alice.test", "");
	expect_host(carol, "alice.test.x", "");
	expect_host(carol, "malice.test", "");
	/* Who both list it share it. */
	expect_host(alice, "both.test", "");
	expect_host(bob, "both.test", "");
	expect_host(carol, "both.test", others);
	/* A wildcard above what others have would take their visitors. */
	expect_host(carol, "*.test", "below it");
	expect_host(NULL, "*", "below it");
	expect_host(carol, "*.c.test", "below it");
	expect_host(carol, "*.d.test", "");
	expect_host(NULL, "c.test", "");
	/* Not if they are one's own. */
	expect_host(alice, "*.y.alice.test", "");
}

/* For visitors of https, whose name stands in no claim. */
Test(policy, who_lists_a_host)
{
	static const struct {
		const char *host;
		enum policy_listing alices, bobs, carols;
	} rows[] = {
		{ "www.a.test", POLICY_LISTED, POLICY_OF_OTHERS,
			POLICY_OF_OTHERS },
		{ "x.a.test", POLICY_OF_OTHERS, POLICY_LISTED,
			POLICY_OF_OTHERS },
		{ "both.test", POLICY_LISTED, POLICY_LISTED, POLICY_OF_OTHERS },
		{ "alice.test", POLICY_UNLISTED, POLICY_UNLISTED,
			POLICY_UNLISTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *host = rows[i].host;

		cr_assert_eq(policy_lists(users, host, alice->load),
			rows[i].alices, "%s", host);
		cr_assert_eq(policy_lists(users, host, bob->load), rows[i].bobs,
			"%s", host);
		cr_assert_eq(policy_lists(users, host, carol->load),
			rows[i].carols, "%s", host);
		cr_assert_eq(policy_lists(NULL, host, NULL), POLICY_UNLISTED);
	}
}

Test(policy, ports)
{
	cr_assert(policy_allows_port(users, alice, 6000));
	cr_assert(policy_allows_port(users, alice, 6009));
	cr_assert(policy_allows_port(users, alice, 7777));
	cr_assert(policy_allows_port(users, bob, 7777));
	cr_assert_not(policy_allows_port(users, alice, 6010));
	cr_assert_not(policy_allows_port(users, alice, 8000));
	cr_assert_not(policy_allows_port(users, bob, 6000));
	cr_assert_not(policy_allows_port(users, carol, 6000));
	cr_assert_not(policy_allows_port(users, NULL, 7777));
	cr_assert(policy_allows_port(users, carol, 6010));
	cr_assert(policy_allows_port(users, NULL, 1));
	cr_assert(policy_allows_port(NULL, NULL, 6000));
}

static void expect_port(const struct user *u, int64_t port, const char *why)
{
	char name[64];
	const char *have;

	snprintf(name, sizeof(name), "%s.x", u ? user_name(u) : "x");
	have = ask(u, (struct policy_wish){
			      name, SETTINGS_TYPE_HTTP, NULL, 0, port });
	cr_assert(
		*why ? !!strstr(have, why) : !*have, "%d: %s", (int)port, have);
}

Test(policy, ports_of_a_wish)
{
	expect_port(alice, 6009, "");
	expect_port(alice, 6010, "port 6010 is not among the ports");
	expect_port(bob, 65535, "port 65535 is not among the ports");
	expect_port(carol, 6009, "port 6009 belongs to another user");
	expect_port(NULL, 6009, "port 6009 belongs to another user");
	expect_port(carol, 6010, "");
	/* None, and what is none. */
	expect_port(alice, 0, "");
	expect_port(alice, -1, "");
	expect_port(alice, 65536, "");
	expect_port(carol, 65536 + 6009, "");
}

Test(policy, types)
{
	struct policy_wish w = { "carol.x", SETTINGS_TYPE_TCP, NULL, 0, 0 };

	cr_assert(strstr(ask(carol, w), "proxies of type [tcp]"));
	w.type = SETTINGS_TYPE_HTTPS;
	cr_assert(strstr(ask(carol, w), "proxies of type [https]"));
	w.type = SETTINGS_TYPE_HTTP;
	cr_assert_str_empty(ask(carol, w));
	w.name = "bob.x";
	cr_assert_str_empty(ask(bob, w));
}

Test(policy, without_users_everything)
{
	char *hosts[] = { "*", "www.a.test" }, error[POLICY_ERROR_SIZE];
	const struct policy_wish w = { "alice.x", SETTINGS_TYPE_HTTP, hosts, 2,
		6000 };

	cr_assert(policy_allows(NULL, NULL, &w, error));
}

/* A new table knows how many there are. */
Test(policy, loads_outlive_the_table)
{
	struct users *next;

	cr_assert(user_take_proxy(carol));
	cr_assert(user_take_proxy(carol));
	cr_assert_not(user_take_proxy(carol));
	next = users_make(&all, NULL, users);
	users_drop(&users);
	users = next;
	carol = users_find(users, "carol");
	cr_assert_not(user_take_proxy(carol));
	user_load_give_proxy(carol->load);
	cr_assert(user_take_proxy(carol));
}

Test(policy, users_are_found)
{
	cr_assert_null(users_find(users, "Alice"));
	cr_assert_null(users_find(users, ""));
	cr_assert_null(users_find(NULL, "alice"));
	cr_assert_eq(users_find_by_proxy(users, "alice.web.x"), alice);
	cr_assert_null(users_find_by_proxy(users, "alice"));
	cr_assert_null(users_find_by_proxy(users, ".alice"));
}

/* It is the same one whom the table before knew, with whoever it serves. */
Test(policy, a_bandwidth_changes_with_the_table)
{
	struct settings_user says = { .name = "alice",
		.frp_token = "a",
		.expires = "",
		.bandwidth = "1.5MB" };
	struct users *next =
		users_make(&(struct settings_users){ 1, &says }, NULL, users);
	struct user_load *load = alice->load;

	cr_assert_eq(users_find(next, "alice")->load, load);
	cr_assert_eq(load->out.rate, 3 << 19);
	cr_assert_eq(load->back.rate, 3 << 19);
	users_drop(&next);
	says.bandwidth = "";
	next = users_make(&(struct settings_users){ 1, &says }, NULL, users);
	cr_assert_eq(load->out.rate, 0);
	cr_assert_eq(load->back.rate, 0);
	users_drop(&next);
}
