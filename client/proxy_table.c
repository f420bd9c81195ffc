/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/change.h"

/* --- tables --- */

/* As it is, it will do for the settings `p` of `s`. */
static bool is_same(const struct proxy *old, const struct settings *s,
	const struct client_proxy *p)
{
	return conf_is_same(&client_proxy_table, old->settings, p) &&
	       settings_proxy_may_be_plain(old->all, old->settings) ==
		       settings_proxy_may_be_plain(s, p);
}

static struct proxy *find_same(const struct proxy_table *old,
	const struct settings *s, const struct client_proxy *p)
{
	for (size_t i = 0; old && i < old->count; i++)
		if (!strcmp(old->list[i]->settings->name, p->name))
			return is_same(old->list[i], s, p) ? old->list[i]
							   : NULL;
	return NULL;
}

struct proxy_table *proxy_table_make(struct client *first,
	const struct settings *s, const struct proxy_table *old)
{
	struct proxy_table *t =
		calloc(1, sizeof(*t) + s->proxies.n * sizeof(t->list[0]));

	if (!t)
		return NULL;
	t->holders = 1;
	for (size_t i = 0; i < s->proxies.n; i++) {
		const struct client_proxy *set = &s->proxies.v[i];
		struct proxy *p;

		if (!settings_proxy_wanted(s, set))
			continue;
		p = proxy_hold(find_same(old, s, set));
		if (!p)
			p = proxy_new(first, s, set);
		if (!p) {
			proxy_table_drop(&t);
			return NULL;
		}
		t->list[t->count++] = p;
	}
	return t;
}

struct proxy_table *proxy_table_hold(struct proxy_table *t)
{
	if (t)
		atomic_fetch_add(&t->holders, 1);
	return t;
}

void proxy_table_drop(struct proxy_table **tp)
{
	struct proxy_table *t = *tp;

	*tp = NULL;
	while (t && atomic_fetch_sub(&t->holders, 1) == 1) {
		struct proxy_table *before = t->before;

		for (size_t i = 0; i < t->count; i++)
			proxy_drop(&t->list[i]);
		free(t);
		t = before;
	}
}

struct proxy *proxy_table_find(const struct proxy_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->list[i]->name, name))
			return t->list[i];
	return NULL;
}

static bool has(const struct proxy_table *t, const struct proxy *p)
{
	return proxy_table_find(t, p->name) == p;
}

size_t proxy_table_missing(const struct proxy_table *a,
	const struct proxy_table *b, char *text, size_t size)
{
	size_t n = 0, used = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (has(b, a->list[i]))
			continue;
		if (used < size)
			used += (size_t)snprintf(text + used, size - used,
				"%c%s", n > 0 ? ' ' : '[', a->list[i]->name);
		n++;
	}
	if (used < size)
		snprintf(text + used, size - used, "%s", n > 0 ? "]" : "[]");
	return n;
}

/* --- the first worker's --- */

bool proxy_table_open(struct proxy_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!proxy_open(t->list[i]))
			return false;
	return true;
}

void proxy_table_lost(struct proxy_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		proxy_lost(t->list[i]);
}

void proxy_table_withdraw(struct proxy_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!proxy_close(t->list[i]))
			return;
}

void proxy_table_change(
	struct proxy_table *t, struct proxy_table *by, bool running)
{
	for (size_t i = 0; i < t->count; i++) {
		struct proxy *p = t->list[i];
		struct proxy *next = proxy_table_find(by, p->name);

		if (next == p)
			continue;
		/* Another one of that name may have its port, too. */
		if (next && next->settings->type == p->settings->type)
			next->given_port = p->given_port;
		if (!running)
			proxy_lost(p);
		else if (!proxy_close(p))
			running = false;
	}
	for (size_t i = 0; running && i < by->count; i++)
		if (!has(t, by->list[i]))
			running = proxy_open(by->list[i]);
}
