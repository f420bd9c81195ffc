/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory of one configuration: handed out piece by piece, freed at once, and
 * wiped when it is, because secrets are among the pieces. For one thread.
 */

#ifndef ADIT_CONF_ARENA_H
#define ADIT_CONF_ARENA_H

#include <stddef.h>

#include "common/base/compiler.h"

struct conf_chunk;

/* Zeroed is empty. `used` counts in the newest chunk only. */
struct conf_arena {
	struct conf_chunk *newest;
	size_t used;
};

/* `size` zeroed bytes, 16-byte aligned, the arena's; NULL without memory. */
void *conf_arena_take(struct conf_arena *a, size_t size) must_check;

/* As above for `n` objects of `size` bytes; NULL also on overflow. */
void *conf_arena_array(struct conf_arena *a, size_t n, size_t size) must_check;

/* A copy of `length` bytes of `text` with a NUL behind; NULL without memory. */
char *conf_arena_text(
	struct conf_arena *a, const char *text, size_t length) must_check;

/* Wipe and free everything taken; the arena is empty again. */
void conf_arena_free(struct conf_arena *a);

#endif
