/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/claim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/users/user_load.h"

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
	char *at;

	if (!c)
		return NULL;
	c->size = (uint32_t)size;
	c->kind = (uint8_t)kind;
	c->hosts = hosts ? (uint32_t)hosts->count : 0;
	c->terms = terms ? (uint32_t)terms->count : 0;
	at = put(stpcpy(c->text, name) + 1, hosts);
	c->terms_at = (uint32_t)(at - c->text);
	put(at, terms);
	return c;
}

struct claim *claim_copy(const struct claim *c)
{
	struct claim *copy = malloc(c->size);

	if (!copy)
		return NULL;
	memcpy(copy, c, c->size);
	user_load_hold(copy->load);
	throttle_hold(copy->throttle);
	return copy;
}

void claim_free(struct claim *c)
{
	if (!c)
		return;
	user_load_drop(&c->load);
	throttle_drop(&c->throttle);
	free(c);
}

struct throttles claim_throttles_out(const struct claim *c)
{
	return (struct throttles){ { c->load ? &c->load->out : NULL,
		c->throttle } };
}

struct throttles claim_throttles_back(const struct claim *c)
{
	return (struct throttles){ { c->load ? &c->load->back : NULL,
		c->throttle } };
}

/* The text behind this one, if it lies before `end`. */
static const char *next(const char *text, const char *end)
{
	text += strlen(text) + 1;
	return text < end ? text : NULL;
}

const char *claim_first_host(const struct claim *c)
{
	return claim_next_host(c, c->text);
}

const char *claim_next_host(const struct claim *c, const char *host)
{
	return next(host, c->text + c->terms_at);
}

const char *claim_term(const struct claim *c, uint32_t number)
{
	const char *at = c->text + c->terms_at;

	if (number >= c->terms)
		return "";
	for (; number > 0; number--)
		at = claim_next_term(at);
	return at;
}

bool claim_next_place(const struct claim *c, struct claim_place *p)
{
	if (!p->host) {
		p->host = claim_first_host(c);
	} else if (p->number + 1 < c->locations) {
		p->number++;
		p->location = claim_next_term(p->location);
		return true;
	} else {
		p->host = claim_next_host(c, p->host);
	}
	p->number = 0;
	p->location = c->locations ? claim_term(c, TERM_LOCATIONS) : "";
	return p->host;
}
