/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A block of lines that stands at the bottom of a terminal and is written anew
 * in place. The cursor stays behind its last line. What is to be written goes
 * into a FILE, with the codes of ECMA-48.
 */

#ifndef ADIT_CLIENT_BLOCK_H
#define ADIT_CLIENT_BLOCK_H

#include <stdbool.h>
#include <stdio.h>

#define BLOCK_LINES 4

/* All zero is a block of which nothing stands there. */
struct block {
	size_t widths[BLOCK_LINES]; /* columns of the lines */
	int lines;
};

/*
 * Remove it from a terminal of so many columns; one that has become narrower
 * has wrapped its lines.
 */
void block_erase(struct block *b, FILE *f, unsigned columns);

/* Add a line of so many columns, in bold if wanted. */
void block_add(
	struct block *b, FILE *f, const char *text, size_t width, bool bold);

#endif
