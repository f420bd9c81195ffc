/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is wrong with a configuration: a bounded list of lines of the form
 *
 *	FILE:LINE:COLUMN: KEY: what was found; what is allowed
 *
 * kept in order of their place, file by file. The texts hold no control
 * characters and are never longer than one line of CONF_ERROR_TEXT bytes.
 */

#ifndef ADIT_CONF_ERROR_H
#define ADIT_CONF_ERROR_H

#include <stdio.h>

#include "common/base/compiler.h"

#define CONF_ERRORS_MAX 32
#define CONF_ERROR_TEXT 1024

struct conf_error {
	const char *file; /* compared only: errors of one file are in order */
	size_t line, column;
	char text[CONF_ERROR_TEXT];
};

/* Zeroed is empty. `lost` counts errors beyond CONF_ERRORS_MAX. */
struct conf_errors {
	size_t n;
	size_t lost;
	struct conf_error v[CONF_ERRORS_MAX];
};

/*
 * A place in a file; line and column count from 1. Without a file the error
 * has no place before its key (settings made from the command line).
 */
struct conf_place {
	const char *file;
	size_t line, column;
};

/*
 * Add the error "place: key: " + the formatted text, which is of the form
 * "what was found; what is allowed". Texts that come from outside pass
 * conf_quote first; the key is escaped here.
 */
void conf_errors_add(struct conf_errors *e, const struct conf_place *at,
	const char *key, const char *fmt, ...) printf_like(4, 5);

/* Write one line an error, and one more if errors were lost. */
void conf_errors_print(const struct conf_errors *e, FILE *out);

/*
 * Write `text` (UTF-8) in double quotes to `out`, with control characters,
 * quotes, backslashes and invisible direction marks escaped, cut with "..."
 * at about 64 characters. Returns `out`.
 */
#define CONF_QUOTED 400
const char *conf_quote(char out[static CONF_QUOTED], const char *text);

/* As conf_quote, without the quotes and without a cut but `size`. */
const char *conf_escape(char *out, size_t size, const char *text);

#endif
