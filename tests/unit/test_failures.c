/* SPDX-License-Identifier: Apache-2.0 */

/* Failed logins by address: the burst, the pause, who shares a bucket. */
// links: server/failures.c common/base/address.c common/crypto/random.c
// libs: boringssl

#include "server/failures.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"

static struct failures *failures;

static void setup(void)
{
	failures = calloc(1, sizeof(*failures));
	failures_init(failures);
}

static void done(void)
{
	free(failures);
}

TestSuite(failures, .init = setup, .fini = done);

static struct address from(const char *ip)
{
	struct address a;

	cr_assert_eq(address_parse(&a, ip, 1234), 0, "%s", ip);
	return a;
}

static int64_t wait_of(const char *ip, int64_t now)
{
	struct address a = from(ip);

	return failures_wait(failures, &a, now);
}

static void fail(const char *ip, int times, int64_t now)
{
	struct address a = from(ip);

	while (times-- > 0)
		failures_count(failures, &a, now);
}

Test(failures, ten_then_one_in_six_seconds)
{
	int64_t now = 1000 * CLOCK_SECOND;

	cr_assert_eq(wait_of("192.0.2.1", now), 0);
	fail("192.0.2.1", FAILURES_BURST - 1, now);
	cr_assert_eq(wait_of("192.0.2.1", now), 0);
	fail("192.0.2.1", 1, now);
	cr_assert_eq(wait_of("192.0.2.1", now), FAILURES_PAUSE);
	now += FAILURES_PAUSE;
	cr_assert_eq(wait_of("192.0.2.1", now), 0);
	fail("192.0.2.1", 1, now);
	cr_assert_eq(wait_of("192.0.2.1", now), FAILURES_PAUSE);
	/* After a minute of peace all is forgotten. */
	now += FAILURES_BURST * FAILURES_PAUSE;
	fail("192.0.2.1", FAILURES_BURST - 1, now);
	cr_assert_eq(wait_of("192.0.2.1", now), 0);
}

Test(failures, whose_bucket)
{
	fail("192.0.2.1", FAILURES_BURST, 0);
	cr_assert_gt(wait_of("192.0.2.1", 0), 0);
	cr_assert_gt(wait_of("::ffff:192.0.2.1", 0), 0);
	cr_assert_eq(wait_of("192.0.2.2", 0), 0);
	fail("2001:db8:1:2::1", FAILURES_BURST, 0);
	cr_assert_gt(wait_of("2001:db8:1:2:ffff:ffff:ffff:ffff", 0), 0);
	cr_assert_eq(wait_of("2001:db8:1:3::1", 0), 0);
	cr_assert_eq(wait_of("::1", 0), 0);
}

/* Many addresses displace each other; one that fails now is kept. */
Test(failures, many_addresses)
{
	char ip[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(ip, sizeof(ip), "10.%d.%d.%d", i >> 16, i >> 8 & 255,
			i & 255);
		fail(ip, 1, i);
	}
	fail("192.0.2.1", FAILURES_BURST, 200000);
	cr_assert_gt(wait_of("192.0.2.1", 200000), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(ip, sizeof(ip), "11.0.%d.%d", i >> 8, i & 255);
		fail(ip, 1, 200000);
	}
	cr_assert_gt(wait_of("192.0.2.1", 200000), 0);
}

Test(failures, without_an_address)
{
	struct address none = { .size = 0 };

	for (int i = 0; i < 100; i++)
		failures_count(failures, &none, 0);
	cr_assert_eq(failures_wait(failures, &none, 0), 0);
}
