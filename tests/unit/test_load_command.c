/* SPDX-License-Identifier: Apache-2.0 */

/* adit-load's command line and its manual page. */
// links: bench/command.c common/conf/command.c common/conf/manual.c common/conf/error.c common/conf/nearest.c common/conf/number.c

#include "bench/command.h"

#include "tests/double/kept.h"

Test(load_command, is_read)
{
	char *argv[] = { "adit-load", "-c", "50", "--close", "tcp://a:1" };
	struct load_options o = { 0 };
	struct command_words words;
	char error[COMMAND_ERROR];

	cr_assert_eq(
		command_parse(&load_command, 5, argv, &o, &words, error), 0);
	cr_assert_eq(o.connections, 50);
	cr_assert(o.close);
	cr_assert_eq(words.n, 1);
}

Test(load_command, the_manual_page_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	load_command_manual(out);
	fclose(out);
	assert_kept("config/man/adit-load.1", text);
	free(text);
}
