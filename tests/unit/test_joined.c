/* SPDX-License-Identifier: Apache-2.0 */

/* The join string of adit: checked without the server, kept, renewed. */
// links: client/joined.c client/join_command.c client/prompt.c common/conf/join.c common/crypto/token.c common/crypto/pin.c common/crypto/base64.c common/crypto/random.c common/base/state_file.c common/base/state_home.c common/base/address.c client/settings.c client/settings_check.c common/wire/proxy_header.c client/settings_proxy.c client/include.c client/gateway.c common/conf/rows.c common/conf/secret.c common/conf/change.c common/conf/dump.c common/conf/manual.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c
// libs: -lyaml boringssl

#include "client/joined.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/join_command.h"
#include "client/settings.h"
#include "common/crypto/token.h"

#define PIN_A "x5d9_10scEVY-Muv78vlmSsM4GRrtuHH1vLPL5gWP4U"
#define PIN_B "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char home[] = "/tmp/test_joined.XXXXXX";
static char kept[128], token[TOKEN_SIZE], text[JOIN_TEXT_SIZE];
static char error[JOINED_ERROR_SIZE];

static void setup(void)
{
	cr_assert(mkdtemp(home));
	setenv("XDG_CONFIG_HOME", home, 1);
	unsetenv("ADIT_JOIN_FILE");
	unsetenv("ADIT_TOKEN");
	snprintf(kept, sizeof(kept), "%s/adit/join", home);
	token_make(token);
	snprintf(text, sizeof(text),
		"adit://me:%s@a.test:7000,[::1]:7001/" PIN_A, token);
}

static void teardown(void)
{
	unlink(kept);
	*strrchr(kept, '/') = '\0';
	rmdir(kept);
	rmdir(home);
}

TestSuite(joined, .init = setup, .fini = teardown);

Test(joined, becomes_settings)
{
	struct settings *s;
	struct join j;
	char around[JOINED_INPUT_SIZE];

	snprintf(around, sizeof(around), "  %s\r\n", text);
	cr_assert_eq(joined_parse(&j, around, error), 0, "%s", error);
	cr_assert_eq(settings_new_default(&s), 0);
	cr_assert_eq(joined_apply(s, &j), 0);
	cr_assert_str_eq(s->user, "me");
	cr_assert_str_eq(s->auth_token, token);
	cr_assert_eq(s->server_count, 2);
	cr_assert_str_eq(s->server_addr, "a.test");
	cr_assert_eq(s->server_port, 7000);
	cr_assert_str_eq(s->servers[1].host, "::1");
	cr_assert_eq(s->servers[1].port, 7001);
	cr_assert_eq(s->tls_pins.n, 1);
	cr_assert_str_eq(s->tls_pins.v[0], PIN_A);
	settings_free(&s);
}

Test(joined, quotes_and_broken_lines_come_along)
{
	static const char *const forms[] = { "\"%.30s%s\"", "'%.30s%s'\n",
		"%.30s\n%s", " %.30s\r\n   %s \n" };
	static const char *const bad[] = { "\"%s", "%s'", "\"%s'", "\"\"%s\"",
		"\"%s\"\"" };
	char around[JOINED_INPUT_SIZE];
	struct join j;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(around, sizeof(around), forms[i], text, text + 30);
		cr_expect_eq(joined_parse(&j, around, error), 0, "%s", error);
		cr_expect_str_eq(j.token, token);
		cr_expect_str_eq(j.pins[0], PIN_A);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(around, sizeof(around), bad[i], text);
		cr_expect_eq(joined_parse(&j, around, error), -EINVAL);
	}
}

/* Nobody is asked, and no error has the token. */
Test(joined, typing_errors_are_found)
{
	struct join j;
	char *at = strstr(text, "adit_") + 10;
	char was = *at;

	*at = was == 'A' ? 'B' : 'A';
	cr_assert_eq(joined_parse(&j, text, error), -EINVAL);
	cr_assert(strstr(error, "wrong checksum"), "%s", error);
	*at = was;
	text[strlen(text) - 1] = 'V';
	cr_assert_eq(joined_parse(&j, text, error), -EINVAL);
	cr_assert(!strstr(error, token + 8), "%s", error);
	cr_assert_eq(joined_parse(&j, "", error), -EINVAL);
	cr_assert(strstr(error, "empty"));
	cr_assert_eq(joined_parse(&j, "http://a.test", error), -EINVAL);
	cr_assert(strstr(error, "begins with adit://"), "%s", error);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_mode & 0777;
}

Test(joined, is_kept_for_its_owner_alone)
{
	struct join j, again;
	char path[PATH_MAX], directory[256];

	cr_assert_eq(joined_parse(&j, text, error), 0);
	cr_assert_eq(joined_path(path), 0);
	cr_assert_str_eq(path, kept);
	cr_assert_eq(joined_read(&again, path, error), -ENOENT);
	cr_assert_eq(joined_keep(&j, path), 0);
	snprintf(directory, sizeof(directory), "%s/adit", home);
	cr_assert_eq(mode_of(directory), 0700);
	cr_assert_eq(mode_of(path), 0600);
	cr_assert_eq(joined_read(&again, path, error), 0, "%s", error);
	cr_assert_eq(memcmp(&j, &again, sizeof(j)), 0);
	chmod(path, 0644);
	cr_assert_eq(joined_read(&again, path, error), -EPERM);
	cr_assert(strstr(error, "chmod 600"), "%s", error);
}

Test(joined, pins_are_renewed)
{
	static const char *const pins[] = { PIN_A, PIN_B };
	struct join j, again;

	cr_assert_eq(joined_parse(&j, text, error), 0);
	cr_assert_eq(joined_keep(&j, kept), 0);
	cr_assert_eq(joined_renew(kept, pins, 2), 0);
	cr_assert_eq(joined_read(&again, kept, error), 0);
	cr_assert_eq(again.pin_count, 2);
	cr_assert_str_eq(again.pins[1], PIN_B);
	cr_assert_str_eq(again.token, token);
	cr_assert_eq(joined_renew(kept, pins + 1, 1), 0);
	cr_assert_eq(joined_read(&again, kept, error), 0);
	cr_assert_eq(again.pin_count, 1);
	cr_assert_str_eq(again.pins[0], PIN_B);
}

Test(joined, which_one_a_command_goes_by)
{
	struct join_choice none = { 0 }, given = { .text = text };
	struct join_choice elsewhere = { .elsewhere = "--token" };
	struct join_choice file = { .file = kept }, all = given;
	struct join_choice both = { .text = text, .file = kept };
	char path[PATH_MAX];
	struct join j;

	cr_assert_eq(join_choose(&j, path, &none, error), 0);
	cr_assert_eq(join_choose(&j, path, &file, error), -EINVAL);
	cr_assert_eq(join_choose(&j, path, &given, error), 1, "%s", error);
	cr_assert_str_eq(path, kept);
	cr_assert_eq(join_choose(&j, path, &none, error), 1, "it is kept");
	cr_assert_eq(join_choose(&j, path, &file, error), 1, "%s", error);
	cr_assert_eq(join_choose(&j, path, &both, error), -EINVAL);
	all.elsewhere = "--server";
	cr_assert_eq(join_choose(&j, path, &all, error), -EINVAL);
	cr_assert_eq(join_choose(&j, path, &elsewhere, error), 0);
	setenv("ADIT_TOKEN", "t", 1);
	cr_assert_eq(join_choose(&j, path, &none, error), 0);
	setenv("ADIT_JOIN_FILE", kept, 1);
	cr_assert_eq(join_choose(&j, path, &none, error), 1);
	cr_assert_str_eq(j.token, token);
}

/* What the user is told; `what` is in it, or it is "" and there is nothing. */
static void tells(const struct join_choice *choice, int rc, const char *what)
{
	char path[PATH_MAX], said[JOINED_ERROR_SIZE];
	struct join j;

	cr_assert_eq(join_choose(&j, path, choice, said), rc);
	cr_assert(*what ? !!strstr(said, what) : !*said, "%s: %s", what, said);
}

Test(joined, one_that_is_not_used_is_told_of)
{
	struct join_choice none = { 0 };
	struct join_choice server = { .elsewhere = "--server", .server = true };
	struct join_choice secret = { .elsewhere = "--token" };
	char other[sizeof(home) + 16];
	struct join j;

	tells(&none, 0, "no server was joined: `adit join STRING` or --server");
	tells(&none, 0, "127.0.0.1:7000 is tried");
	tells(&secret, 0, "no server was joined");
	tells(&server, 0, "");
	cr_assert_eq(joined_parse(&j, text, error), 0);
	cr_assert_eq(joined_keep(&j, kept), 0);
	tells(&none, 1, "");
	tells(&server, 0, "adit/join is not used, because of --server");
	tells(&secret, 0, "of --token; without --server 127.0.0.1:7000 is");
	setenv("ADIT_TOKEN", "t", 1);
	tells(&none, 0,
		"adit/join is not used, because of ADIT_TOKEN; without");
	setenv("ADIT_JOIN_FILE", kept, 1);
	tells(&none, 1, "");
	snprintf(other, sizeof(other), "%s/other", home);
	cr_assert_eq(joined_keep(&j, other), 0);
	setenv("ADIT_JOIN_FILE", other, 1);
	tells(&none, 1, "adit/join is not used, because of ADIT_JOIN_FILE");
	tells(&server, 0, "/other is not used, because of --server");
	unlink(other);
}
