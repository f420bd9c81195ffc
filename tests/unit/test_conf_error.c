/* SPDX-License-Identifier: Apache-2.0 */

/* Lines of errors: their form, order and bounds; foreign text in them. */
// links: common/conf/error.c

#include "common/conf/error.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct conf_errors errors;

Test(conf_error, has_one_form)
{
	struct conf_place at = { "a.yaml", 3, 7 };
	struct conf_place nowhere = { NULL, 0, 0 };

	conf_errors_add(&errors, &at, "bindPort", "\"x\"; %s", "a number");
	cr_assert_str_eq(
		errors.v[0].text, "a.yaml:3:7: bindPort: \"x\"; a number");
	conf_errors_add(&errors, &nowhere, "user", "x; y");
	cr_assert_str_eq(errors.v[0].text, "user: x; y");
}

Test(conf_error, stands_in_the_order_of_the_file)
{
	static const size_t places[][2] = { { 5, 1 }, { 2, 9 }, { 2, 1 },
		{ 9, 1 }, { 2, 9 } };
	struct conf_place at = { .file = "f" };
	size_t i;

	for (i = 0; i < 5; i++) {
		at.line = places[i][0];
		at.column = places[i][1];
		conf_errors_add(&errors, &at, "k", "%zu", i);
	}
	cr_assert_str_eq(errors.v[0].text, "f:2:1: k: 2");
	cr_assert_str_eq(errors.v[1].text, "f:2:9: k: 1");
	cr_assert_str_eq(errors.v[2].text, "f:2:9: k: 4");
	cr_assert_str_eq(errors.v[4].text, "f:9:1: k: 3");
}

Test(conf_error, is_bounded_in_number_and_length)
{
	struct conf_place at = { .file = "f" };
	char huge[4000];
	char *text;
	size_t size, i;
	FILE *out;

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	at.file = huge;
	for (i = 0; i < 40; i++)
		conf_errors_add(&errors, &at, huge, "%s", huge);
	cr_assert_eq(errors.n, CONF_ERRORS_MAX);
	cr_assert_eq(errors.lost, 40 - CONF_ERRORS_MAX);
	out = open_memstream(&text, &size);
	conf_errors_print(&errors, out);
	fclose(out);
	cr_assert(strstr(text, "\n8 more errors are not shown\n"));
	cr_assert_leq(size, (CONF_ERRORS_MAX + 1) * CONF_ERROR_TEXT);
	free(text);
}

Test(conf_error, shows_foreign_text_harmlessly)
{
	static const char *const rows[][2] = { { "plain", "\"plain\"" },
		{ "", "\"\"" }, { "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\nb\r\t\x1b[31m", "\"a\\nb\\x0d\\x09\\x1b[31m\"" },
		{ "\x7f", "\"\\x7f\"" }, { "gr\xc3\xbc\xc3\x9f", "\"grüß\"" },
		{ "\xc2\x9b", "\"\\x9b\"" }, { "\xff\xfe", "\"\\xff\\xfe\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "\xe2\x80", "\"\\xe2\\x80\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" } };
	char out[CONF_QUOTED];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(conf_quote(out, rows[i][0]), rows[i][1]);
}

Test(conf_error, cuts_long_text)
{
	char text[1000];
	char out[CONF_QUOTED];

	memset(text, '\1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	conf_quote(out, text);
	cr_assert_eq(strlen(out), 1 + 64 * 4 + 4);
	cr_assert_str_eq(out + strlen(out) - 4, "...\"");
}

Test(conf_error, escapes_the_key)
{
	struct conf_place at = { "a\nb", 1, 1 };

	conf_errors_add(&errors, &at, "k\n\x1b", "x");
	cr_assert_str_eq(errors.v[0].text, "a\\nb:1:1: k\\n\\x1b: x");
}
