/* SPDX-License-Identifier: Apache-2.0 */

/* The command line by a table. */
// links: common/conf/command.c common/conf/number.c common/conf/error.c common/conf/nearest.c

#include "common/conf/command.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool help;
	const char *file;
	int64_t count;
	uint16_t port;
	struct command_words domains;
	const char *token;
};

#define DEF(t, field) COMMAND_DEF(t, struct options, field)

static const struct command_option rows[] = {
	{ .name = "help", .letter = 'h', DEF(FLAG, help), .doc = "Help." },
	{ .name = "config",
		.letter = 'c',
		.argument = "FILE",
		DEF(STRING, file),
		.doc = "The file." },
	{ .name = "count",
		.argument = "N",
		DEF(INT, count),
		.min = -1,
		.max = 9,
		.doc = "How many." },
	{ .name = "remote-port",
		.letter = 'r',
		.argument = "PORT",
		DEF(PORT, port),
		.with = "tcp, a tcp",
		.key = "remotePort",
		.doc = "The port." },
	{ .name = "domain",
		.argument = "HOST",
		DEF(WORDS, domains),
		.doc = "A host." },
	{ .name = "a-token-of-a-very-long-name",
		.argument = "TOKEN",
		DEF(STRING, token),
		.doc = "Secret." },
};

static const struct command_word words_known[] = {
	{ "http", "", "a word" },
	{ "health", "", "a word" },
	{ "https", "doctor", "a word behind another" },
	{ "x", "", "A command." },
	{ "y", "x", "A part of it." },
	{ "z", "x y", "A part of that." },
};

static const struct command_foreign foreign[] = { { "udp", "not yet" } };

static const struct command command = { .usage = "usage: x\n",
	.options = rows,
	.n = ARRAY_SIZE(rows),
	.words = words_known,
	.word_count = ARRAY_SIZE(words_known),
	.foreign = foreign,
	.foreign_count = ARRAY_SIZE(foreign) };

static const char *asked;  /* what the command line asks for */
static char name_read[64]; /* what `which` heard; "-": it was not asked */

static const char *which(const void *base, const char *name)
{
	(void)base;
	snprintf(name_read, sizeof(name_read), "%s", name);
	return asked;
}

static struct options o;
static struct command_words rest;
static char error[COMMAND_ERROR];
static char line[1000];
static char *argv[100];

/* Parse the words of `text`, parted by single blanks. */
static int parse(const char *text)
{
	int argc = 0;
	char *word;

	memset(&o, 0, sizeof(o));
	strcpy(line, text);
	argv[argc++] = (char *)"x";
	for (word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return command_parse(&command, argc, argv, &o, &rest, error);
}

Test(command, reads_options_in_every_form)
{
	static const char *const forms[] = { "--config f --remote-port 7",
		"--config=f --remote-port=7", "-c f -r 7", "-cf -r7",
		"-c=f -r=7" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		cr_expect_eq(parse(forms[i]), 0, "%s", forms[i]);
		cr_expect_str_eq(o.file, "f");
		cr_expect_eq(o.port, 7);
	}
}

Test(command, mixes_options_and_words)
{
	cr_assert_eq(
		parse("http 3000 --domain a -h --domain b - -- --domain"), 0);
	cr_assert(o.help);
	cr_assert_eq(o.domains.n, 2);
	cr_assert_str_eq(o.domains.v[1], "b");
	cr_assert_eq(rest.n, 4);
	cr_assert_str_eq(rest.v[0], "http");
	cr_assert_str_eq(rest.v[2], "-");
	cr_assert_str_eq(rest.v[3], "--domain");
}

Test(command, takes_dashed_values)
{
	cr_assert_eq(parse("--config - --count -1"), 0);
	cr_assert_str_eq(o.file, "-");
	cr_assert_eq(o.count, -1);
}

Test(command, refuses_what_it_does_not_know)
{
	static const char *const wrong[][2] = {
		{ "--nonsense", "unknown option \"--nonsense\"" },
		{ "--confg=secret",
			"unknown option \"--confg\"; the nearest is --config" },
		{ "-x", "unknown option \"-x\"" },
		{ "-hh", "unknown option \"-hh\"; the nearest is --help" },
		{ "--help=1", "--help: takes no value" },
		{ "--config", "--config: no value; FILE is allowed" },
		{ "-c", "--config: no value; FILE is allowed" },
		{ "--config=",
			"--config: an empty value; one FILE is allowed" },
		{ "-c a --config b",
			"--config: given twice; one FILE is allowed" },
		{ "--count 1 --count 1",
			"--count: given twice; one N is allowed" },
		{ "--domain a --domain=",
			"--domain: an empty value; one HOST is allowed" },
		{ "--dom a",
			"unknown option \"--dom\"; the nearest is --domain" },
		{ "--count 10", "--count: \"10\"; a number from -1 to 9 is "
				"allowed" },
		{ "--count 0x1", "--count: \"0x1\"; a number from -1 to 9 is "
				 "allowed" },
		{ "-r 65536", "--remote-port: \"65536\"; a number from 0 to "
			      "65535 is allowed" },
		{ "-r \x1b[2J", "--remote-port: \"\\x1b[2J\"; a number from 0 "
				"to 65535 is allowed" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(parse(wrong[i][0]), -EINVAL);
		if (strcmp(wrong[i][0], "-hh") != 0)
			cr_expect_str_eq(error, wrong[i][1]);
	}
}

Test(command, says_what_an_unknown_word_may_be)
{
	static const char *const wrong[][2] = {
		{ "htp", "unknown command \"htp\"; the nearest is http" },
		{ "HTTP", "unknown command \"HTTP\"; the nearest is http" },
		{ "heal", "unknown command \"heal\"; the nearest is health" },
		{ "udp", "unknown command \"udp\": not yet" },
		{ "", "unknown command \"\"" },
		{ "\x1b[2J", "unknown command \"\\x1b[2J\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(
			command_unknown(&command, wrong[i][0], error), -EINVAL);
		cr_expect_str_eq(error, wrong[i][1]);
	}
}

Test(command, bounds_words)
{
	char text[500] = "";
	size_t i;

	for (i = 0; i <= COMMAND_WORDS_MAX; i++)
		strcat(text, "w ");
	cr_assert_eq(parse(text), -EINVAL);
	cr_assert_str_eq(error, "too many words at \"w\"");
	text[0] = '\0';
	for (i = 0; i <= COMMAND_WORDS_MAX; i++)
		strcat(text, "--domain d ");
	cr_assert_eq(parse(text), -EINVAL);
	cr_assert_str_eq(error, "--domain: given more than 32 times");
}

Test(command, has_the_name_of_the_words_that_are_known)
{
	static const char *const rows_of[][2] = {
		{ "", "" },
		{ "x", "x" },
		{ "x y --help", "x y" },
		{ "x --help y z 3", "x y z" },
		{ "x z", "x" },
		{ "x 3000 y", "x" },
		{ "y", "-" },
		{ "3000 x", "-" },
	};
	struct command with = command;
	char *words[8], text[64];

	with.which = which;
	for (size_t i = 0; i < ARRAY_SIZE(rows_of); i++) {
		int n = 1;

		strcpy(text, rows_of[i][0]);
		strcpy(name_read, "-");
		for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
			words[n++] = w;
		cr_assert_eq(
			command_parse(&with, n, words, &o, &rest, error), 0);
		cr_expect_str_eq(name_read, rows_of[i][1]);
	}
}

Test(command, refuses_options_that_do_not_go_with_it)
{
	static const char *const good[] = { "tcp", "a tcp", NULL };
	static const char *const wrong[][2] = {
		{ "tc", "--remote-port does not go with tc" },
		{ "a", "--remote-port does not go with a" },
		{ "tcp a", "--remote-port does not go with tcp a" },
		{ "x -c", "--remote-port does not go with x -c: the file says "
			  "it by remotePort" },
	};
	struct command with = command;
	char *words[] = { "x", "-r7", "--count=1" };

	with.which = which;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		asked = good[i];
		cr_expect_eq(
			command_parse(&with, 3, words, &o, &rest, error), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		asked = wrong[i][0];
		cr_expect_eq(command_parse(&with, 3, words, &o, &rest, error),
			-EINVAL);
		cr_expect_str_eq(error, wrong[i][1]);
	}
}

Test(command, whether_one_stands_alone)
{
	cr_assert_eq(parse(""), 0);
	cr_assert_eq(command_alone(&rest, error), 0);
	cr_assert_eq(parse("verify -h"), 0);
	cr_assert_eq(command_alone(&rest, error), 0);
	cr_assert_eq(parse("verify -h x\x1b y"), 0);
	cr_assert_eq(command_alone(&rest, error), -EINVAL);
	cr_assert_str_eq(error, "verify takes no word: \"x\\x1b\" is too much");
}

Test(command, prints_help)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	command_help(&command, out);
	fclose(out);
	cr_assert_str_eq(text, "usage: x\n"
			       "\n"
			       "  -h, --help                Help.\n"
			       "  -c, --config FILE         The file.\n"
			       "      --count N             How many.\n"
			       "  -r, --remote-port PORT    The port.\n"
			       "      --domain HOST         A host.\n"
			       "      --a-token-of-a-very-long-name TOKEN\n"
			       "                            Secret.\n");
	free(text);
}

Test(command, wipes_a_secret_in_argv)
{
	const char *none = NULL;

	cr_assert_eq(parse("--a-token-of-a-very-long-name=hidden word"), 0);
	command_wipe(&o.token);
	cr_assert_str_eq(o.token, "");
	cr_assert_str_eq(argv[1], "--a-token-of-a-very-long-name=");
	cr_assert_null(memmem(line, sizeof(line), "hidden", 6));
	cr_assert_str_eq(argv[2], "word");
	command_wipe(&none);
	cr_assert_str_eq(none, "");
}
