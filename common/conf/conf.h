/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A configuration: the memory of one settings struct, its defaults, a file
 * read into it by a table, and the places of its values for checks made
 * afterwards. For one thread; once made, the settings are read by all, and
 * freed by who drops them last.
 */

#ifndef ADIT_CONF_CONF_H
#define ADIT_CONF_CONF_H

#include <stdint.h>
#include <stdio.h>

#include "common/conf/error.h"
#include "common/conf/table.h"

struct conf;

/*
 * A configuration that follows `table`, with the struct of table->size bytes
 * at *base_r filled with the defaults. Everything is owned by the conf. 0 or
 * -ENOMEM.
 */
int conf_new(struct conf **conf_r, const struct conf_table *table,
	void **base_r) must_check;

/*
 * Read a YAML or JSON file into the struct. What is wrong goes to `errors`,
 * which the caller looks at even after 0: 0 says only that the file was read
 * to its end, so that checks between keys make sense. -EINVAL (or the -errno
 * of reading it) when it was not; -ENOMEM without memory. Called at most once
 * for a conf.
 */
int conf_load(struct conf *conf, const char *file,
	struct conf_errors *errors) must_check;

/*
 * An error of a check at the value that `path` names ("proxies[1].name"), or
 * at the nearest value above it. The text is "what was found; what is
 * allowed". A conf that has read no file names no place.
 */
void conf_fault(struct conf *conf, struct conf_errors *errors, const char *path,
	const char *fmt, ...) printf_like(4, 5);

/* An error where TABLE.A is set and TABLE.B is not, or the reverse. */
void conf_together(struct conf *conf, struct conf_errors *errors,
	const char *table, const char *a, bool has_a, const char *b,
	bool has_b);

/* The file that was read; NULL: none. */
const char *conf_file(const struct conf *conf);

/* Whether the file gave the key `path` a value. */
bool conf_given(const struct conf *conf, const char *path);

/* Whether that value is a list with nothing in it. */
bool conf_emptied(const struct conf *conf, const char *path);

/* Zeroed memory, and a copy of a string, owned by the conf; or NULL. */
void *conf_alloc(struct conf *conf, size_t n, size_t size) must_check;
const char *conf_copy(struct conf *conf, const char *text) must_check;

/* What conf_new was given, and what it made. */
const struct conf_table *conf_table(const struct conf *conf);
void *conf_base(const struct conf *conf);

/* `other`, whose only holder gives it, is freed with `conf`. */
void conf_own(struct conf *conf, struct conf *other);

/* Any thread: one holder more; returns the same. NULL is accepted. */
struct conf *conf_hold(struct conf *conf);

/*
 * Any thread: one holder less. The last one wipes and frees all, and the
 * struct is gone too. NULL is accepted.
 */
void conf_free(struct conf **conf);

#endif
