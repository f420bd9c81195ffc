/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Chunks in a list, filled from the front. A piece larger than a chunk gets
 * a chunk of its own size.
 */

#include "common/conf/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 16384
#define ALIGNMENT 16

struct conf_chunk {
	struct conf_chunk *older;
	size_t size;
	_Alignas(ALIGNMENT) char bytes[];
};

void *conf_arena_take(struct conf_arena *a, size_t size)
{
	struct conf_chunk *c = a->newest;
	size_t room;
	void *piece;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT) & ~(size_t)(ALIGNMENT - 1);
	if (!c || c->size - a->used < size) {
		room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->size = room;
		c->older = a->newest;
		a->newest = c;
		a->used = 0;
	}
	piece = c->bytes + a->used;
	a->used += size;
	return piece;
}

void *conf_arena_array(struct conf_arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return conf_arena_take(a, total);
}

char *conf_arena_text(struct conf_arena *a, const char *text, size_t length)
{
	char *copy = conf_arena_take(a, length + 1);

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

void conf_arena_free(struct conf_arena *a)
{
	struct conf_chunk *c = a->newest;
	struct conf_chunk *older;

	for (; c; c = older) {
		older = c->older;
		explicit_bzero(c->bytes, c->size);
		free(c);
	}
	a->newest = NULL;
	a->used = 0;
}
