/* SPDX-License-Identifier: Apache-2.0 */

/* Which port a name had, for a day and for so many names. */
// links: server/registry/port_memory.c

#include "server/registry/port_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(port_memory, remembers_for_a_day)
{
	struct port_memory m = { 0 };

	cr_assert_eq(port_recall(&m, "a", 0), 0);
	port_remember(&m, "a", 6000, 0);
	port_remember(&m, "a", 6001, 10);
	cr_assert_eq(port_recall(&m, "a", CLOCK_SECOND), 6001);
	cr_assert_eq(port_recall(&m, "a", PORT_MEMORY_TIME + CLOCK_SECOND), 0);
	port_memory_clear(&m);
	cr_assert_eq(port_recall(&m, "a", CLOCK_SECOND), 0);
}

/* From when it was last had, and not a moment longer. */
Test(port_memory, the_day_is_exact)
{
	struct port_memory m = { 0 };
	int64_t since = 5 * PORT_MEMORY_TIME;

	port_remember(&m, "a", 6000, since - CLOCK_SECOND);
	port_remember(&m, "a", 6000, since);
	cr_assert_eq(port_recall(&m, "a", since + PORT_MEMORY_TIME - 1), 6000);
	cr_assert_eq(port_recall(&m, "a", since + PORT_MEMORY_TIME), 0);
	port_memory_clear(&m);
}

Test(port_memory, forgets_the_oldest)
{
	struct port_memory m = { 0 };
	char name[32];

	for (int i = 0; i < PORT_MEMORIES + 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		port_remember(&m, name, (uint16_t)(1 + i % 60000), 20);
	}
	cr_assert_gt(port_recall(&m, name, 30), 0);
	cr_assert_eq(port_recall(&m, "n99", 30), 0);
	cr_assert_eq(port_recall(&m, "n100", 30), 101);
	port_memory_clear(&m);
}
