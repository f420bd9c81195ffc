/* SPDX-License-Identifier: Apache-2.0 */

/* How many may be about to say what they are. */
// links: server/half_open.c common/base/address.c common/crypto/random.c
// libs: boringssl

#include "server/half_open.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct half_open h;

static uint32_t place_of(const char *ip)
{
	struct address a;

	cr_assert_eq(address_parse(&a, ip, 7), 0);
	return half_open_place(&h, &a);
}

static uint32_t enter_all(uint32_t place)
{
	uint32_t n = 0;

	while (half_open_enter(&h, place))
		n++;
	return n;
}

Test(half_open, one_address)
{
	uint32_t place;

	half_open_init(&h);
	place = place_of("192.0.2.1");
	cr_assert_eq(enter_all(place), HALF_OPEN_OF_ADDRESS);
	half_open_leave(&h, place);
	cr_assert_eq(enter_all(place), 1);
	/* What was asked for has room of its own. */
	half_open_expect(&h, place, 100);
	cr_assert_eq(enter_all(place), 100);
	half_open_expect(&h, place, -100);
	cr_assert_eq(enter_all(place), 0);
	for (int i = 0; i < HALF_OPEN_OF_ADDRESS + 100; i++)
		half_open_leave(&h, place);
	cr_assert_eq(enter_all(place), HALF_OPEN_OF_ADDRESS);
}

Test(half_open, networks)
{
	half_open_init(&h);
	cr_assert_eq(place_of("2001:db8::1"), place_of("2001:db8::2:3:4:5"));
	cr_assert_eq(place_of("::ffff:192.0.2.1"), place_of("192.0.2.1"));
}

Test(half_open, all_together)
{
	uint32_t n = 0;

	half_open_init(&h);
	for (uint32_t i = 0; i < HALF_OPEN_PLACES; i++) {
		n += enter_all(i);
		cr_assert_eq(
			half_open_is_crowded(&h), n >= HALF_OPEN_MAX / 4 * 3);
	}
	cr_assert_eq(n, HALF_OPEN_MAX);
}

/* Who was asked to come is no crowd. */
Test(half_open, no_crowd_of_those_who_were_asked)
{
	uint32_t place;

	half_open_init(&h);
	place = place_of("192.0.2.1");
	half_open_expect(&h, place, 5000);
	for (int i = 0; i < 5000; i++)
		cr_assert(half_open_enter(&h, place));
	cr_assert_not(half_open_is_crowded(&h));
}
