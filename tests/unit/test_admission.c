/* SPDX-License-Identifier: Apache-2.0 */

/* Who is let in by frp's login, and what those hear who are not. */
// links: server/users/admission.c server/users/users.c server/users/settings_users.c common/conf/join.c common/crypto/login.c common/crypto/login_proof.c common/crypto/cipher.c common/crypto/random.c common/crypto/base64.c common/http/host.c common/http/text.c common/base/address.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c common/relay/throttle.c server/users/user_load.c
// libs: -lyaml boringssl

#include "server/users/admission.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/crypto/login.h"
#include "server/settings.h"

#define NOW 1700000000
#define MINUTE 60
#define HOUR 3600

static struct settings_user list[] = {
	{ .name = "alice",
		.frp_token = "alice-secret",
		.expires = "",
		.bandwidth = "" },
	{ .name = "bob",
		.frp_token = "bob-secret",
		.max_skew_s = SETTINGS_SKEW_ANY,
		.expires = "",
		.bandwidth = "" },
	{ .name = "carol", .frp_token = "", .expires = "", .bandwidth = "" },
	{ .name = "off",
		.frp_token = "off-secret",
		.disabled = true,
		.expires = "",
		.bandwidth = "" },
	{ .name = "old",
		.frp_token = "old-secret",
		.expires = "2023-11-13",
		.bandwidth = "" },
	{ .name = "dora", .frp_token = "", .expires = "", .bandwidth = "" },
};
static char dora[PROOF_PUBLIC_TEXT];
static const char *doras[] = { dora };
static const struct settings_users all = { ARRAY_SIZE(list), list };
static struct settings settings;
static struct users *users;
static struct admission a;

static void setup(void)
{
	struct proof_key key;

	proof_key_derive(&key, "dora-token", strlen("dora-token"));
	proof_public_write(dora, key.public);
	list[5].keys = (struct conf_strings){ .n = 1, .v = doras };
	settings.auth_token = "shared";
	users = users_make(&all, NULL, NULL);
	cr_assert(users);
}

static void done(void)
{
	users_drop(&users);
}

TestSuite(admission, .init = setup, .fini = done);

static bool check(
	const char *user, const char *token, int64_t stamp, bool secure)
{
	char key[LOGIN_KEY_SIZE];
	struct message_login m = { .user = user,
		.privilege_key = key,
		.timestamp = stamp,
		.adit = { .key = "", .sig = "" } };
	struct admission_terms terms = { .settings = &settings,
		.users = users,
		.secure = secure,
		.now = NOW };

	login_key(key, token, stamp);
	return admission_check(&a, &terms, &m);
}

static const uint8_t here[PROOF_BINDING_SIZE] = { 1, 2, 3 };
static const uint8_t there[PROOF_BINDING_SIZE] = { 3, 2, 1 };

/* What a signed login holds; changed by the tests. */
static struct {
	const char *user, *privilege_key;
	const uint8_t *comes_on;
	bool no_token; /* the server has none */
	char key[PROOF_PUBLIC_TEXT + 1], sig[PROOF_SIGNATURE_TEXT + 2];
} s;

static void sign_for(
	const uint8_t *binding, const char *user, const char *token)
{
	struct proof_login what = {
		.binding = binding, .user = user, .client_id = "id"
	};
	uint8_t signature[PROOF_SIGNATURE_SIZE];
	struct proof_key key;

	proof_key_derive(&key, token, strlen(token));
	cr_assert(proof_sign(signature, &key, &what));
	s.user = user;
	s.comes_on = here;
	s.privilege_key = "";
	proof_public_write(s.key, key.public);
	proof_signature_write(s.sig, signature);
}

static void sign(const char *user, const char *token)
{
	sign_for(here, user, token);
}

static bool check_signed(void)
{
	struct message_login m = { .user = s.user,
		.client_id = "id",
		.privilege_key = s.privilege_key,
		.timestamp = NOW,
		.adit = { .key = s.key, .sig = s.sig } };
	struct proof_key shared;
	struct admission_terms terms = { .settings = &settings,
		.users = users,
		.token_key = s.no_token ? NULL : shared.public,
		.secure = true,
		.binding = s.comes_on,
		.now = NOW };

	proof_key_derive(&shared, "shared", 6);
	return admission_check(&a, &terms, &m);
}

static void expect_refused(const char *cause)
{
	cr_assert_not(check_signed(), "%s", cause);
	cr_assert_not(a.proven);
	cr_assert_str_eq(a.error, ADMISSION_WRONG);
	cr_assert_str_eq(a.cause, cause);
}

Test(admission, secrets)
{
	cr_assert(check("alice", "alice-secret", NOW, false));
	cr_assert_str_eq(user_name(a.user), "alice");
	cr_assert(check("", "shared", NOW, false));
	cr_assert_null(a.user);
	cr_assert_eq(a.keep_s, 0);
}

static void expect_wrong(
	const char *user, const char *token, const char *cause, bool failed)
{
	cr_assert_not(check(user, token, NOW, false), "%s", user);
	cr_assert_str_eq(a.error, ADMISSION_WRONG);
	cr_assert_str_eq(a.cause, cause);
	cr_assert_eq(a.failed, failed, "%s", user);
}

Test(admission, one_text_for_all_that_is_wrong)
{
	expect_wrong("alice", "bob-secret", "wrong token", true);
	expect_wrong("alice", "shared", "wrong token", true);
	expect_wrong("alice", "", "wrong token", true);
	expect_wrong("nobody", "shared", "unknown user", true);
	expect_wrong("nobody", "", "unknown user", true);
	/* No secret is not the empty one. */
	expect_wrong("carol", "", "no frpToken", true);
	expect_wrong("carol", "shared", "no frpToken", true);
	expect_wrong("off", "off-secret", "user is disabled", false);
	expect_wrong("off", "wrong", "wrong token", true);
	expect_wrong("old", "old-secret", "user has expired", false);
	expect_wrong("", "alice-secret", "wrong token", true);
	settings.auth_token = "";
	expect_wrong("", "", "no auth.token", true);
}

/* What stands for nobody's secret lets nobody in. */
Test(admission, nobodys_secret)
{
	expect_wrong("nobody",
		"adit_nobody------------------------------------------",
		"unknown user", true);
	expect_wrong("carol",
		"adit_nobody------------------------------------------",
		"no frpToken", true);
}

/* Another one's record is looked at, and lets nobody in. */
Test(admission, anothers_record)
{
	char name[16], secret[32];
	size_t seen = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		expect_wrong(name, "x", "unknown user", true);
		cr_assert_null(a.user);
		cr_assert(a.record >= users->list &&
			  a.record < users->list + users->count);
		seen |= (size_t)1 << (a.record - users->list);
		/* By its secret, too. */
		snprintf(secret, sizeof(secret), "%s",
			a.record->says->frp_token);
		expect_wrong(name, secret, "unknown user", true);
		sign(name, "dora-token");
		expect_refused("unknown user");
	}
	cr_assert_gt(__builtin_popcountll(seen), 3, "one for all of them");
}

Test(admission, names)
{
	static const char *const none[] = { "alic", "alicea", "Alice", "a",
		"alice-and-more-than-thirty-two-bytes",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct settings_user one = { .name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		.bandwidth = "",
		.frp_token = "x",
		.expires = "" };
	struct settings_users of_one = { 1, &one }, of_none = { 0, NULL };
	struct users *others;
	bool known = true;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		cr_assert_str_eq(user_name(users_find(users, list[i].name)),
			list[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		cr_assert_null(users_find(users, none[i]), "%s", none[i]);
	cr_assert_null(users_find(users, ""));
	cr_assert_null(users_find(NULL, "alice"));
	cr_assert_str_eq(
		user_name(users_find_by_proxy(users, "bob.web.x")), "bob");
	cr_assert_null(users_find_by_proxy(users, "bob"));
	cr_assert_null(users_find_by_proxy(users, ".bob"));
	others = users_make(&of_one, NULL, NULL);
	cr_assert(users_find(others, one.name));
	cr_assert_null(users_find(others, "b"));
	cr_assert_null(users_find(others, "alice-and-more-than-32-bytes----"));
	users_drop(&others);
	others = users_make(&of_none, NULL, NULL);
	cr_assert_null(users_find_evenly(others, "alice", &known));
	cr_assert_not(known);
	users_drop(&others);
}

/* Where nobody is there, nobody comes in. */
Test(admission, no_users)
{
	struct settings_users of_none = { 0, NULL };

	users_drop(&users);
	users = users_make(&of_none, NULL, NULL);
	expect_wrong("alice", "alice-secret", "unknown user", true);
	expect_wrong("alice", "", "unknown user", true);
	sign("alice", "alice-secret");
	expect_refused("unknown user");
	cr_assert(check("", "shared", NOW, false));
}

Test(admission, without_users_as_frp)
{
	users_drop(&users);
	cr_assert(check("", "shared", NOW - 1000000, false));
	cr_assert(check("alice", "shared", 0, false));
	cr_assert_null(a.user);
	expect_wrong("alice", "alice-secret", "wrong token", true);
	settings.auth_token = "";
	cr_assert(check("anybody", "", NOW, false));
}

Test(admission, windows)
{
	cr_assert(check("alice", "alice-secret", NOW - 15 * MINUTE, false));
	/* As over TLS, where it may come again. */
	cr_assert_eq(a.keep_s, 48 * HOUR);
	cr_assert_not(
		check("alice", "alice-secret", NOW - 15 * MINUTE - 1, false));
	cr_assert_not(a.failed);
	cr_assert_str_eq(a.cause, "its clock is off");
	cr_assert_str_eq(a.error,
		"the client's clock is 15 min 1 s behind the server's, 15 min "
		"0 s at most are allowed: set it right, or set maxClockSkew "
		"for this user");
	cr_assert(check("alice", "alice-secret", NOW + 10 * HOUR, true));
	cr_assert_eq(a.keep_s, 48 * HOUR);
	cr_assert_not(check("alice", "alice-secret", NOW + 25 * HOUR, true));
	cr_assert(strstr(a.error, "is 25 h 0 min ahead of the server's, 24 h"));
	cr_assert(check("bob", "bob-secret", 0, false));
	cr_assert_eq(a.keep_s, 48 * HOUR);
	cr_assert(check("bob", "bob-secret", INT64_MIN, false));
	cr_assert_not(check("alice", "alice-secret", INT64_MIN, false));
	cr_assert_not(check("alice", "alice-secret", INT64_MAX, false));
	settings.login_window_s = 5;
	cr_assert(check("alice", "alice-secret", NOW - 5, false));
	cr_assert_eq(a.keep_s, 10);
	cr_assert_not(check("alice", "alice-secret", NOW - 6, true));
	cr_assert_not(check("", "shared", NOW - 6, false));
	cr_assert(strstr(a.error, "is 6 s behind"));
	cr_assert(check("bob", "bob-secret", NOW - 6, false));
	/* Who does not know the secret hears nothing of clocks. */
	expect_wrong("alice", "x", "wrong token", true);
}

Test(admission, text_from_outside)
{
	char out[ADMISSION_TEXT_SIZE], longer[200];

	admission_text(out, "alice_2.web:x-y");
	cr_assert_str_eq(out, "alice_2.web:x-y");
	admission_text(out, "a\nlogin of [1.2.3.4] refused\"%");
	cr_assert_str_eq(out, "a%0Alogin%20of%20%5B1.2.3.4%5D%20refused%22%25");
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	admission_text(out, longer);
	cr_assert_leq(strlen(out), 64);
	cr_assert_eq(strspn(out, "%0A"), strlen(out));
}

Test(admission, signatures)
{
	sign("dora", "dora-token");
	cr_assert(check_signed());
	cr_assert(a.proven);
	cr_assert_str_eq(user_name(a.user), "dora");
	cr_assert_eq(a.keep_s, 0);
	sign("", "shared");
	cr_assert(check_signed());
	cr_assert_null(a.user);
}

Test(admission, signatures_that_are_worth_nothing)
{
	sign("dora", "dora-token");
	s.comes_on = there;
	expect_refused("wrong signature");
	/* Outside TLS of ours. */
	s.comes_on = NULL;
	expect_refused("wrong signature");
	/* A valid key, and another one's name. */
	sign("alice", "dora-token");
	expect_refused("unknown key");
	sign("nobody", "dora-token");
	expect_refused("unknown user");
	sign("dora", "stolen");
	expect_refused("unknown key");
	sign("", "dora-token");
	expect_refused("unknown key");
	sign("dora", "shared");
	expect_refused("unknown key");
	/* Of a server without auth.token. */
	sign("", "shared");
	s.no_token = true;
	expect_refused("unknown key");
}

/* Nor of no connection, as one without TLS has none to be signed. */
Test(admission, a_signature_for_nowhere)
{
	static const uint8_t nowhere[PROOF_BINDING_SIZE];

	sign_for(nowhere, "dora", "dora-token");
	s.comes_on = NULL;
	expect_refused("wrong signature");
}

/* A key is no way around them. */
Test(admission, signatures_of_who_may_not)
{
	static const struct {
		bool disabled;
		const char *expires, *cause;
	} rows[] = { { true, "", "user is disabled" },
		{ false, "2023-11-13", "user has expired" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		users_drop(&users);
		list[5].disabled = rows[i].disabled;
		list[5].expires = rows[i].expires;
		users = users_make(&all, NULL, NULL);
		sign("dora", "dora-token");
		expect_refused(rows[i].cause);
		cr_assert_not(a.failed);
	}
}

/* Nothing less counts where there is a signature, or a part of one. */
Test(admission, no_way_down)
{
	char key[LOGIN_KEY_SIZE];

	login_key(key, "alice-secret", NOW);
	sign("alice", "alice-secret");
	s.privilege_key = key;
	expect_refused("unknown key");
	s.sig[0] = '\0';
	expect_refused("wrong signature");
	sign("alice", "alice-secret");
	s.privilege_key = key;
	s.key[0] = '\0';
	expect_refused("wrong signature");
}

Test(admission, one_spelling_of_a_signature)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t last = PROOF_SIGNATURE_TEXT - 2;

	sign("dora", "dora-token");
	strcat(s.sig, "=");
	expect_refused("wrong signature");
	sign("dora", "dora-token");
	/* Bits that are nobody's. */
	s.sig[last] = digits[(strchr(digits, s.sig[last]) - digits) ^ 1];
	expect_refused("wrong signature");
	sign("dora", "dora-token");
	strcat(s.key, "=");
	expect_refused("wrong signature");
}
