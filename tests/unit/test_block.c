/* SPDX-License-Identifier: Apache-2.0 */

/* A block at the bottom of a terminal: what is written for it. */
// links: client/block.c

#include "client/block.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct block b;

static void expect_erase(unsigned columns, const char *want)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	block_erase(&b, f, columns);
	fclose(f);
	cr_assert_str_eq(text, want);
	cr_assert_eq(b.lines, 0);
	free(text);
}

static void add(size_t width, bool bold, const char *want)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	block_add(&b, f, "text", width, bold);
	fclose(f);
	cr_assert_str_eq(text, want);
	free(text);
}

Test(block, nothing_stands_there)
{
	expect_erase(80, "");
}

Test(block, lines)
{
	add(4, true, "\x1b[1mtext\x1b[0m");
	expect_erase(80, "\r\x1b[J");
	add(4, false, "text");
	add(4, false, "\ntext");
	add(4, false, "\ntext");
	expect_erase(80, "\r\x1b[2A\x1b[J");
	expect_erase(80, "");
}

/* Lines of 79 columns take two rows of 40, and one of 80 or 79. */
Test(block, a_terminal_that_became_narrower)
{
	add(79, false, "text");
	add(79, false, "\ntext");
	expect_erase(80, "\r\x1b[1A\x1b[J");
	add(79, false, "text");
	add(79, false, "\ntext");
	expect_erase(79, "\r\x1b[1A\x1b[J");
	add(79, false, "text");
	add(79, false, "\ntext");
	expect_erase(40, "\r\x1b[3A\x1b[J");
	add(79, false, "text");
	add(0, false, "\ntext");
	expect_erase(1, "\r\x1b[79A\x1b[J");
}
