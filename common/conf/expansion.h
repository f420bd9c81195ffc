/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A text made from the pieces of another, and where each of them came from.
 */

#ifndef ADIT_CONF_EXPANSION_H
#define ADIT_CONF_EXPANSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"

/* Line and column from 1, columns in characters (UTF-8). */
struct conf_spot {
	size_t line, column;
};

/*
 * From a spot of the new text on, the bytes come from this spot of the old
 * one: as they stand there, or as what one action made.
 */
struct conf_piece {
	struct conf_spot at, from;
	bool literal;
};

/* Zeroed is empty. */
struct conf_expansion {
	char *bytes;
	size_t size, room;
	struct conf_spot next;     /* where the next byte goes; zeroed: 1, 1 */
	struct conf_piece *pieces; /* in the order of the text */
	size_t n, pieces_room;
};

/* Append a piece; 0 or -ENOMEM. */
int conf_expansion_add(struct conf_expansion *e, const char *text, size_t n,
	struct conf_spot from, bool literal) must_check;

/* The spot of the old text that this spot of the new one comes from. */
struct conf_spot conf_expansion_origin(
	const struct conf_expansion *e, struct conf_spot at);

/* Move the spot over these bytes. */
void conf_spot_advance(struct conf_spot *s, const char *bytes, size_t n);

/* Wipe and free; it is empty again. */
void conf_expansion_free(struct conf_expansion *e);

#endif
