/* SPDX-License-Identifier: Apache-2.0 */

/* Proxies by name and by port; their records, also broken ones. */
// links: server/upgrade/awaited.c
// libs: -Wl,--wrap=malloc

#include "server/upgrade/awaited.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/scarce.h"

static struct awaited a;

static void clear(void)
{
	awaited_clear(&a);
	cr_assert_eq(awaited_count(&a), 0);
}

TestSuite(awaited, .fini = clear);

static size_t write_three(uint8_t *bytes)
{
	uint8_t *to = awaited_write(bytes, "web", 0);

	to = awaited_write(to, "me.ssh", 20000);
	return (size_t)(awaited_write(to, "x", 65535) - bytes);
}

Test(awaited, comes_and_is_taken)
{
	uint8_t bytes[100];
	size_t size = write_three(bytes);

	cr_assert_eq(size, awaited_size("web") + awaited_size("me.ssh") +
				   awaited_size("x"));
	cr_assert_eq(awaited_read(&a, bytes, size), 0);
	cr_assert_eq(awaited_count(&a), 3);
	cr_assert_str_eq(awaited_owner(&a, 20000), "me.ssh");
	cr_assert_str_eq(awaited_owner(&a, 65535), "x");
	cr_assert_null(awaited_owner(&a, 0));
	cr_assert_null(awaited_owner(&a, 20001));
	cr_assert_not(awaited_drop(&a, "ssh"));
	cr_assert(awaited_drop(&a, "me.ssh"));
	cr_assert_not(awaited_drop(&a, "me.ssh"));
	cr_assert_null(awaited_owner(&a, 20000));
	cr_assert(awaited_drop(&a, "web"));
	cr_assert_eq(awaited_count(&a), 1);
}

static void add_up(const char *name, uint16_t port, void *arg)
{
	*(size_t *)arg += strlen(name) + port;
}

Test(awaited, each)
{
	uint8_t bytes[100];
	size_t sum = 0;

	cr_assert_eq(awaited_read(&a, bytes, write_three(bytes)), 0);
	awaited_each(&a, add_up, &sum);
	cr_assert_eq(sum, 3 + 6 + 1 + 20000 + 65535);
}

/* Whoever is named second is not awaited. */
Test(awaited, once)
{
	uint8_t bytes[100], *to = awaited_write(bytes, "a", 7);

	to = awaited_write(to, "a", 8);
	to = awaited_write(to, "b", 7);
	cr_assert_eq(awaited_read(&a, bytes, (size_t)(to - bytes)), 0);
	cr_assert_eq(awaited_count(&a), 1);
	cr_assert_str_eq(awaited_owner(&a, 7), "a");
	cr_assert_null(awaited_owner(&a, 8));
}

Test(awaited, pieces)
{
	uint8_t bytes[100];
	size_t size = write_three(bytes), web = awaited_size("web");
	size_t two = web + awaited_size("me.ssh");

	cr_assert_eq(awaited_piece(bytes, size, 1000), size);
	cr_assert_eq(awaited_piece(bytes, size, size), size);
	cr_assert_eq(awaited_piece(bytes, size, size - 1), two);
	cr_assert_eq(awaited_piece(bytes, size, two - 1), web);
	cr_assert_eq(awaited_piece(bytes, size, web - 1), 0);
	cr_assert_eq(awaited_piece(bytes, size - 1, 1000), two);
	cr_assert_eq(awaited_piece(bytes, 0, 1000), 0);
}

Test(awaited, broken)
{
	uint8_t bytes[100];
	size_t size = write_three(bytes);

	for (size_t n = size - 1; n > size - awaited_size("x"); n--)
		cr_assert_eq(awaited_read(&a, bytes, n), -EPROTO);
	cr_assert_eq(awaited_read(&a, bytes, 1), -EPROTO);
	cr_assert_eq(awaited_read(&a, bytes, 0), 0);
}

/* One that is not in both tables is in none. */
Test(awaited, without_memory)
{
	uint8_t bytes[100];
	size_t size = write_three(bytes);

	/* Two each: the table of names, with "web", and that of ports. */
	for (int left = 0; left < 4; left++) {
		scarce_left = left;
		cr_assert_eq(awaited_read(&a, bytes, size), -ENOMEM);
		cr_assert_eq(awaited_count(&a), left >= 2);
		cr_assert_null(awaited_owner(&a, 20000));
		awaited_clear(&a);
	}
	scarce_left = 4;
	cr_assert_eq(awaited_read(&a, bytes, size), 0);
	scarce_left = INT_MAX;
}
