/* SPDX-License-Identifier: Apache-2.0 */

/* A ClientHello in pieces is given back whole, with what came behind it. */
// links: server/link/hello_reader.c common/wire/client_hello.c common/event/chunk.c

#include "server/link/hello_reader.h"

#include <criterion/criterion.h>
#include <string.h>

/* Of TLS 1.3, for the name a.test. */
static const uint8_t hello[] = { 0x16, 3, 1, 0, 62, /* the record */
	1, 0, 0, 58, 3, 3,                          /* the message */
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, /* the random */
	0, 0, 2, 0x13, 1, 1, 0, /* session, suites, compression */
	0, 15, 0, 0, 0, 11, 0, 9, 0, 0, 6, 'a', '.', 't', 'e', 's', 't' };

static struct hello_reader r;
static struct client_hello h;
static struct chunk *all;

static int take(const uint8_t *bytes, size_t n)
{
	all = NULL;
	return hello_reader_take(&r, chunk_copy(bytes, (uint32_t)n), &h, &all);
}

static void check(const uint8_t *bytes, size_t n)
{
	cr_assert_eq(chunk_length(all), n);
	cr_assert(!memcmp(chunk_bytes(all), bytes, n));
	cr_assert_str_eq(h.name, "a.test");
	cr_assert_not(hello_reader_began(&r));
	chunk_give(all);
}

Test(hello_reader, one_piece)
{
	struct chunk *c = chunk_copy(hello, sizeof(hello));

	cr_assert_eq(hello_reader_take(&r, c, &h, &all), CLIENT_HELLO_COMPLETE);
	cr_assert_eq(all, c);
	check(hello, sizeof(hello));
}

Test(hello_reader, two_pieces)
{
	for (size_t i = 1; i < sizeof(hello); i++) {
		cr_assert_eq(take(hello, i), CLIENT_HELLO_PARTIAL);
		cr_assert(hello_reader_began(&r));
		cr_assert_eq(take(hello + i, sizeof(hello) - i),
			CLIENT_HELLO_COMPLETE);
		check(hello, sizeof(hello));
	}
}

Test(hello_reader, byte_by_byte)
{
	for (size_t i = 0; i + 1 < sizeof(hello); i++)
		cr_assert_eq(take(hello + i, 1), CLIENT_HELLO_PARTIAL);
	cr_assert_eq(take(hello + sizeof(hello) - 1, 1), CLIENT_HELLO_COMPLETE);
	check(hello, sizeof(hello));
}

/* Early data, or more than a client should say: not ours to drop. */
Test(hello_reader, bytes_behind_it)
{
	static uint8_t more[16000];

	memset(more, 0x17, sizeof(more));
	memcpy(more, hello, sizeof(hello));
	cr_assert_eq(take(more, 7), CLIENT_HELLO_PARTIAL);
	cr_assert_eq(take(more + 7, sizeof(more) - 7), CLIENT_HELLO_COMPLETE);
	check(more, sizeof(more));
	cr_assert_eq(take(more, sizeof(more)), CLIENT_HELLO_COMPLETE);
	check(more, sizeof(more));
}

Test(hello_reader, refused)
{
	cr_assert_eq(take((const uint8_t *)"GET", 3), CLIENT_HELLO_NOT_TLS);
	cr_assert_not(hello_reader_began(&r));
	cr_assert_eq(take(hello, 20), CLIENT_HELLO_PARTIAL);
	cr_assert_eq(take((const uint8_t *)"", 0), CLIENT_HELLO_PARTIAL);
	hello_reader_clear(&r);
	cr_assert_not(hello_reader_began(&r));
	cr_assert_eq(take((const uint8_t *)"\x16\3\1\0\1\1", 6),
		CLIENT_HELLO_PARTIAL);
	cr_assert_eq(take((const uint8_t *)"\x16\3\1\0\0", 5),
		CLIENT_HELLO_MALFORMED);
	hello_reader_clear(&r);
	hello_reader_clear(&r);
}

Test(hello_reader, given_back)
{
	struct chunk *c;

	cr_assert_null(hello_reader_give_back(&r));
	cr_assert_eq(take(hello, 7), CLIENT_HELLO_PARTIAL);
	cr_assert_eq(take(hello + 7, 13), CLIENT_HELLO_PARTIAL);
	c = hello_reader_give_back(&r);
	cr_assert_eq(chunk_length(c), 20);
	cr_assert_eq(memcmp(chunk_bytes(c), hello, 20), 0);
	chunk_give(c);
	cr_assert_not(hello_reader_began(&r));
	cr_assert_null(hello_reader_give_back(&r));
}
