/* SPDX-License-Identifier: Apache-2.0 */

/* The normal form of hosts: of requests, and as configured. */
// links: common/http/host.c common/http/text.c

#include "common/http/host.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(host, requests)
{
	static const struct {
		const char *in, *out; /* "": refused */
	} rows[] = {
		{ "a.test", "a.test" },
		{ "A.EXAMPLE.com.:80", "a.example.com" },
		{ "a:", "a" },
		{ "a_b-c.1", "a_b-c.1" },
		{ "127.0.0.1:65535", "127.0.0.1" },
		{ "a:1923", "a" },
		{ "[::1]:80", "[::1]" },
		{ "[0:0:0:0:0:0:0:1]", "[::1]" },
		{ "[2001:DB8::]", "[2001:db8::]" },
		{ "", "" },
		{ ".", "" },
		{ "a..b", "" },
		{ ".a", "" },
		{ "a..", "" },
		{ "a@b", "" },
		{ "a/b", "" },
		{ "a b", "" },
		{ "a,b", "" },
		{ "a%00", "" },
		{ "\x80", "" },
		{ "a:99999", "" },
		{ "a:65536", "" },
		{ "a:000080", "" },
		{ "a:8o", "" },
		{ "a:8.0", "" },
		{ "a:-1", "" },
		{ "a:80:80", "" },
		{ "::1", "" },
		{ "[::1", "" },
		{ "[::1]x", "" },
		{ "[::1%eth0]", "" },
		{ "[]", "" },
		{ "[1.2.3.4]", "" },
		{ "*", "" },
		{ "*.a", "" },
	};
	char out[HTTP_HOST_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(host_parse(text_of(rows[i].in), out),
			*rows[i].out != '\0', "%s", rows[i].in);
		cr_assert_str_eq(out, rows[i].out);
	}
}

Test(host, configured)
{
	static const struct {
		const char *in, *out;
		bool wildcard;
	} rows[] = {
		{ "A.Test.", "a.test", false },
		{ "a.test", "a.test", true },
		{ "*.A.test", "*.a.test", true },
		{ "*", "*", true },
		{ "*.a", "", false },
		{ "*", "", false },
		{ "a.*.b", "", true },
		{ "**", "", true },
		{ "*.", "", true },
		{ "*.*.a", "", true },
		{ "*.[::1]", "", true },
		{ "a:80", "", true },
		{ "[::1]", "[::1]", true },
		{ "", "", true },
	};
	char out[HTTP_HOST_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(host_normalise(rows[i].in, rows[i].wildcard, out),
			*rows[i].out != '\0', "%s", rows[i].in);
		cr_assert_str_eq(out, rows[i].out);
	}
}

Test(host, lengths)
{
	char in[300], out[HTTP_HOST_MAX];

	memset(in, 'a', sizeof(in));
	in[253] = '\0';
	cr_assert(host_parse(text_of(in), out));
	in[253] = '.';
	in[254] = '\0';
	cr_assert(host_parse(text_of(in), out));
	in[253] = 'a';
	cr_assert_not(host_parse(text_of(in), out));
	memcpy(in, "*.", 2);
	cr_assert_not(host_normalise(in, true, out));
	in[253] = '\0';
	cr_assert(host_normalise(in, true, out));
}
