/* SPDX-License-Identifier: Apache-2.0 */

/* Character classes and the comparisons of HTTP's small words. */
// links: common/http/text.c

#include "common/http/text.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 9110, section 5.6.2 and 5.5; RFC 3986 leniently for targets. */
Test(text, classes)
{
	static const char token[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int c = 0; c < 256; c++) {
		uint8_t b = (uint8_t)c;

		cr_assert_eq(text_is(b, TEXT_TOKEN), c && strchr(token, c),
			"token %d", c);
		cr_assert_eq(text_is(b, TEXT_TARGET),
			c > 0x20 && c != 0x7f && c != '#', "target %d", c);
		cr_assert_eq(text_is(b, TEXT_VALUE),
			c == '\t' || (c >= 0x20 && c != 0x7f), "value %d", c);
		cr_assert_eq(text_is(b, TEXT_HOST),
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z') || c == '.' ||
				c == '-' || c == '_',
			"host %d", c);
	}
}

Test(text, equality)
{
	cr_assert(text_equal(text_of("Content-LENGTH"), "content-length"));
	cr_assert_not(text_equal(text_of("Content_Length"), "content-length"));
	cr_assert(
		text_equal_loose(text_of("Content_Length"), "content-length"));
	cr_assert_not(text_equal_loose(text_of("a-b"), "a_b"));
	cr_assert_not(text_equal(text_of("Content-Lengt"), "content-length"));
	cr_assert_not(text_equal(text_of(""), "a"));
	cr_assert(text_same(text_of("aB"), text_of("Ab")));
	cr_assert_not(text_same(text_of("a"), text_of("ab")));
	cr_assert(text_is_token(text_of("chunked")));
	cr_assert_not(text_is_token(text_of("")));
	cr_assert_not(text_is_token(text_of("a b")));
}

Test(text, lists)
{
	static const struct {
		const char *list, *members;
	} rows[] = {
		{ "", "[]" },
		{ "a", "[a]" },
		{ " a , b\t,c ", "[a][b][c]" },
		{ ",a,,b,", "[][a][][b][]" },
		{ "\"a,b\"", "[\"a][b\"]" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http_text rest = text_of(rows[i].list), m;
		char have[100] = "";

		while (text_list_next(&rest, &m)) {
			strcat(have, "[");
			strncat(have, (const char *)m.data, m.len);
			strcat(have, "]");
		}
		cr_assert_str_eq(have, rows[i].members);
	}
}
