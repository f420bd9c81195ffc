/* SPDX-License-Identifier: Apache-2.0 */

/* Networks: what is one, and which addresses it has. */
// links: common/base/network.c common/base/address.c

#include "common/base/network.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "common/base/address.h"

static bool has(const char *network, const char *ip)
{
	struct network n;
	struct address a;

	cr_assert_eq(network_parse(&n, network), 0, "%s", network);
	cr_assert_eq(address_parse(&a, ip, 1), 0, "%s", ip);
	return network_has(&n, &a);
}

Test(network, members)
{
	static const struct {
		const char *network, *ip;
		bool want;
	} rows[] = {
		{ "127.0.0.0/8", "127.255.0.1", true },
		{ "127.0.0.0/8", "128.0.0.1", false },
		{ "127.0.0.0/8", "::ffff:127.0.0.1", true },
		{ "::ffff:127.0.0.0/104", "127.0.0.1", true },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.2", false },
		{ "10.0.0.0/9", "10.127.1.1", true },
		{ "10.0.0.0/9", "10.128.1.1", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "1.2.3.4", true },
		{ "::1", "::1", true },
		{ "::1/128", "::2", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_assert_eq(has(rows[i].network, rows[i].ip), rows[i].want,
			"%s %s", rows[i].network, rows[i].ip);
}

Test(network, no_address_is_in_none)
{
	struct address a = { 0 };
	struct network n;

	cr_assert_eq(network_parse(&n, "::/0"), 0);
	cr_assert_not(network_has(&n, &a));
}

Test(network, refused)
{
	static const char *const rows[] = { "", "a", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.1/8", "10.0.0.0/ 8", "10.0.0.0/+8", "10.0.0.0/8x",
		"10.0.0.0/0008", "10.0.0/8", "::/129", "::1/64", "[::1]",
		"10.0.0.0 /8", "host", "1.2.3.4:80" };
	struct network n;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_assert_eq(
			network_parse(&n, rows[i]), -EINVAL, "%s", rows[i]);
}
