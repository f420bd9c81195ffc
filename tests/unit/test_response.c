/* SPDX-License-Identifier: Apache-2.0 */

/* Where a response ends. */
// links: common/load/response.c

#include "common/load/response.h"

#include <criterion/criterion.h>
#include <string.h>

static struct response r;

static uint32_t take(const char *text)
{
	return response_take(&r, (const uint8_t *)text, (uint32_t)strlen(text));
}

Test(response, by_length_in_pieces)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\n"
				   "content-length: 5\r\n\r\nhello";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		cr_assert_neq(r.state, RESPONSE_DONE);
		cr_assert_eq(
			response_take(&r, (const uint8_t *)&text[i], 1), 1);
	}
	cr_assert_eq(r.state, RESPONSE_DONE);
	cr_assert_eq(r.status, 200);
	cr_assert_not(r.close);
}

Test(response, leaves_what_follows)
{
	cr_assert_eq(
		take("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"), 40);
	cr_assert_eq(r.state, RESPONSE_DONE);
	response_reset(&r);
	cr_assert_eq(r.state, RESPONSE_HEAD);
}

Test(response, until_the_end)
{
	take("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
	cr_assert_eq(r.state, RESPONSE_BODY);
	cr_assert(r.close);
	cr_assert(response_ended(&r));
}

Test(response, cut_short)
{
	take("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
	cr_assert_not(response_ended(&r));
}

Test(response, without_a_body)
{
	take("HTTP/1.1 204 No Content\r\n\r\n");
	cr_assert_eq(r.state, RESPONSE_DONE);
	response_reset(&r);
	take("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	cr_assert_eq(r.state, RESPONSE_DONE);
	cr_assert_eq(r.status, 404);
}

Test(response, nonsense)
{
	take("ICY 200 OK\r\n\r\n");
	cr_assert_eq(r.state, RESPONSE_BAD);
}

Test(response, a_head_without_end)
{
	for (int i = 0; i < RESPONSE_HEAD_MAX; i++)
		take("x");
	cr_assert_eq(r.state, RESPONSE_BAD);
}
