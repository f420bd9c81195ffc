/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A configuration file as read: its values in the order of the file, each
 * knowing its parent, its key and its place. A flat array, so it is walked by
 * a loop: the children of node i lie between i + 1 and node i's `end`.
 */

#ifndef ADIT_CONF_NODE_H
#define ADIT_CONF_NODE_H

#include <stdbool.h>

#include "common/conf/arena.h"
#include "common/conf/error.h"

enum conf_kind {
	CONF_SCALAR,
	CONF_SEQUENCE,
	CONF_MAPPING
};

struct conf_node {
	enum conf_kind kind;
	bool plain;          /* a scalar without quotes */
	const char *key;     /* in a mapping; "" elsewhere */
	const char *text;    /* of a scalar; "" elsewhere; holds no NUL */
	size_t line, column; /* of the value */
	size_t key_line, key_column;
	size_t parent; /* the root's is 0, its own */
	size_t index;  /* among its siblings, from 0 */
	size_t n;      /* children */
	size_t end;    /* the first node behind this one's descendants */
};

/* The texts and keys live in the arena of whoever made the tree. */
struct conf_tree {
	struct conf_node *v;
	size_t n, room;
};

/*
 * Append a node below `parent` and set its parent, index and `end`; the other
 * fields are zeroed or "". Returns its number, or -ENOMEM.
 */
long conf_tree_add(struct conf_tree *t, size_t parent) must_check;

/* Node `i` is complete: no more nodes below it. */
void conf_tree_close(struct conf_tree *t, size_t i);

/*
 * The node that `path` names ("proxies[0].localPort"), or the nearest one
 * above it that exists; *exact_r tells which. The tree is not empty.
 */
const struct conf_node *conf_tree_find(
	const struct conf_tree *t, const char *path, bool *exact_r);

/* An error for each key that a mapping holds a second time; or -ENOMEM. */
int conf_tree_check_keys(const struct conf_tree *t, const char *file,
	struct conf_errors *errors) must_check;

/* A plain scalar that says "no value": empty, ~ or null. */
bool conf_node_null(const struct conf_node *n);

/* Frees the array; the tree is empty again. */
void conf_tree_free(struct conf_tree *t);

#endif
