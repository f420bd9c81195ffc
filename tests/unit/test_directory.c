/* SPDX-License-Identifier: Apache-2.0 */

/* Who serves what: claims, routes, memories. */
// links: server/directory.c

#include "server/directory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/clock.h"

/* Only addresses matter here. */
static char objects[8];
#define P(i) ((struct proxy *)(void *)&objects[i])
#define C(i) ((struct control *)(void *)&objects[i])

static struct directory d;

static void teardown(void)
{
	directory_clear(&d);
}

TestSuite(directory, .fini = teardown);

Test(directory, claims)
{
	cr_assert_eq(directory_claim_name(&d, "a", P(0)), 0);
	cr_assert_eq(directory_claim_name(&d, "a", P(1)), -EEXIST);
	cr_assert_eq(directory_find_name(&d, "a"), P(0));
	cr_assert_null(directory_find_name(&d, "A"));
	directory_drop_name(&d, "a", P(1));
	cr_assert_eq(directory_find_name(&d, "a"), P(0));
	directory_drop_name(&d, "a", P(0));
	cr_assert_null(directory_find_name(&d, "a"));

	cr_assert_eq(directory_claim_port(&d, 80, P(0)), 0);
	cr_assert_eq(directory_claim_port(&d, 80, P(1)), -EEXIST);
	cr_assert_eq(directory_find_port(&d, 80), P(0));
	directory_drop_port(&d, 80, P(0));
	cr_assert_eq(directory_claim_port(&d, 80, P(1)), 0);
}

Test(directory, routes)
{
	static const struct {
		const char *host;
		int want; /* -1: nobody */
	} rows[] = {
		{ "a.example.com", 0 },
		{ "b.example.com", 1 },
		{ "x.y.example.com", 2 },
		{ "x.b.y.example.com", 2 },
		{ "b.y.example.com", 2 },
		{ "example.com", -1 },
		{ "com", -1 },
		{ "a.other.com", -1 },
		{ "", -1 },
	};

	cr_assert_eq(directory_claim_host(&d, "a.example.com", P(0)), 0);
	cr_assert_eq(directory_claim_host(&d, "*.example.com", P(1)), 0);
	cr_assert_eq(directory_claim_host(&d, "*.y.example.com", P(2)), 0);
	cr_assert_eq(directory_claim_host(&d, "*.example.com", P(3)), -EEXIST);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy *p = directory_route(&d, rows[i].host);
		int want = rows[i].want;

		cr_assert_eq(p, want < 0 ? NULL : P(want), "%s", rows[i].host);
	}
	/* "*.com" never serves "example.com", "*" serves everybody. */
	cr_assert_eq(directory_claim_host(&d, "*.com", P(4)), 0);
	cr_assert_null(directory_route(&d, "example.com"));
	cr_assert_eq(directory_claim_host(&d, "*", P(5)), 0);
	cr_assert_eq(directory_route(&d, "example.com"), P(5));
	cr_assert_eq(directory_route(&d, ""), P(5));
	directory_drop_host(&d, "*", P(5));
	cr_assert_null(directory_route(&d, "example.com"));
}

Test(directory, controls_take_over)
{
	cr_assert_eq(directory_add_control(&d, "id", C(0)), 0);
	cr_assert_eq(directory_add_control(&d, "id", C(1)), 0);
	cr_assert_eq(directory_find_control(&d, "id"), C(1));
	/* The one that was replaced does not take the other with it. */
	directory_drop_control(&d, "id", C(0));
	cr_assert_eq(directory_find_control(&d, "id"), C(1));
	directory_drop_control(&d, "id", C(1));
	cr_assert_null(directory_find_control(&d, "id"));
	cr_assert_null(directory_find_control(&d, ""));
}

Test(directory, memories)
{
	char name[32];

	cr_assert_eq(directory_recall(&d, "a", 0), 0);
	directory_remember(&d, "a", 6000, 0);
	directory_remember(&d, "a", 6001, 10);
	cr_assert_eq(directory_recall(&d, "a", CLOCK_SECOND), 6001);
	cr_assert_eq(
		directory_recall(&d, "a", DIRECTORY_MEMORY_TIME + CLOCK_SECOND),
		0);
	for (int i = 0; i < DIRECTORY_MEMORIES + 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		directory_remember(&d, name, (uint16_t)(1 + i % 60000), 20);
	}
	cr_assert_leq(d.memory_count, DIRECTORY_MEMORIES);
	cr_assert_gt(directory_recall(&d, name, 30), 0);
}
