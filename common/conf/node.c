/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The flat tree: growing it, finding in it, and double keys, which are found
 * by sorting, so that a mapping of many keys costs no square of them.
 */

#include "common/conf/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One key, to be sorted: by mapping, by name, by order in the file. */
struct key {
	size_t parent;
	const char *name;
	size_t order;
};

long conf_tree_add(struct conf_tree *t, size_t parent)
{
	struct conf_node *grown;
	struct conf_node *n;
	size_t room;

	if (t->n == t->room) {
		room = t->room > 0 ? 2 * t->room : 64;
		grown = reallocarray(t->v, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->v = grown;
		t->room = room;
	}
	n = &t->v[t->n];
	*n = (struct conf_node){
		.key = "", .text = "", .parent = parent, .end = t->n + 1
	};
	if (t->n > 0)
		n->index = t->v[parent].n++;
	return (long)t->n++;
}

void conf_tree_close(struct conf_tree *t, size_t i)
{
	t->v[i].end = t->n;
}

bool conf_node_null(const struct conf_node *n)
{
	return n->kind == CONF_SCALAR && n->plain &&
	       (n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
		       strcmp(n->text, "null") == 0);
}

/* The child of node `i` with this key, or index for "[N"; 0 if none. */
static size_t child(
	const struct conf_tree *t, size_t i, const char *name, size_t length)
{
	bool in_list = name[0] == '[';
	size_t index = in_list ? strtoul(name + 1, NULL, 10) : 0;
	const struct conf_node *n = &t->v[i];
	size_t k;

	if (n->kind != (in_list ? CONF_SEQUENCE : CONF_MAPPING))
		return 0;
	for (k = i + 1; k < n->end; k = t->v[k].end) {
		if (in_list && t->v[k].index == index)
			return k;
		if (!in_list && strlen(t->v[k].key) == length &&
			memcmp(t->v[k].key, name, length) == 0)
			return k;
	}
	return 0;
}

const struct conf_node *conf_tree_find(
	const struct conf_tree *t, const char *path, bool *exact_r)
{
	size_t at = 0;
	size_t next, length;

	*exact_r = true;
	while (*path) {
		length = path[0] == '[' ? strcspn(path, "]")
					: strcspn(path, ".[");
		next = child(t, at, path, length);
		if (next == 0) {
			*exact_r = false;
			break;
		}
		at = next;
		path += length;
		path += strspn(path, "].");
	}
	return &t->v[at];
}

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;
	int names;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	names = strcmp(x->name, y->name);
	if (names != 0)
		return names;
	return x->order < y->order ? -1 : 1;
}

int conf_tree_check_keys(
	const struct conf_tree *t, const char *file, struct conf_errors *errors)
{
	struct conf_place at = { .file = file };
	struct key *keys = calloc(t->n + 1, sizeof(*keys));
	const struct conf_node *n;
	size_t count = 0;
	size_t i;

	if (!keys)
		return -ENOMEM;
	for (i = 1; i < t->n; i++) {
		if (t->v[t->v[i].parent].kind == CONF_MAPPING)
			keys[count++] = (struct key){ .parent = t->v[i].parent,
				.name = t->v[i].key,
				.order = i };
	}
	qsort(keys, count, sizeof(*keys), key_compare);
	for (i = 1; i < count; i++) {
		if (keys[i].parent != keys[i - 1].parent ||
			strcmp(keys[i].name, keys[i - 1].name) != 0)
			continue;
		n = &t->v[keys[i].order];
		at.line = n->key_line;
		at.column = n->key_column;
		conf_errors_add(errors, &at, n->key,
			"a duplicate of the key in line %zu; one is allowed",
			t->v[keys[i - 1].order].key_line);
	}
	free(keys);
	return 0;
}

void conf_tree_free(struct conf_tree *t)
{
	free(t->v);
	*t = (struct conf_tree){ 0 };
}
