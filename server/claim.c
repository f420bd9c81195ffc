/* SPDX-License-Identifier: Apache-2.0 */

#include "server/claim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static size_t size_of(const struct claim_texts *t)
{
	size_t size = 0;

	for (size_t i = 0; t && i < t->count; i++)
		size += strlen(t->v[i]) + 1;
	return size;
}

static char *put(char *at, const struct claim_texts *t)
{
	for (size_t i = 0; t && i < t->count; i++)
		at = stpcpy(at, t->v[i]) + 1;
	return at;
}

struct claim *claim_new(enum claim_kind kind, const char *name,
	const struct claim_texts *hosts, const struct claim_texts *terms)
{
	size_t size = offsetof(struct claim, text) + strlen(name) + 1 +
		      size_of(hosts) + size_of(terms);
	struct claim *c = calloc(1, size);

	if (!c)
		return NULL;
	c->size = (uint32_t)size;
	c->kind = (uint8_t)kind;
	c->hosts = hosts ? (uint32_t)hosts->count : 0;
	c->terms = terms ? (uint32_t)terms->count : 0;
	put(put(stpcpy(c->text, name) + 1, hosts), terms);
	return c;
}

struct claim *claim_copy(const struct claim *c)
{
	struct claim *copy = malloc(c->size);

	if (copy)
		memcpy(copy, c, c->size);
	return copy;
}

/* The i-th text after the name. */
static const char *text(const struct claim *c, uint32_t i)
{
	const char *at = c->text;

	do
		at += strlen(at) + 1;
	while (i-- > 0);
	return at;
}

const char *claim_host(const struct claim *c, uint32_t i)
{
	return i < c->hosts ? text(c, i) : NULL;
}

const char *claim_term(const struct claim *c, uint32_t i)
{
	return i < c->terms ? text(c, c->hosts + i) : NULL;
}
