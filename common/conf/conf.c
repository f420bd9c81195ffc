/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk: every node of the file, in its order, meets its row. The walk is
 * a loop with a stack of open scopes, a scope being a mapping of keys or a
 * list of items, so its depth is the file's, which is bounded.
 */

#include "common/conf/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/value.h"
#include "common/conf/yaml.h"

/* Paths of tables are short; a longer one is of no known key. */
#define PATH_MAX_LENGTH 256

/* Room for one in nested form, each of whose bytes may be a dot. */
#define NESTED (4 * PATH_MAX_LENGTH + 16)

struct conf {
	_Atomic uint32_t holders;
	struct conf *owned; /* freed with it; of those, the next one */
	struct conf_arena arena;
	struct conf_tree tree;
	const struct conf_table *table;
	void *base;
	const char *file; /* NULL until one is read */
};

struct scope {
	const struct conf_table *table;
	char *base;    /* of the struct, or of the first item */
	size_t end;    /* the first node that is outside */
	size_t length; /* of the path of this scope */
	size_t origin; /* where in the path the table's own part begins */
	bool list;     /* the nodes are items, one struct each */
};

struct walk {
	struct conf *conf;
	struct conf_source source;
	struct scope scopes[CONF_DEPTH_MAX + 1];
	size_t depth;
	char path[PATH_MAX_LENGTH + 1];
};

static struct scope *top(struct walk *w)
{
	return &w->scopes[w->depth - 1];
}

static void push(struct walk *w, const struct scope *scope)
{
	if (w->depth == ARRAY_SIZE(w->scopes))
		never_reached();
	w->scopes[w->depth++] = *scope;
}

/* The path of a child of the scope; false when no known key is so long. */
static bool extend(struct walk *w, const struct conf_node *n)
{
	struct scope *s = top(w);
	size_t room = sizeof(w->path) - s->length;
	int length;

	if (s->list)
		length = snprintf(w->path + s->length, room, "[%zu]", n->index);
	else
		length = snprintf(w->path + s->length, room, "%s%s",
			s->length > 0 ? "." : "", n->key);
	return (size_t)length < room;
}

/* "a.b" as it is to be written: "a: {b: ...}". */
static void nest(char out[static NESTED], const char *key)
{
	char name[PATH_MAX_LENGTH + 1];
	size_t levels = 0, used = 0;

	conf_escape(name, sizeof(name), key);
	for (const char *c = name; *c; c++) {
		if (*c == '.') {
			used += (size_t)sprintf(out + used, ": {");
			levels++;
		} else {
			out[used++] = *c;
		}
	}
	used += (size_t)sprintf(out + used, ": ...");
	memset(out + used, '}', levels);
	out[used + levels] = '\0';
}

static void unknown(struct walk *w, const struct conf_node *n)
{
	struct scope *s = top(w);
	struct conf_place at = { w->source.file, n->key_line, n->key_column };
	const char *own = w->path + s->origin;
	const char *near = conf_table_nearest(s->table, own);
	char nested[NESTED];

	/* As TOML has them. */
	if (strchr(n->key, '.') && conf_table_knows(s->table, own)) {
		nest(nested, n->key);
		conf_errors_add(w->source.errors, &at, w->path,
			"a key with dots; nested keys are allowed: %s", nested);
		return;
	}
	if (conf_table_later(s->table, own, strlen(own))) {
		if (!strchr(n->key, '.') && conf_value_off(&w->source, n))
			return;
		conf_errors_add(w->source.errors, &at, w->path,
			"a key of frp; not supported yet "
			"(allowed: leave it out)");
		return;
	}
	if (near)
		conf_errors_add(w->source.errors, &at, w->path,
			"unknown key; the nearest known key is %.*s%s",
			(int)s->origin, w->path, near);
	else
		conf_errors_add(w->source.errors, &at, w->path,
			"unknown key; aditd.yaml(5) and adit.yaml(5) have "
			"the known keys");
}

/* Make room for the items of a list and go into it. Returns as meet_key. */
static int open_list(struct walk *w, const struct conf_row *row,
	const struct conf_node *n, char *base)
{
	struct conf_arena *arena = &w->conf->arena;
	size_t length = strlen(w->path);
	char *items;

	if (n->kind != CONF_SEQUENCE) {
		conf_value_refuse(
			&w->source, n, w->path, false, "a list is allowed");
		return 0;
	}
	items = conf_arena_array(arena, n->n, row->items->size);
	if (!items)
		return -ENOMEM;
	memcpy(base + row->offset, &n->n, sizeof(n->n));
	memcpy(base + row->offset + sizeof(n->n), &items, sizeof(items));
	push(w, &(struct scope){ .table = row->items,
			.base = items,
			.end = n->end,
			.length = length,
			.list = true });
	return 1;
}

/* Fill one struct of `items`, zeroed, with its defaults; 0 or -ENOMEM. */
static int defaults(
	struct conf *conf, const struct conf_table *items, void *item)
{
	const struct conf_row *row;
	int result = 0;
	size_t i;

	for (i = 0; i < items->n && result == 0; i++) {
		row = &items->rows[i];
		if (row->type < CONF_LIST)
			result = conf_value_default(&conf->arena, row, item);
	}
	return result;
}

/* One item of a list: a struct with its defaults. Returns as meet_key. */
static int meet_item(struct walk *w, const struct conf_node *n)
{
	struct scope *s = top(w);
	char *item = s->base + n->index * s->table->size;
	size_t length = strlen(w->path);
	int result = defaults(w->conf, s->table, item);

	if (result < 0)
		return result;
	if (n->kind != CONF_MAPPING) {
		conf_value_refuse(&w->source, n, w->path, false,
			"keys and values are allowed");
		return 0;
	}
	push(w, &(struct scope){ .table = s->table,
			.base = item,
			.end = n->end,
			.length = length,
			.origin = length + 1 });
	return 1;
}

/*
 * One value of a mapping of keys. 1 when the walk is to go into it, 0 when
 * it is done with, or -errno.
 */
static int meet_key(struct walk *w, const struct conf_node *n)
{
	struct scope *s = top(w);
	const char *own = w->path + s->origin;
	size_t length = strlen(own);
	const struct conf_row *row = conf_table_row(s->table, own, length);
	bool above = conf_table_above(s->table, own, length);

	if (strchr(n->key, '.') || (!row && !above)) {
		unknown(w, n);
		return 0;
	}
	if (conf_node_null(n))
		return 0;
	if (above && n->kind == CONF_MAPPING) {
		push(w, &(struct scope){ .table = s->table,
				.base = s->base,
				.end = n->end,
				.length = strlen(w->path),
				.origin = s->origin });
		return 1;
	}
	if (!row) {
		conf_value_refuse(&w->source, n, w->path, true,
			"keys and values are allowed");
		return 0;
	}
	if (row->type != CONF_LIST)
		return conf_value_read(&w->source, row, n, w->path, s->base);
	return open_list(w, row, n, s->base);
}

static int walk(struct walk *w)
{
	const struct conf_tree *t = &w->conf->tree;
	const struct conf_node *n;
	size_t i = 1;
	int into;

	while (i < t->n) {
		while (i >= top(w)->end)
			w->depth--;
		n = &t->v[i];
		w->path[top(w)->length] = '\0';
		if (!extend(w, n)) {
			unknown(w, n);
			into = 0;
		} else if (top(w)->list) {
			into = meet_item(w, n);
		} else {
			into = meet_key(w, n);
		}
		if (into < 0)
			return into;
		i = into > 0 ? i + 1 : n->end;
	}
	return 0;
}

int conf_new(
	struct conf **conf_r, const struct conf_table *table, void **base_r)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return -ENOMEM;
	conf->holders = 1;
	conf->table = table;
	conf->base = conf_arena_take(&conf->arena, table->size);
	if (!conf->base || defaults(conf, table, conf->base) < 0) {
		conf_free(&conf);
		return -ENOMEM;
	}
	*conf_r = conf;
	*base_r = conf->base;
	return 0;
}

int conf_load(struct conf *conf, const char *file, struct conf_errors *errors)
{
	struct walk w = { .conf = conf };
	int result;

	conf->file = conf_copy(conf, file);
	if (!conf->file)
		return -ENOMEM;
	result = conf_yaml_read(&conf->tree, &conf->arena, conf->file, errors);
	if (result < 0)
		return result;
	w.source = (struct conf_source){ .tree = &conf->tree,
		.file = conf->file,
		.arena = &conf->arena,
		.errors = errors };
	push(&w, &(struct scope){ .table = conf->table,
			 .base = conf->base,
			 .end = conf->tree.n });
	return walk(&w);
}

void conf_fault(struct conf *conf, struct conf_errors *errors, const char *path,
	const char *fmt, ...)
{
	struct conf_place at = { .file = conf->file };
	const struct conf_node *n;
	char text[CONF_ERROR_TEXT];
	bool exact;
	va_list ap;

	if (conf->tree.n > 0) {
		n = conf_tree_find(&conf->tree, path, &exact);
		at.line = n->line;
		at.column = n->column;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_errors_add(errors, &at, path, "%s", text);
}

void conf_together(struct conf *conf, struct conf_errors *errors,
	const char *table, const char *a, bool has_a, const char *b, bool has_b)
{
	char path[CONF_ERROR_TEXT];

	if (has_a == has_b)
		return;
	snprintf(path, sizeof(path), "%s.%s", table, has_a ? a : b);
	conf_fault(conf, errors, path, "set without %s.%s; they go together",
		table, has_a ? b : a);
}

const char *conf_file(const struct conf *conf)
{
	return conf->file;
}

bool conf_given(const struct conf *conf, const char *path)
{
	const struct conf_node *n;
	bool exact;

	if (conf->tree.n == 0)
		return false;
	n = conf_tree_find(&conf->tree, path, &exact);
	return exact && !conf_node_null(n);
}

bool conf_emptied(const struct conf *conf, const char *path)
{
	const struct conf_node *n;
	bool exact;

	if (conf->tree.n == 0)
		return false;
	n = conf_tree_find(&conf->tree, path, &exact);
	return exact && n->kind == CONF_SEQUENCE && n->n == 0;
}

void *conf_alloc(struct conf *conf, size_t n, size_t size)
{
	return conf_arena_array(&conf->arena, n, size);
}

const char *conf_copy(struct conf *conf, const char *text)
{
	return conf_arena_text(&conf->arena, text, strlen(text));
}

const struct conf_table *conf_table(const struct conf *conf)
{
	return conf->table;
}

void *conf_base(const struct conf *conf)
{
	return conf->base;
}

struct conf *conf_hold(struct conf *conf)
{
	if (conf)
		atomic_fetch_add(&conf->holders, 1);
	return conf;
}

void conf_own(struct conf *conf, struct conf *other)
{
	other->owned = conf->owned;
	conf->owned = other;
}

void conf_free(struct conf **conf_p)
{
	struct conf *conf = *conf_p;

	*conf_p = NULL;
	if (!conf || atomic_fetch_sub(&conf->holders, 1) != 1)
		return;
	while (conf) {
		struct conf *next = conf->owned;

		conf_tree_free(&conf->tree);
		conf_arena_free(&conf->arena);
		free(conf);
		conf = next;
	}
}
