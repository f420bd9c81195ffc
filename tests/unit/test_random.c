/* SPDX-License-Identifier: Apache-2.0 */

/* Random bytes: the amount asked for, and never the same. */
// links: common/crypto/random.c
// libs: boringssl

#include "common/crypto/random.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(random, bytes_fill_exactly)
{
	uint8_t a[34] = { 0 }, b[34] = { 0 };

	random_bytes(a + 1, 32);
	random_bytes(b + 1, 32);
	cr_assert(a[0] == 0 && a[33] == 0);
	cr_assert(memcmp(a, b, sizeof(a)) != 0);
}

Test(random, hex)
{
	char a[17], b[17];

	random_hex(a, 8);
	random_hex(b, 8);
	cr_assert_eq(strlen(a), 16);
	cr_assert_eq(strspn(a, "0123456789abcdef"), 16);
	cr_assert_str_neq(a, b);
}
