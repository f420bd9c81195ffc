/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The streams of a mux by their ids, which the peer may have chosen: hashed by
 * a secret, so that it cannot choose them alike. The streams are not owned.
 */

#ifndef ADIT_RELAY_MUX_TABLE_H
#define ADIT_RELAY_MUX_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct mux_stream;

struct mux_table {
	struct mux_stream **buckets;
	uint64_t key;
	uint32_t count; /* of streams */
	uint8_t bits;   /* of a bucket's number */
};

/* An empty one; false without memory. */
bool mux_table_init(struct mux_table *t) must_check;

/* Free what it took. */
void mux_table_clear(struct mux_table *t);

/* NULL: there is none. */
struct mux_stream *mux_table_find(const struct mux_table *t, uint32_t id);

/* The stream, whose id is not in it, is put in; it always can be. */
void mux_table_add(struct mux_table *t, struct mux_stream *s);
void mux_table_remove(struct mux_table *t, const struct mux_stream *s);

/* Any stream, from bucket *at on, which is moved forward; NULL: none. */
struct mux_stream *mux_table_any(const struct mux_table *t, uint32_t *at);

#endif
