/* SPDX-License-Identifier: Apache-2.0 */

/* Who reads pages. */
// links: common/http/accept.c common/http/head.c common/http/text.c

#include "common/http/accept.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "common/base/compiler.h"
#include "tests/unit/request.h"

static const struct {
	const char *fields;
	bool html;
} rows[] = {
	{ "", false },
	{ "Accept: */*\r\n", false },
	{ "Accept: text/*\r\n", false },
	{ "Accept:\r\n", false },
	{ "Accept: ,;,\r\n", false },
	{ "Accept: text/html\r\n", true },
	{ "accept: TEXT/HTML\r\n", true },
	{ "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n", true },
	{ "Accept: a/b;q=1 , text/html ; level=1 ;q=0.5\r\n", true },
	{ "Accept: text/html;q=0\r\n", false },
	{ "Accept: text/html; Q=0.000\r\n", false },
	{ "Accept: text/html;q=0.01\r\n", true },
	{ "Accept: text/htmlx\r\n", false },
	{ "Accept: a/b\r\nAccept: text/html\r\n", true },
	{ "X-Accept: text/html\r\n", false },
};

Test(accept, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_head head;
		char text[200];
		const uint8_t *data;

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n",
			rows[i].fields);
		data = request_parse(&head, text);
		cr_assert_eq(accept_names(&head, data, "text/html"),
			rows[i].html, "%s", rows[i].fields);
	}
}
