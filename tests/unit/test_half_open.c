/* SPDX-License-Identifier: Apache-2.0 */

/* How many may be about to say what they are. */
// links: server/link/half_open.c common/base/address.c common/crypto/random.c
// libs: boringssl

#include "server/link/half_open.h"

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

	while (half_open_enter(&h, place, false) == HALF_OPEN_ANY)
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

/* Nobody knows whom an address shares its place with. */
Test(half_open, places_are_spread)
{
	static uint32_t places[64];
	uint32_t apart = 0, moved = 0;
	char ip[32];

	half_open_init(&h);
	for (uint32_t i = 0; i < 64; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%u", i);
		places[i] = place_of(ip);
		cr_assert_lt(places[i], HALF_OPEN_PLACES);
		apart += places[i] != places[0];
	}
	cr_assert_gt(apart, 48);
	half_open_init(&h);
	for (uint32_t i = 0; i < 64; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%u", i);
		moved += place_of(ip) != places[i];
	}
	cr_assert_gt(moved, 48);
}

/* The last quarter is for who resumes; an address has no more of it either. */
Test(half_open, all_together)
{
	uint32_t n = 0, place = 0;

	half_open_init(&h);
	for (uint32_t i = 0; i < HALF_OPEN_PLACES; i++)
		n += enter_all(i);
	cr_assert_eq(n, HALF_OPEN_OF_ANYBODY);
	for (uint32_t i = 0; i < HALF_OPEN_PLACES; i++) {
		if (half_open_enter(&h, i, true) == HALF_OPEN_NONE)
			continue;
		n++;
		place = i;
	}
	cr_assert_eq(n, HALF_OPEN_MAX);
	half_open_leave(&h, place);
	cr_assert_eq(half_open_enter(&h, place, false), HALF_OPEN_NONE);
	cr_assert_eq(half_open_enter(&h, place, true), HALF_OPEN_KNOWN);
	cr_assert_eq(half_open_enter(&h, place, true), HALF_OPEN_NONE);
}

/* Who resumes does not take its own room while there is other. */
Test(half_open, room_for_anybody_first)
{
	half_open_init(&h);
	for (uint32_t i = 0; i < HALF_OPEN_OF_ANYBODY; i++)
		cr_assert_eq(half_open_enter(&h, i, true), HALF_OPEN_ANY);
	cr_assert_eq(half_open_enter(&h, 1000, true), HALF_OPEN_KNOWN);
	half_open_leave(&h, 1000);
	half_open_leave(&h, 0);
	cr_assert_eq(half_open_enter(&h, 1000, false), HALF_OPEN_ANY);
}

/* Who was asked to come takes nobody's room. */
Test(half_open, room_for_those_who_were_asked)
{
	uint32_t place;

	half_open_init(&h);
	place = place_of("192.0.2.1");
	half_open_expect(&h, place, 5000);
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(half_open_enter(&h, place, false), HALF_OPEN_ANY);
	cr_assert_eq(enter_all(place), HALF_OPEN_OF_ADDRESS);
}
