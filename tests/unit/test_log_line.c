/* SPDX-License-Identifier: Apache-2.0 */

/* Lines of the log wherever they are cut. */
// links: common/base/log_line.c common/base/utf8.c

#include "common/base/log_line.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "tests/unit/json_line.h"

#define SIZE_MAX_TRIED 256

static const char *const texts[] = { "", "plain", "\"", "\\", "\n", "\x01",
	"\x7f", "\xc3\xa4", "\xf0\x9f\x98\x80", "\xff", "a\"", "\"a", "a\x01" };

static char out[SIZE_MAX_TRIED + 1];
static char long_text[SIZE_MAX_TRIED * 4];

/* `before`, and then the text, again and again. */
static const char *repeat(size_t before, const char *text)
{
	size_t n = before, one = strlen(text);

	memset(long_text, 'b', before);
	while (one > 0 && n + one < sizeof(long_text)) {
		memcpy(long_text + n, text, one);
		n += one;
	}
	long_text[n] = '\0';
	return long_text;
}

static void check_json(size_t n)
{
	out[n] = '\0';
	cr_assert(is_json_line(out), "%s", out);
	cr_assert_not_null(strstr(out, "\"level\":\"warn\",\"msg\":\""));
}

/* The length of the escape there, 0: it is none, or a part of one. */
static size_t escape_length(const char *at)
{
	if (strchr("\"\\n", at[1]) && at[1])
		return 2;
	return at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
			       isxdigit((unsigned char)at[3])
		       ? 4
		       : 0;
}

/* Quotes are closed, and no escape is cut. */
static bool is_text_line(size_t n)
{
	bool quoted = false;

	if (out[n - 1] != '\n')
		return false;
	out[n - 1] = '\0';
	for (const char *at = out; *at;) {
		size_t step = *at == '\\' ? escape_length(at) : 1;

		if (step == 0)
			return false;
		if (*at == '"')
			quoted = !quoted;
		at += step;
	}
	return !quoted;
}

static void try_sizes(enum log_format format, bool color, const char *msg,
	const char *const *pairs)
{
	struct log_form form = { .format = format, .color = color };

	for (size_t size = LOG_LINE_MIN; size <= SIZE_MAX_TRIED; size++) {
		size_t n = log_line(out, size, &form, LOG_WARN, pairs, msg);

		cr_assert_leq(n, size);
		if (format == LOG_JSON)
			check_json(n);
		else
			cr_assert(is_text_line(n), "%s", out);
	}
}

static void try_formats(const char *msg, const char *const *pairs)
{
	try_sizes(LOG_JSON, false, msg, pairs);
	try_sizes(LOG_TEXT, false, msg, pairs);
	try_sizes(LOG_TEXT, true, msg, pairs);
}

Test(log_line, a_message_that_is_cut, .timeout = 60)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t before = 0; before < 2; before++)
			try_formats(repeat(before, texts[i]), NULL);
}

Test(log_line, a_value_that_is_cut, .timeout = 60)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t before = 0; before < 2; before++)
			try_formats("short", LOG_PAIRS("key", "v", "other",
						     repeat(before, texts[i]),
						     "last", "x y"));
}

/* Somewhere it ends within a key, or what stands around it. */
Test(log_line, a_key_that_is_cut)
{
	const char *const *pairs = LOG_PAIRS("the_first_key", "a word of it",
		"the_second_key", "word", "the_third_key", "");

	for (size_t before = 0; before < 300; before++)
		try_formats(repeat(before, ""), pairs);
}

/* What fits is whole. */
Test(log_line, nothing_is_cut_that_fits)
{
	struct log_form form = { .format = LOG_JSON };
	size_t n = log_line(out, sizeof(out), &form, LOG_INFO,
		LOG_PAIRS("k", "\"v\""), "a\nb");
	size_t again = log_line(
		out, n, &form, LOG_INFO, LOG_PAIRS("k", "\"v\""), "a\nb");

	cr_assert_eq(again, n);
	cr_assert_not_null(
		strstr(out, "\"msg\":\"a\\nb\",\"k\":\"\\\"v\\\"\"}\n"));
}
