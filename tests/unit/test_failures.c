/* SPDX-License-Identifier: Apache-2.0 */

/* Failed logins: the burst, the pause, who shares a bucket. */
// links: server/users/failures.c common/base/address.c common/crypto/random.c
// libs: boringssl

#include "server/users/failures.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

static struct failures *failures;

static void setup(void)
{
	failures = calloc(1, sizeof(*failures));
	failures_init(failures, FAILURES_BURST, FAILURES_PAUSE);
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

	return failures_wait(failures, failures_key(failures, &a, NULL), now);
}

static void fail(const char *ip, int times, int64_t now)
{
	struct address a = from(ip);

	while (times-- > 0)
		failures_count(failures, failures_key(failures, &a, NULL), now);
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

static int64_t wait_as(const char *ip, const char *user, int64_t now)
{
	struct address a = from(ip);

	return failures_wait(failures, failures_key(failures, &a, user), now);
}

/* Of an address as one user: of no other user, and from nowhere else. */
Test(failures, by_user)
{
	struct address a = from("192.0.2.1");
	char longer[5000];

	failures_init(failures, FAILURES_USER_BURST, FAILURES_USER_PAUSE);
	for (int i = 0; i < FAILURES_USER_BURST; i++) {
		cr_assert_eq(wait_as("192.0.2.1", "alice", 0), 0);
		failures_count(
			failures, failures_key(failures, &a, "alice"), 0);
	}
	cr_assert_eq(wait_as("192.0.2.1", "alice", 0), FAILURES_USER_PAUSE);
	cr_assert_eq(wait_as("192.0.2.1", "alice", FAILURES_USER_PAUSE), 0);
	cr_assert_eq(wait_as("192.0.2.1", "alicf", 0), 0);
	cr_assert_eq(wait_as("192.0.2.1", "", 0), 0);
	cr_assert_eq(wait_as("192.0.2.1", NULL, 0), 0);
	cr_assert_eq(wait_as("192.0.2.2", "alice", 0), 0);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_assert_eq(wait_as("192.0.2.1", longer, 0), 0);
}

/* However often it tries, the log tells of it once in a pause. */
Test(failures, are_told_once)
{
	struct address a = from("192.0.2.1"), b = from("192.0.2.2");
	uint64_t key = failures_key(failures, &a, NULL);
	int64_t now = 1000 * CLOCK_SECOND;

	fail("192.0.2.1", FAILURES_BURST, now);
	fail("192.0.2.2", FAILURES_BURST, now);
	cr_assert(failures_tell(failures, key, now));
	for (int i = 0; i < 100; i++)
		cr_assert_not(failures_tell(failures, key, now + i));
	cr_assert(
		failures_tell(failures, failures_key(failures, &b, NULL), now));
	now += FAILURES_PAUSE;
	cr_assert(failures_tell(failures, key, now));
	cr_assert_not(failures_tell(failures, key, now));
}

Test(failures, without_an_address)
{
	struct address none = { .size = 0 };
	uint64_t key = failures_key(failures, &none, "alice");

	cr_assert_eq(key, failures_key(failures, &none, NULL));
	for (int i = 0; i < 100; i++)
		failures_count(failures, key, 0);
	cr_assert_eq(failures_wait(failures, key, 0), 0);
}
