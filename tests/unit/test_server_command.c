/* SPDX-License-Identifier: Apache-2.0 */

/* aditd's command line and its manual page. */
// links: server/command/command.c common/conf/command.c common/conf/completion.c common/conf/manual.c common/conf/error.c common/conf/nearest.c common/conf/number.c

#include "server/command/command.h"

#include <string.h>

#include "common/conf/completion.h"
#include "tests/double/kept.h"

Test(server_command, is_read)
{
	char *argv[] = { "aditd", "verify", "-c", "x.yaml" };
	struct server_options o = { 0 };
	struct command_words words;
	char error[COMMAND_ERROR];

	cr_assert_eq(
		command_parse(&server_command, 4, argv, &o, &words, error), 0);
	cr_assert_str_eq(o.config, "x.yaml");
	cr_assert_eq(words.n, 1);
}

/* What main and the commands know, and a person or a shell may ask for. */
Test(server_command, has_every_word)
{
	static const char *const known[] = { "verify", "token", "new", "list",
		"renew", "revoke", "reload", "health", "ready", "identity",
		"next", "activate", "upgrade", "completion" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = 0;

		while (n < server_command.word_count &&
			strcmp(server_command.words[n].name, known[i]) != 0)
			n++;
		cr_assert_lt(n, server_command.word_count, "%s", known[i]);
		cr_assert(strstr(server_command.usage, known[i]), "usage: %s",
			known[i]);
	}
}

static int parse(const char *after, const char *name, char *option,
	char error[static COMMAND_ERROR])
{
	char text[64], *argv[8] = { "aditd", option };
	struct server_options o = { 0 };
	struct command_words words;
	int n = 2;

	snprintf(text, sizeof(text), "%s %s", after, name);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		argv[n++] = w;
	return command_parse(&server_command, n, argv, &o, &words, error);
}

/* Whatever works with the state directory has to be told where that is. */
Test(server_command, options_go_with_some_commands_only)
{
	char error[COMMAND_ERROR];

	for (size_t i = 0; i < server_command.word_count; i++) {
		const struct command_word *w = &server_command.words[i];
		bool shell = !strcmp(w->name, "completion") ||
			     !strcmp(w->after, "completion");
		bool makes =
			!strcmp(w->after, "token") &&
			(!strcmp(w->name, "new") || !strcmp(w->name, "renew"));

		cr_expect_eq(parse(w->after, w->name, "-cx.yaml", error) == 0,
			!shell, "%s %s: %s", w->after, w->name, error);
		cr_expect_eq(parse(w->after, w->name, "--frpc", error) == 0,
			makes, "%s %s: %s", w->after, w->name, error);
		cr_expect_neq(
			parse(w->after, w->name, "--dump-config", error), 0);
	}
	cr_assert_eq(parse("", "", "--dump-config", error), 0, "%s", error);
}

Test(server_command, the_manual_page_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	server_command_manual(out);
	fclose(out);
	assert_kept("config/man/aditd.8", text);
	free(text);
}

Test(server_command, the_completion_is_current)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	char file[64], *text;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		FILE *out = open_memstream(&text, &size);

		completion_write(out, completion_shell(shells[i]), "aditd",
			&server_command);
		fclose(out);
		snprintf(file, sizeof(file), "config/completion/aditd.%s",
			shells[i]);
		assert_kept(file, text);
		free(text);
	}
	cr_assert_eq(completion_shell("sh"), -1);
}
