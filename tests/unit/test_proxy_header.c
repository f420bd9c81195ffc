/* SPDX-License-Identifier: Apache-2.0 */

/* The headers of both versions, byte by byte. */
// links: common/wire/proxy_header.c common/base/address.c

#include "common/wire/proxy_header.h"

#include <criterion/criterion.h>
#include <string.h>

#define LONGEST "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff"

static const struct {
	const char *from, *to; /* "": no address */
	const char *line;
	const char *binary; /* behind the signature */
	size_t size;
} rows[] = {
	{ "192.0.2.7", "198.51.100.1",
		"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
		"\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\xdc\4\1\xbb", 16 },
	{ "2001:db8::7", "::1", "PROXY TCP6 2001:db8::7 ::1 56324 443\r\n",
		"\x21\x21\0\x24\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xdc\4\1\xbb",
		40 },
	{ "192.0.2.7", "::1", "PROXY UNKNOWN\r\n", "\x21\0\0\0", 4 },
	{ "192.0.2.7", "", "PROXY UNKNOWN\r\n", "\x21\0\0\0", 4 },
	{ "", "192.0.2.7", "PROXY UNKNOWN\r\n", "\x21\0\0\0", 4 },
	{ "", "", "PROXY UNKNOWN\r\n", "\x21\0\0\0", 4 },
};

static struct address address(const char *ip, uint16_t port)
{
	struct address a = { 0 };

	if (*ip)
		cr_assert_eq(address_parse(&a, ip, port), 0);
	return a;
}

Test(proxy_header, both_versions)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	const size_t n = sizeof(signature) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct address from = address(rows[i].from, 56324);
		struct address to = address(rows[i].to, 443);
		uint8_t out[PROXY_HEADER_MAX];

		cr_assert_eq(
			proxy_header_write(out, PROXY_HEADER_V1, &from, &to),
			strlen(rows[i].line), "%zu", i);
		cr_assert(!memcmp(out, rows[i].line, strlen(rows[i].line)));
		cr_assert_eq(
			proxy_header_write(out, PROXY_HEADER_V2, &from, &to),
			n + rows[i].size, "%zu", i);
		cr_assert(!memcmp(out, signature, n));
		cr_assert(!memcmp(out + n, rows[i].binary, rows[i].size), "%zu",
			i);
	}
}

Test(proxy_header, the_longest)
{
	struct address from = address(LONGEST "e", 65534);
	struct address to = address(LONGEST "f", 65535);
	uint8_t out[PROXY_HEADER_MAX];
	size_t n = proxy_header_write(out, PROXY_HEADER_V1, &from, &to);

	cr_assert_eq(n, 104);
	cr_assert(!memcmp(out + n - 14, " 65534 65535\r\n", 14));
}

Test(proxy_header, words)
{
	cr_assert_eq(proxy_header_of(""), PROXY_HEADER_NONE);
	cr_assert_eq(proxy_header_of("v1"), PROXY_HEADER_V1);
	cr_assert_eq(proxy_header_of("v2"), PROXY_HEADER_V2);
	cr_assert_eq(proxy_header_of("v3"), PROXY_HEADER_UNKNOWN);
	cr_assert_eq(proxy_header_of("V1"), PROXY_HEADER_UNKNOWN);
}
