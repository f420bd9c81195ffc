/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which known word was meant: edit distance for "did you mean".
 */

#ifndef ADIT_CONF_NEAREST_H
#define ADIT_CONF_NEAREST_H

#include <stddef.h>

/* The best candidate so far; zeroed before the first. */
struct conf_nearest {
	const char *word;
	size_t distance;
};

/*
 * Offer `known` as a candidate for what `found` meant. It is kept when it is
 * nearer than the one before and near enough: at most a third of the letters
 * differ (case counts as no difference). Words above 64 bytes match nothing.
 */
void conf_nearest_offer(
	struct conf_nearest *n, const char *found, const char *known);

#endif
