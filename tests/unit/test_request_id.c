/* SPDX-License-Identifier: Apache-2.0 */

/* Names of requests: all different, not in order, of one length. */
// links: common/http/request_id.c

#include "common/http/request_id.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MANY 100000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(request_id, all_different)
{
	uint64_t *ids = calloc(MANY, sizeof(*ids)), series = UINT64_MAX - 9;
	int ascending = 0;

	for (size_t i = 0; i < MANY; i++) {
		ids[i] = request_id_next(&series);
		ascending += i > 0 && ids[i] > ids[i - 1];
	}
	cr_assert(ascending > MANY * 2 / 5 && ascending < MANY * 3 / 5);
	qsort(ids, MANY, sizeof(*ids), compare);
	cr_assert_neq(ids[0], 0);
	for (size_t i = 1; i < MANY; i++)
		cr_assert_neq(ids[i], ids[i - 1]);
	free(ids);
}

Test(request_id, text)
{
	char text[REQUEST_ID_SIZE];

	request_id_text(UINT64_C(0x0123456789abcdef), text);
	cr_assert_str_eq(text, "0123456789abcdef");
	request_id_text(1, text);
	cr_assert_str_eq(text, "0000000000000001");
}
