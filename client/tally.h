/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What requests look like to people: a line for each, and what they add up
 * to. What visitors sent is written so that a terminal takes it for text:
 * all but printable ASCII becomes \xNN, a backslash is doubled.
 */

#ifndef ADIT_CLIENT_TALLY_H
#define ADIT_CLIENT_TALLY_H

#include <stdio.h>

#include "client/journal.h"
#include "common/load/histogram.h"

struct tally {
	uint64_t requests;
	uint64_t classes[10]; /* by the status's first digit */
	uint64_t cut;         /* without a complete answer; in no class */
	uint64_t in, out;     /* bytes of bodies */
	struct histogram times;
};

/* How lines are written. */
struct tally_style {
	unsigned columns; /* of the terminal; 0: there is none */
	bool color;
	bool names; /* of the proxies, as there are several */
};

/* A line at most, with its line feed and a NUL. */
#define TALLY_LINE 2048

/* Lines of the sum. */
#define TALLY_LINES 2

void tally_add(struct tally *t, const struct watch_exchange *e);

/* Write the row's request as a line; its size, below TALLY_LINE. */
size_t tally_line(char text[static TALLY_LINE], const struct journal_row *row,
	const struct tally_style *style);

/*
 * Write line `i` of the sum, without a line feed, cut where the terminal ends.
 * `open` requests are not answered, `hidden` were not printed. Its size; 0:
 * there is nothing to say yet.
 */
size_t tally_sum(char text[static TALLY_LINE], const struct tally *t,
	unsigned i, uint32_t open, uint64_t hidden,
	const struct tally_style *style);

/* Write foreign text, in no more than so many columns (0: any number). */
size_t tally_text(char to[static TALLY_LINE], const char *text, size_t size,
	unsigned columns);

#endif
