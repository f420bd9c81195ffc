/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses as values and as text. */
// links: common/base/address.c

#include "common/base/address.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(address, literals_there_and_back)
{
	static const struct {
		const char *ip, *text;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:80" },
		{ "0.0.0.0", "0.0.0.0:80" },
		{ "::1", "[::1]:80" },
		{ "2001:DB8:0:0::1", "[2001:db8::1]:80" },
		{ "::ffff:1.2.3.4", "1.2.3.4:80" },
	};
	char text[ADDRESS_TEXT_SIZE];
	struct address a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(address_parse(&a, rows[i].ip, 80), 0);
		cr_assert_eq(address_port(&a), 80);
		address_text(&a, text);
		cr_assert_str_eq(text, rows[i].text);
	}
	for (size_t i = 0; i < 5; i++) {
		static const char *const bad[] = { "", "localhost", "[::1]",
			"1.2.3", "1.2.3.4.5" };

		cr_assert_eq(
			address_parse(&a, bad[i], 80), -EINVAL, "%s", bad[i]);
	}
}

Test(address, localhost_is_this_machine_by_both_families)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address a[2];

	cr_assert_eq(address_localhost(a, "LocalHost", 80), 2);
	address_text(&a[0], text);
	cr_assert_str_eq(text, "127.0.0.1:80");
	address_text(&a[1], text);
	cr_assert_str_eq(text, "[::1]:80");
	cr_assert_eq(address_localhost(a, "localhost.", 80), 0);
	cr_assert_eq(address_localhost(a, "127.0.0.1", 80), 0);
}

Test(address, split)
{
	static const struct {
		const char *text;
		uint16_t given;
		const char *host; /* NULL: refused */
		uint16_t port;
	} rows[] = {
		{ "a.test:80", 0, "a.test", 80 },
		{ "a.test", 7000, "a.test", 7000 },
		{ "[::1]:80", 0, "::1", 80 },
		{ "[::1]", 7000, "::1", 7000 },
		{ "::1", 7000, "::1", 7000 },
		{ "a.test", 0, NULL, 0 },
		{ "a:0", 0, NULL, 0 },
		{ "a:65536", 0, NULL, 0 },
		{ "a:", 7000, NULL, 0 },
		{ ":80", 0, NULL, 0 },
		{ "", 7000, NULL, 0 },
		{ "a:8x", 0, NULL, 0 },
		{ "[::1", 7000, NULL, 0 },
		{ "[]:80", 0, NULL, 0 },
		{ "{::1]", 7000, NULL, 0 },
	};
	char host[ADDRESS_HOST_SIZE];
	uint16_t port;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int rc =
			address_split(rows[i].text, host, &port, rows[i].given);

		cr_assert_eq(
			rc, rows[i].host ? 0 : -EINVAL, "%s", rows[i].text);
		if (rc < 0)
			continue;
		cr_assert_str_eq(host, rows[i].host);
		cr_assert_eq(port, rows[i].port);
	}
}

Test(address, nothing_and_join)
{
	struct address none = { .size = 0 };
	char text[ADDRESS_TEXT_SIZE];

	address_ip(&none, text);
	cr_assert_str_eq(text, "");
	address_join(text, sizeof(text), "::1", 9);
	cr_assert_str_eq(text, "[::1]:9");
	address_join(text, sizeof(text), "a", 9);
	cr_assert_str_eq(text, "a:9");
}
