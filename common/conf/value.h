/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One value of a file into one field, by its row: every type but CONF_LIST,
 * whose items the walk in conf.c reads.
 */

#ifndef ADIT_CONF_VALUE_H
#define ADIT_CONF_VALUE_H

#include "common/conf/node.h"
#include "common/conf/table.h"

/* Where values come from and what they need. */
struct conf_source {
	const struct conf_tree *tree;
	const char *file;
	struct conf_arena *arena;
	struct conf_errors *errors;
};

/*
 * Read the node into the field of `row` in the struct at `base`. What is
 * wrong goes to the errors, with `path` as the key, and leaves the field as
 * it was. 0 or -ENOMEM.
 */
int conf_value_read(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, void *base) must_check;

/* As above for the four list-like types (internal to the two files). */
int conf_several_read(const struct conf_source *s, const struct conf_row *row,
	const struct conf_node *n, const char *path, void *field) must_check;

/*
 * Give the field of `row` its default; a default that its own row refuses is
 * a mistake in the table and aborts. 0 or -ENOMEM.
 */
int conf_value_default(struct conf_arena *arena, const struct conf_row *row,
	void *base) must_check;

/* Note an error at the node: what was found; `allowed`. */
void conf_value_refuse(const struct conf_source *s, const struct conf_node *n,
	const char *path, bool secret, const char *allowed);

/* A scalar that is text: no collection, no null. Else refused. */
bool conf_value_text(const struct conf_source *s, const struct conf_node *n,
	const char *path, bool secret);

/* Whether it asks for nothing: "", 0, false, or collections of only these. */
bool conf_value_off(const struct conf_source *s, const struct conf_node *n);

/* The choice of this name; NULL if there is none. */
const struct conf_choice *conf_choice_find(
	const struct conf_choices *choices, const char *name);

/* "a, b, c": the names that can be chosen now. Returns `out`. */
const char *conf_choice_names(
	const struct conf_choices *choices, char *out, size_t size);

#endif
