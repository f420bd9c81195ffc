/* SPDX-License-Identifier: Apache-2.0 */

/* uthash tables of one kind of entry: a key and the route it leads to. */

#include "server/registry/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"

struct entry {
	UT_hash_handle hh;
	struct route *route;
	char key[];
};

static struct route *find(struct entry *table, const void *key, size_t n)
{
	struct entry *e;

	HASH_FIND(hh, table, key, n, e);
	return e ? e->route : NULL;
}

static struct route *find_text(struct entry *table, const char *key)
{
	return find(table, key, strlen(key));
}

static int add(struct entry **table, const void *key, size_t n, struct route *r)
{
	struct entry *e = calloc(1, sizeof(*e) + n + 1);

	if (!e)
		return -ENOMEM;
	e->route = r;
	memcpy(e->key, key, n);
	HASH_ADD(hh, *table, key, n, e);
	if (table_has(&e->hh))
		return 0;
	free(e);
	return -ENOMEM;
}

static void drop(
	struct entry **table, const void *key, size_t n, const struct route *r)
{
	struct entry *e;

	HASH_FIND(hh, *table, key, n, e);
	if (!e || e->route != r)
		return;
	HASH_DEL(*table, e);
	free(e);
}

/* The terms, once for all requests; false without memory. */
static bool read_terms(struct route *r)
{
	const struct claim *c = r->claim;
	uint32_t before = TERM_LOCATIONS + c->locations, n;
	const char *at = claim_term(c, before);

	r->login = claim_term(c, TERM_LOGIN);
	r->rewrite = claim_term(c, TERM_HOST);
	if (c->terms <= before)
		return true;
	n = (c->terms - before) / 2;
	r->fields = calloc(n, sizeof(*r->fields));
	if (!r->fields)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		r->fields[i].name = at;
		r->fields[i].value = at = claim_next_term(at);
		at = i + 1 < n ? claim_next_term(at) : NULL;
	}
	r->set[0] = (struct emit_set){ r->fields, c->set };
	r->set[1] = (struct emit_set){ r->fields + c->set, n - c->set };
	return true;
}

/* Where the claim's places are; NULL: it has none. */
static struct sites *sites_of(struct directory *d, const struct claim *c)
{
	if (c->kind == CLAIM_HTTPS)
		return &d->tls_sites;
	return c->kind == CLAIM_HTTP ? &d->sites : NULL;
}

static int add_keys(struct directory *d, struct route *r)
{
	const struct claim *c = r->claim;
	struct sites *sites = sites_of(d, c);
	int rc = add(&d->routes, &r->entry, sizeof(r->entry), r);

	if (rc == 0 && c->kind == CLAIM_CONTROL)
		rc = add(&d->controls, claim_name(c), strlen(claim_name(c)), r);
	if (rc == 0 && sites)
		rc = sites_add(sites, r);
	return rc;
}

int directory_add(struct directory *d, struct claim *claim, struct handle entry,
	struct route **r_r)
{
	struct route *r = calloc(1, sizeof(*r));

	if (!r) {
		claim_free(claim);
		return -ENOMEM;
	}
	r->claim = claim;
	r->entry = entry;
	r->holders = 1;
	r->lead = r;
	list_init(&r->idle);
	if (!read_terms(r) || add_keys(d, r) < 0) {
		directory_remove(d, r);
		return -ENOMEM;
	}
	*r_r = r;
	return 0;
}

void directory_remove(struct directory *d, struct route *r)
{
	const struct claim *c = r->claim;
	struct sites *sites = sites_of(d, c);

	drop(&d->routes, &r->entry, sizeof(r->entry), r);
	if (c->kind == CLAIM_CONTROL)
		drop(&d->controls, claim_name(c), strlen(claim_name(c)), r);
	if (sites)
		sites_remove(sites, r);
	r->closed = true;
	route_drop(&r);
}

struct route *directory_find(struct directory *d, struct handle entry)
{
	return find(d->routes, &entry, sizeof(entry));
}

struct route *directory_find_control(struct directory *d, const char *run_id)
{
	return find_text(d->controls, run_id);
}

void directory_each(struct directory *d,
	void (*visit)(struct route *r, void *arg), void *arg)
{
	for (struct entry *e = d->routes; e; e = e->hh.next)
		visit(e->route, arg);
}

void directory_clear(struct directory *d)
{
	while (d->routes)
		directory_remove(d, d->routes->route);
}

struct route *route_hold(struct route *r)
{
	r->holders++;
	return r;
}

void route_drop(struct route **rp)
{
	struct route *r = *rp;

	*rp = NULL;
	if (!r || --r->holders > 0)
		return;
	if (r->lead != r)
		route_drop(&r->lead);
	place_drop(&r->group);
	free(r->fields);
	claim_free(r->claim);
	free(r);
}
