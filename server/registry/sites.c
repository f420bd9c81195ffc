/* SPDX-License-Identifier: Apache-2.0 */

/* A uthash table of hosts, each with the list of its places. */

#include "server/registry/sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"
#include "server/registry/directory.h"
#include "server/users/policy.h"

struct site {
	UT_hash_handle hh;
	struct list places;
	char host[];
};

/* A route at a place. */
struct member {
	struct list link;
	struct route *route;
};

static struct site *find_site(const struct sites *s, const char *host)
{
	struct site *site;

	HASH_FIND_STR(s->table, host, site);
	return site;
}

static struct site *make_site(struct sites *s, const char *host)
{
	struct site *site = find_site(s, host);

	if (site)
		return site;
	site = calloc(1, sizeof(*site) + strlen(host) + 1);
	if (!site)
		return NULL;
	strcpy(site->host, host);
	list_init(&site->places);
	HASH_ADD_STR(s->table, host, site);
	if (table_has(&site->hh))
		return site;
	free(site);
	return NULL;
}

static void drop_site(struct sites *s, struct site *site)
{
	if (!list_empty(&site->places))
		return;
	HASH_DEL(s->table, site);
	free(site);
}

static bool is_located(const struct place *p)
{
	return strcmp(p->location, "") && strcmp(p->location, "/");
}

static struct place *find_place(
	const struct site *site, const char *location, const char *user)
{
	list_each (l, &site->places) {
		struct place *p = container_of(l, struct place, link);

		if (!strcmp(p->location, location) && !strcmp(p->user, user))
			return p;
	}
	return NULL;
}

/* Behind all that are as long or longer. */
static void insert_place(struct site *site, struct place *new)
{
	struct list *at = &site->places;

	list_each (l, &site->places) {
		const struct place *p = container_of(l, struct place, link);

		if (p->location_len < new->location_len) {
			at = l;
			break;
		}
	}
	list_append(at, &new->link);
}

static struct place *make_place(struct sites *s, struct site *site,
	const char *location, const char *user)
{
	struct place *p = find_place(site, location, user);
	size_t n = strlen(location) + 1;

	if (p)
		return p;
	p = calloc(1, sizeof(*p) + n + strlen(user) + 1);
	if (!p)
		return NULL;
	p->holders = 1;
	p->any = !strcmp(site->host, "*");
	p->location = p->text;
	p->location_len = (uint32_t)n - 1;
	p->user = p->text + n;
	memcpy(p->text, location, n);
	strcpy(p->text + n, user);
	list_init(&p->members);
	insert_place(site, p);
	s->located += is_located(p);
	s->of_user += *p->user != '\0';
	return p;
}

void place_drop(struct place **pp)
{
	struct place *p = *pp;

	*pp = NULL;
	if (p && --p->holders == 0)
		free(p);
}

/* One without members serves nobody. */
static void close_place(struct sites *s, struct place *p)
{
	if (!list_empty(&p->members))
		return;
	s->located -= is_located(p);
	s->of_user -= *p->user != '\0';
	list_remove(&p->link);
	route_drop(&p->lead);
	place_drop(&p);
}

static struct member *find_member(const struct place *p, const struct route *r)
{
	list_each (l, &p->members) {
		struct member *m = container_of(l, struct member, link);

		if (m->route == r)
			return m;
	}
	return NULL;
}

/* Those of a group have one place, which they know when they have left it. */
static void join_group(struct place *p, struct route *r)
{
	r->group = p;
	p->holders++;
	if (p->lead != r)
		r->lead = route_hold(p->lead);
}

static bool join(struct place *p, struct route *r)
{
	struct member *m;

	/* One host named twice by one proxy is one place. */
	if (find_member(p, r))
		return true;
	m = calloc(1, sizeof(*m));
	if (!m)
		return false;
	m->route = r;
	list_append(&p->members, &m->link);
	if (!p->lead)
		p->lead = route_hold(r);
	if (*claim_term(r->claim, TERM_GROUP) && !r->group)
		join_group(p, r);
	return true;
}

static bool add(struct sites *s, struct route *r, const struct claim_place *c)
{
	struct site *site = make_site(s, c->host);
	struct place *p;
	bool ok;

	if (!site)
		return false;
	p = make_place(s, site, c->location, claim_term(r->claim, TERM_USER));
	ok = p && join(p, r);
	if (p && !ok)
		close_place(s, p);
	drop_site(s, site);
	return ok;
}

int sites_add(struct sites *s, struct route *r)
{
	struct claim_place c = { 0 };

	while (claim_next_place(r->claim, &c))
		if (!add(s, r, &c))
			return -ENOMEM;
	return 0;
}

static void remove_from(struct sites *s, struct place *p, const struct route *r)
{
	struct member *m = find_member(p, r);

	if (!m)
		return;
	list_remove(&m->link);
	free(m);
	close_place(s, p);
}

void sites_remove(struct sites *s, struct route *r)
{
	const char *user = claim_term(r->claim, TERM_USER);
	struct claim_place c = { 0 };

	while (claim_next_place(r->claim, &c)) {
		struct site *site = find_site(s, c.host);
		struct place *p =
			site ? find_place(site, c.location, user) : NULL;

		if (!p)
			continue;
		remove_from(s, p, r);
		drop_site(s, site);
	}
}

/* --- for requests --- */

static bool begins_with(struct http_text path, const struct place *p)
{
	return path.len >= p->location_len &&
	       !memcmp(path.data, p->location, p->location_len);
}

static struct place *find_longest(
	const struct site *site, struct http_text path, const char *user)
{
	list_each (l, &site->places) {
		struct place *p = container_of(l, struct place, link);

		if (begins_with(path, p) && !strcmp(p->user, user))
			return p;
	}
	return NULL;
}

static struct place *find_at(
	const struct site *site, struct http_text path, const char *user)
{
	struct place *p = NULL;

	if (*user)
		p = find_longest(site, path, user);
	return p ? p : find_longest(site, path, "");
}

static const struct user_load *owner_of(const struct place *p)
{
	return p->lead->claim->load;
}

/* Whether its owner is who has the host, by a listing or by what is there. */
static bool may_stand_in(const struct place *p, const struct users *users,
	const char *host, const struct site *closest)
{
	const struct place *served =
		container_of(closest->places.next, struct place, link);

	switch (policy_lists(users, host, owner_of(p))) {
	case POLICY_LISTED:
		return true;
	case POLICY_OF_OTHERS:
		return false;
	case POLICY_UNLISTED:
		break;
	}
	return owner_of(served) == owner_of(p);
}

struct place *sites_find(const struct sites *s, const struct users *users,
	const char *host, struct http_text path, const char *user)
{
	const struct site *site = find_site(s, host), *closest = site;
	struct place *p = site ? find_at(site, path, user) : NULL;
	const char *dot = strchr(host, '.');
	bool last = false;
	char key[256];

	for (; !p && !last; dot = last ? NULL : strchr(dot + 1, '.')) {
		/* "*.example.com" of "a.b.example.com"; and "*" of ".com". */
		last = !dot || !strchr(dot + 1, '.');
		snprintf(key, sizeof(key), "*%.254s", last ? "" : dot);
		site = find_site(s, key);
		if (!site)
			continue;
		if (!closest)
			closest = site;
		p = find_at(site, path, user);
		if (p && !may_stand_in(p, users, host, closest))
			p = NULL;
	}
	return p;
}

bool place_has_other(const struct place *p, const struct route *than)
{
	list_each (l, &p->members)
		if (container_of(l, struct member, link)->route != than)
			return true;
	return false;
}

struct route *place_turn(struct place *p, const struct route *but)
{
	list_each (l, &p->members) {
		struct member *m = container_of(l, struct member, link);

		if (m->route == but)
			continue;
		list_remove(&m->link);
		list_append(&p->members, &m->link);
		return m->route;
	}
	return NULL;
}
