/* SPDX-License-Identifier: Apache-2.0 */

/* Failed logins by user: what is told of them, and when. */
// links: server/users/guesses.c server/users/users.c server/users/settings_users.c common/base/log.c common/base/log_line.c common/base/log_out.c common/base/utf8.c common/conf/join.c common/crypto/login_proof.c common/crypto/cipher.c common/crypto/random.c common/crypto/base64.c common/http/host.c common/http/text.c common/base/address.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c server/users/user_load.c common/base/bandwidth.c common/relay/throttle.c
// libs: -lyaml boringssl

#include "server/users/guesses.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "server/users/admission.h"

static struct settings_user list[] = {
	{ .name = "alice", .frp_token = "a", .expires = "", .bandwidth = "" },
	{ .name = "bob", .frp_token = "b", .expires = "", .bandwidth = "" },
};
static const struct settings_users all = { ARRAY_SIZE(list), list };
static struct users *users;
static struct guesses guesses;
static char said[4096];

static void hear(void *arg, const char *text, size_t n)
{
	(void)arg;
	strncat(said, text, n);
}

static void setup(void)
{
	users = users_make(&all, NULL, NULL);
	cr_assert(users);
	log_set_writer(hear, NULL);
	guesses_init(&guesses, CLOCK_SECOND);
}

static void done(void)
{
	users_drop(&users);
}

TestSuite(guesses, .init = setup, .fini = done);

static void fail(const char *user, int times)
{
	bool known;
	const struct user *u = users_find_evenly(users, user, &known);
	struct admission a = { .user = known ? u : NULL, .record = u };

	while (times-- > 0)
		guesses_count(&guesses, &a);
}

/* What is told at such a second; lines that end as these do. */
static void expect(int64_t second, const char *one, const char *two)
{
	said[0] = '\0';
	cr_assert_gt(
		guesses_look(&guesses, users, second * CLOCK_SECOND, false), 0);
	cr_assert(!one == !*said, "%s", said);
	cr_assert(!one || strstr(said, one), "%s", said);
	cr_assert(!two || strstr(said, two), "%s", said);
}

Test(guesses, once_a_minute)
{
	expect(1, NULL, NULL);
	fail("alice", 3);
	fail("carol", 1);
	expect(60, NULL, NULL);
	expect(61, "\"3 failed logins as [alice] in the last minute\"",
		"\"1 failed login as nobody known in the last minute\"");
	cr_assert_null(strstr(said, "bob"));
	expect(121, NULL, NULL);
	fail("bob", 1);
	expect(180, NULL, NULL);
	expect(200, "\"1 failed login as [bob] in the last minute\"", NULL);
	cr_assert_null(strstr(said, "alice"));
}

Test(guesses, without_users)
{
	struct admission a = { 0 };

	guesses_count(&guesses, &a);
	said[0] = '\0';
	(void)!guesses_look(&guesses, NULL, CLOCK_SECOND, true);
	cr_assert(strstr(said, "1 failed login as nobody known"));
}

/* What is left at the end, too; and a new table of users keeps its counts. */
Test(guesses, at_the_end)
{
	struct users *next;

	expect(1, NULL, NULL);
	fail("alice", 2);
	next = users_make(&all, NULL, users);
	users_drop(&users);
	users = next;
	said[0] = '\0';
	(void)!guesses_look(&guesses, users, 2 * CLOCK_SECOND, true);
	cr_assert(strstr(said, "2 failed logins as [alice]"), "%s", said);
}
