/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The words of a template's action: names with dots and dollars, quoted texts
 * with their quotes, and signs. They point into the text.
 */

#ifndef ADIT_CONF_WORD_H
#define ADIT_CONF_WORD_H

#include <stdbool.h>
#include <stddef.h>

struct conf_word {
	const char *at;
	size_t n;
};

/*
 * The word at *rest_p, before `end`, behind which *rest_p is moved. n is 0 at
 * the end, or before it where a quoted text is not closed.
 */
struct conf_word conf_word_next(const char **rest_p, const char *end);

bool conf_word_is(struct conf_word w, const char *text);

/* Whether it is longer than `text` and begins with it. */
bool conf_word_begins(struct conf_word w, const char *text);

#endif
