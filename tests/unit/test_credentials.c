/* SPDX-License-Identifier: Apache-2.0 */

/* Logins: right, wrong, doubled, of the site and of the proxy. */
// links: common/http/credentials.c common/http/head.c common/http/text.c

#include "common/http/credentials.h"

#include <stdio.h>

#include "tests/unit/request.h"

#define LOGIN "dXNlcjpwYXNz" /* user:pass */

Test(credentials, rows)
{
	static const struct {
		const char *fields;
		bool proxy;
		int result;
	} rows[] = {
		{ "", false, -401 },
		{ "Authorization: Basic " LOGIN "\r\n", false, 0 },
		{ "authorization:  bAsIc   " LOGIN " \r\n", false, 0 },
		{ "Authorization: Basic " LOGIN "x\r\n", false, -401 },
		{ "Authorization: Basic dXNlcjpwYXNT\r\n", false, -401 },
		{ "Authorization: Basic\r\n", false, -401 },
		{ "Authorization: Basic " LOGIN "=\r\n", false, -401 },
		{ "Authorization: Bearer " LOGIN "\r\n", false, -401 },
		{ "Authorization: " LOGIN "\r\n", false, -401 },
		{ "Authorization: Basic " LOGIN
		  "\r\nAuthorization: Basic " LOGIN "\r\n",
			false, -400 },
		{ "Proxy-Authorization: Basic " LOGIN "\r\n", false, -401 },
		{ "Proxy-Authorization: Basic " LOGIN "\r\n", true, 0 },
		{ "Authorization: Basic " LOGIN "\r\n", true, -407 },
		{ "", true, -407 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300];
		struct http_head head;
		const uint8_t *data;

		sprintf(text, "GET / HTTP/1.1\r\n%s\r\n", rows[i].fields);
		data = request_parse(&head, text);
		cr_assert_eq(
			credentials_check(&head, data, rows[i].proxy, LOGIN),
			rows[i].result, "%s", text);
		cr_assert_eq(
			credentials_check(&head, data, rows[i].proxy, ""), 0);
		cr_assert_eq(
			credentials_check(&head, data, rows[i].proxy, NULL), 0);
	}
}
