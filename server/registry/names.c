/* SPDX-License-Identifier: Apache-2.0 */

/* A key is the kind's letter and the text. */

#include "server/registry/names.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"

struct name {
	UT_hash_handle hh;
	void *holder;
	char key[];
};

static struct name *find(
	const struct names *n, enum name_kind kind, const char *text)
{
	size_t size = strlen(text) + 1;
	char key[size];
	struct name *found;

	key[0] = (char)kind;
	memcpy(key + 1, text, size - 1);
	HASH_FIND(hh, n->table, key, size, found);
	return found;
}

void *names_find(const struct names *n, enum name_kind kind, const char *text)
{
	struct name *found = find(n, kind, text);

	return found ? found->holder : NULL;
}

bool names_add(
	struct names *n, enum name_kind kind, const char *text, void *holder)
{
	size_t size = strlen(text) + 1;
	struct name *new = calloc(1, sizeof(*new) + size);

	if (!new)
		return false;
	new->holder = holder;
	new->key[0] = (char)kind;
	memcpy(new->key + 1, text, size - 1);
	HASH_ADD(hh, n->table, key, size, new);
	if (table_has(&new->hh))
		return true;
	free(new);
	return false;
}

void names_drop(struct names *n, enum name_kind kind, const char *text,
	const void *holder)
{
	struct name *found = find(n, kind, text);

	if (!found || found->holder != holder)
		return;
	HASH_DEL(n->table, found);
	free(found);
}

void names_hand(struct names *n, enum name_kind kind, const char *text,
	const void *holder, void *heir)
{
	struct name *found = find(n, kind, text);

	if (found && found->holder == holder)
		found->holder = heir;
}

void names_each(const struct names *n, enum name_kind kind,
	void (*visit)(void *holder, void *arg), void *arg)
{
	for (const struct name *i = n->table; i; i = i->hh.next)
		if (i->key[0] == (char)kind)
			visit(i->holder, arg);
}

void names_clear(struct names *n)
{
	while (n->table) {
		struct name *first = n->table;

		HASH_DEL(n->table, first);
		free(first);
	}
}
