/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of a configuration. */
// links: common/conf/arena.c

#include "common/conf/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>

Test(conf_arena, pieces_are_zeroed_aligned_and_apart)
{
	struct conf_arena a = { 0 };
	char *before = NULL;
	char *piece;
	size_t i, k;

	for (i = 0; i < 3000; i++) {
		piece = conf_arena_take(&a, i);
		cr_assert_not_null(piece);
		cr_assert_eq((uintptr_t)piece % 16, 0);
		cr_assert_neq(piece, before);
		for (k = 0; k < i; k++)
			cr_assert_eq(piece[k], 0);
		memset(piece, 0xff, i);
		before = piece;
	}
	conf_arena_free(&a);
	cr_assert_null(a.newest);
}

Test(conf_arena, a_large_piece_has_its_own_chunk)
{
	struct conf_arena a = { 0 };
	char *large = conf_arena_take(&a, 1 << 20);
	char *small = conf_arena_take(&a, 8);

	cr_assert_not_null(large);
	memset(large, 1, 1 << 20);
	cr_assert_eq(small[0], 0);
	conf_arena_free(&a);
}

Test(conf_arena, impossible_sizes_are_refused)
{
	struct conf_arena a = { 0 };

	cr_assert_null(conf_arena_take(&a, SIZE_MAX));
	cr_assert_null(conf_arena_take(&a, SIZE_MAX - 20));
	cr_assert_null(conf_arena_array(&a, SIZE_MAX / 2, 4));
	cr_assert_not_null(conf_arena_array(&a, 0, 4));
	conf_arena_free(&a);
}

Test(conf_arena, text_is_copied_and_ended)
{
	struct conf_arena a = { 0 };
	char *copy = conf_arena_text(&a, "abcdef", 3);

	cr_assert_str_eq(copy, "abc");
	conf_arena_free(&a);
	conf_arena_free(&a);
}
