/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/mux_table.h"

#include <stdlib.h>

#include "common/crypto/random.h"
#include "common/relay/mux.h"

#define BITS_LEAST 3
#define BITS_MOST 20

/* Multiply-shift: the key is odd and nobody knows it. */
static struct mux_stream **bucket(const struct mux_table *t, uint32_t id)
{
	return &t->buckets[id * t->key >> (64 - t->bits)];
}

bool mux_table_init(struct mux_table *t)
{
	t->buckets = calloc(1 << BITS_LEAST, sizeof(*t->buckets));
	if (!t->buckets)
		return false;
	t->bits = BITS_LEAST;
	t->count = 0;
	random_bytes(&t->key, sizeof(t->key));
	t->key |= 1;
	return true;
}

void mux_table_clear(struct mux_table *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

struct mux_stream *mux_table_find(const struct mux_table *t, uint32_t id)
{
	struct mux_stream *s = *bucket(t, id);

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void put(struct mux_table *t, struct mux_stream *s)
{
	struct mux_stream **b = bucket(t, s->id);

	s->next = *b;
	*b = s;
}

/* Without memory the chains get longer, nothing else. */
static void grow(struct mux_table *t)
{
	struct mux_table wide = *t;

	wide.bits++;
	wide.buckets = calloc((size_t)1 << wide.bits, sizeof(*wide.buckets));
	if (!wide.buckets)
		return;
	for (uint32_t i = 0; i < (uint32_t)1 << t->bits; i++) {
		struct mux_stream *s = t->buckets[i];

		while (s) {
			struct mux_stream *next = s->next;

			put(&wide, s);
			s = next;
		}
	}
	free(t->buckets);
	*t = wide;
}

void mux_table_add(struct mux_table *t, struct mux_stream *s)
{
	if (t->count >= (uint32_t)1 << t->bits && t->bits < BITS_MOST)
		grow(t);
	put(t, s);
	t->count++;
}

void mux_table_remove(struct mux_table *t, const struct mux_stream *s)
{
	struct mux_stream **at = bucket(t, s->id);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	t->count--;
}

struct mux_stream *mux_table_any(const struct mux_table *t, uint32_t *at)
{
	while (t->count > 0 && *at < (uint32_t)1 << t->bits) {
		if (t->buckets[*at])
			return t->buckets[*at];
		(*at)++;
	}
	return NULL;
}
