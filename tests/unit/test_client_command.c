/* SPDX-License-Identifier: Apache-2.0 */

/* adit's command line and its manual page. */
// links: client/command.c client/options.c client/joined.c client/join_command.c client/prompt.c client/words.c common/conf/join.c common/crypto/token.c common/base/state_file.c common/base/state_home.c common/conf/command.c common/conf/completion.c common/crypto/random.c common/base/address.c client/settings.c client/settings_check.c common/crypto/pin.c common/wire/proxy_header.c client/settings_proxy.c client/include.c client/gateway.c common/crypto/base64.c common/conf/rows.c common/conf/secret.c common/conf/change.c common/conf/dump.c common/conf/manual.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c
// libs: -lyaml boringssl

#include "client/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/settings.h"
#include "common/conf/completion.h"
#include "tests/double/kept.h"

/* Nothing is kept where a test would find it. */
static void nowhere(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	unsetenv("ADIT_JOIN_FILE");
}

TestSuite(client_command, .init = nowhere);

static int parse(struct client_command *c, char **argv, char *error)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return client_command_parse(c, argc, argv, error);
}

Test(client_command, one_line_makes_settings)
{
	char *argv[] = { "adit", "http", "3000", "--domain", "a.test",
		"--server", "example.test:7100", NULL };
	struct client_command c;
	char error[COMMAND_ERROR];

	setenv("ADIT_TOKEN", "hidden", 1);
	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_ONE_LINE);
	cr_assert_str_eq(c.settings->server_addr, "example.test");
	cr_assert_eq(c.settings->server_port, 7100);
	cr_assert_str_eq(c.settings->auth_token, "hidden");
	cr_assert_eq(c.settings->proxies.n, 1);
	cr_assert_eq(c.settings->proxies.v[0].local_port, 3000);
	cr_assert_str_eq(
		c.settings->proxies.v[0].custom_domains.v[0], "a.test");
	settings_free(&c.settings);
}

Test(client_command, https)
{
	char *argv[] = { "adit", "https", "8443", "-d", "a.test", "-d",
		"b.test", NULL };
	struct client_command c;
	char error[COMMAND_ERROR];

	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_ONE_LINE);
	cr_assert_eq(c.settings->proxies.n, 1);
	cr_assert_eq(c.settings->proxies.v[0].type, CLIENT_PROXY_HTTPS);
	cr_assert_eq(c.settings->proxies.v[0].local_port, 8443);
	cr_assert_eq(c.settings->proxies.v[0].custom_domains.n, 2);
	settings_free(&c.settings);
}

/* The doctor goes before what would run. */
Test(client_command, doctor)
{
	char *file[] = { "adit", "doctor", "-c", "file", NULL };
	char *line[] = { "adit", "doctor", "tcp", "22", "-s", "a.test:1",
		NULL };
	char *bad[][6] = { { "adit", "doctor", "http", NULL },
		{ "adit", "doctor", "-c", "file", "x", NULL } };
	struct client_command c;
	char error[COMMAND_ERROR];

	cr_assert_eq(parse(&c, file, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_DOCTOR);
	cr_assert_str_eq(c.config, "file");
	cr_assert_null(c.settings);
	cr_assert_eq(parse(&c, line, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_DOCTOR);
	cr_assert_str_eq(c.settings->server_addr, "a.test");
	cr_assert_eq(c.settings->proxies.v[0].local_port, 22);
	settings_free(&c.settings);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(parse(&c, bad[i], error), -EINVAL);
}

Test(client_command, refuses)
{
	static char *const bad[][5] = { { "adit", "https", NULL },
		{ "adit", "https", "443", "--remote-port=1", NULL },
		{ "adit", "tcp", "443", "--domain=a", NULL },
		{ "adit", "http", NULL }, { "adit", "tcp", "x", NULL },
		{ "adit", "what", NULL }, { "adit", NULL },
		{ "adit", "join", "a", "b", NULL },
		{ "adit", "-c", "a", "--join-file=b", NULL },
		{ "adit", "http", "80", "--join-file=/nonexistent", NULL } };
	struct client_command c;
	char error[COMMAND_ERROR];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(parse(&c, (char **)bad[i], error), -EINVAL);
		cr_assert(*error);
	}
}

/* A name of two words, the same one again, where none is asked for. */
/* It may stand where somebody has forgotten --join. */
Test(client_command, a_join_string_is_never_quoted)
{
	char *lines[][5] = { { "adit", "adit://SECRET" },
		{ "adit", "tcp", "adit://SECRET" },
		{ "adit", "bench", "adit://SECRET" },
		{ "adit", "doctor", "tcp", "adit://SECRET" } };
	struct client_command c;
	char error[COMMAND_ERROR];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		cr_assert_eq(parse(&c, lines[i], error), -EINVAL);
		cr_assert_null(strstr(error, "SECRET"), "%s", error);
		cr_assert(strstr(error, "(a join string)"), "%s", error);
	}
}

Test(client_command, a_name_is_made_up)
{
	char *argv[] = { "adit", "http", "3000", NULL };
	char *named[] = { "adit", "https", "3000", "--subdomain=x", NULL };
	struct client_command c;
	char error[COMMAND_ERROR], first[64];

	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert(c.settings->proxies.v[0].from_words);
	snprintf(
		first, sizeof(first), "%s", c.settings->proxies.v[0].subdomain);
	cr_assert(strchr(first, '-'));
	settings_free(&c.settings);
	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert_str_eq(c.settings->proxies.v[0].subdomain, first);
	settings_free(&c.settings);
	cr_assert_eq(parse(&c, named, error), 0, "%s", error);
	cr_assert_not(c.settings->proxies.v[0].from_words);
	settings_free(&c.settings);
}

/* What is secret does not stay in argv. */
Test(client_command, join_wipes_what_it_takes)
{
	char secret[] = "adit://me:secret@a.test", again[] = "adit://me:x";
	char *argv[] = { "adit", "join", secret, NULL };
	char *option[] = { "adit", "http", "80", "--join", again, NULL };
	struct client_command c;
	char error[COMMAND_ERROR];

	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_JOIN);
	cr_assert_str_eq(c.join, "adit://me:secret@a.test");
	cr_assert_eq(strlen(secret), 0);
	cr_assert_eq(parse(&c, option, error), -EINVAL);
	cr_assert_eq(strlen(again), 0);
	argv[2] = NULL;
	cr_assert_eq(parse(&c, argv, error), 0, "%s", error);
	cr_assert_str_eq(c.join, "", "asked for");
}

/* http prints requests unless told not to, a file only if told to. */
Test(client_command, whether_requests_are_printed)
{
	static const struct {
		char *argv[6];
		bool requests;
	} rows[] = {
		{ { "adit", "http", "80", "--domain=a" }, true },
		{ { "adit", "http", "80", "--domain=a", "--no-requests" },
			false },
		{ { "adit", "-c", "file" }, false },
		{ { "adit", "-c", "file", "--requests" }, true },
	};
	struct client_command c;
	char error[COMMAND_ERROR];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(parse(&c, (char **)rows[i].argv, error), 0, "%s",
			error);
		cr_assert_eq(c.requests, rows[i].requests, "row %zu", i);
		settings_free(&c.settings);
	}
}

/* What would be ignored is refused, by its name and the command's. */
Test(client_command, options_go_with_some_commands_only)
{
	static const struct {
		char *argv[7], *error;
	} rows[] = {
		{ { "adit", "-c", "file", "--no-requests" },
			"--no-requests does not go with -c" },
		{ { "adit", "-c", "file", "--server=a:1", "--token=b" },
			"--server does not go with -c: the file says it by "
			"serverAddr and serverPort" },
		{ { "adit", "verify", "-c", "file", "--dump-config" },
			"--dump-config does not go with verify" },
		{ { "adit", "http", "1", "--duration=4" },
			"--duration does not go with http" },
		{ { "adit", "http", "1", "-cfile" },
			"--config does not go with http" },
		{ { "adit", "tcp", "1", "--no-requests" },
			"--no-requests does not go with tcp" },
		{ { "adit", "join", "adit://x", "--name=x" },
			"--name does not go with join" },
		{ { "adit", "bench", "--domain=x" },
			"--domain does not go with bench" },
		{ { "adit", "doctor", "-cfile", "--token=x" },
			"--token does not go with doctor -c: the file says "
			"it by auth.token" },
		{ { "adit", "doctor", "tcp", "1", "--domain=x" },
			"--domain does not go with doctor tcp" },
		{ { "adit", "doctor", "--name=x" },
			"--name does not go with doctor" },
		{ { "adit", "completion", "bash", "-sx" },
			"--server does not go with completion bash" },
	};
	char *help[] = { "adit", "http", "--duration=4", "--help", NULL };
	char *dump[] = { "adit", "http", "80", "--dump-config", NULL };
	struct client_command c;
	char error[COMMAND_ERROR];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(parse(&c, (char **)rows[i].argv, error), -EINVAL);
		cr_assert_str_eq(error, rows[i].error);
	}
	cr_assert_eq(parse(&c, help, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_HELP);
	cr_assert_eq(parse(&c, dump, error), 0, "%s", error);
	cr_assert_eq(c.kind, COMMAND_DUMP);
	cr_assert_eq(c.settings->proxies.n, 1);
	settings_free(&c.settings);
}

Test(client_command, the_manual_page_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	client_command_manual(out);
	fclose(out);
	assert_kept("config/man/adit.1", text);
	free(text);
}

Test(client_command, the_completion_is_current)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	char file[64], *text;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		FILE *out = open_memstream(&text, &size);

		client_command_completion(out, completion_shell(shells[i]));
		fclose(out);
		snprintf(file, sizeof(file), "config/completion/adit.%s",
			shells[i]);
		assert_kept(file, text);
		free(text);
	}
	cr_assert_eq(completion_shell("sh"), -1);
}
