/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Levenshtein's distance by two rows, on words short enough for the stack.
 */

#include "common/conf/nearest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64

static size_t least(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

static size_t distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[WORD_MAX + 1];
	size_t i, k, corner, above;

	for (k = 0; k <= bn; k++)
		row[k] = k;
	for (i = 1; i <= an; i++) {
		corner = row[0];
		row[0] = i;
		for (k = 1; k <= bn; k++) {
			above = row[k];
			row[k] = least(above + 1, row[k - 1] + 1,
				corner + (tolower((unsigned char)a[i - 1]) !=
						 tolower((unsigned char)
								 b[k - 1])));
			corner = above;
		}
	}
	return row[bn];
}

void conf_nearest_offer(
	struct conf_nearest *n, const char *found, const char *known)
{
	size_t found_n = strnlen(found, WORD_MAX + 1);
	size_t known_n = strnlen(known, WORD_MAX + 1);
	size_t d;

	if (found_n > WORD_MAX || known_n > WORD_MAX)
		return;
	d = distance(found, found_n, known, known_n);
	if (d > (found_n > known_n ? found_n : known_n) / 3)
		return;
	if (n->word && n->distance <= d)
		return;
	n->word = known;
	n->distance = d;
}
