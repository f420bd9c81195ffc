/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A struct of a table as a YAML file that a program keeps and reads again with
 * the same table, secrets included, by libyaml's emitter. What is zero or
 * empty is left out, so it is for tables whose defaults are that.
 */

#ifndef ADIT_CONF_EMIT_H
#define ADIT_CONF_EMIT_H

#include "common/conf/table.h"

/*
 * The text, from malloc, NUL-terminated, which the caller wipes. 0 or -ENOMEM.
 * Types: BOOL, INT, STRING, SECRET, WORDS, STRINGS, RANGES and LIST.
 */
int conf_emit(const struct conf_table *t, const void *base, char **text_r,
	size_t *size_r) must_check;

#endif
