/* SPDX-License-Identifier: Apache-2.0 */

/* uthash tables of one kind of entry. */

#include "server/directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "common/base/clock.h"

struct entry {
	UT_hash_handle hh;
	void *value;
	uint16_t port; /* of a memory */
	int64_t since; /* of a memory */
	char key[];
};

static struct entry *find(struct entry *table, const char *key)
{
	struct entry *e;

	HASH_FIND(hh, table, key, strlen(key), e);
	return e;
}

static void *find_value(struct entry *table, const char *key)
{
	struct entry *e = find(table, key);

	return e ? e->value : NULL;
}

static struct entry *add(struct entry **table, const char *key, void *value)
{
	size_t n = strlen(key);
	struct entry *e = calloc(1, sizeof(*e) + n + 1);

	if (!e)
		return NULL;
	e->value = value;
	memcpy(e->key, key, n + 1);
	HASH_ADD(hh, *table, key, n, e);
	return e;
}

static int claim(struct entry **table, const char *key, void *value)
{
	if (find(*table, key))
		return -EEXIST;
	return add(table, key, value) ? 0 : -ENOMEM;
}

static void drop_entry(struct entry **table, struct entry *e)
{
	HASH_DEL(*table, e);
	free(e);
}

static void drop(struct entry **table, const char *key, const void *value)
{
	struct entry *e = find(*table, key);

	if (e && e->value == value)
		drop_entry(table, e);
}

static const char *port_key(char text[static 8], uint16_t port)
{
	snprintf(text, 8, "%u", port);
	return text;
}

int directory_claim_name(struct directory *d, const char *name, struct proxy *p)
{
	return claim(&d->names, name, p);
}

int directory_claim_host(struct directory *d, const char *host, struct proxy *p)
{
	return claim(&d->hosts, host, p);
}

int directory_claim_port(struct directory *d, uint16_t port, struct proxy *p)
{
	char text[8];

	return claim(&d->ports, port_key(text, port), p);
}

void directory_drop_name(struct directory *d, const char *name, struct proxy *p)
{
	drop(&d->names, name, p);
}

void directory_drop_host(struct directory *d, const char *host, struct proxy *p)
{
	drop(&d->hosts, host, p);
}

void directory_drop_port(struct directory *d, uint16_t port, struct proxy *p)
{
	char text[8];

	drop(&d->ports, port_key(text, port), p);
}

struct proxy *directory_find_name(struct directory *d, const char *name)
{
	return find_value(d->names, name);
}

struct proxy *directory_find_port(struct directory *d, uint16_t port)
{
	char text[8];

	return find_value(d->ports, port_key(text, port));
}

/* "*" before the dot at `dot`: "*.example.com" of "a.b.example.com". */
static struct proxy *route_wildcard(struct directory *d, const char *dot)
{
	char key[256];
	int n = snprintf(key, sizeof(key), "*%s", dot);

	return n < (int)sizeof(key) ? find_value(d->hosts, key) : NULL;
}

struct proxy *directory_route(struct directory *d, const char *host)
{
	struct proxy *p = find_value(d->hosts, host);
	const char *dot = host;

	/* The wildcard stands for one label of three or more. */
	while (!p && (dot = strchr(dot, '.')) && strchr(dot + 1, '.'))
		p = route_wildcard(d, dot++);
	return p ? p : find_value(d->hosts, "*");
}

int directory_add_control(
	struct directory *d, const char *run_id, struct control *c)
{
	struct entry *e = find(d->controls, run_id);

	if (e)
		e->value = c;
	else if (!add(&d->controls, run_id, c))
		return -ENOMEM;
	return 0;
}

void directory_drop_control(
	struct directory *d, const char *run_id, struct control *c)
{
	drop(&d->controls, run_id, c);
}

struct control *directory_find_control(struct directory *d, const char *run_id)
{
	return find_value(d->controls, run_id);
}

uint16_t directory_recall(struct directory *d, const char *name, int64_t now)
{
	struct entry *e = find(d->memories, name);

	return e && now - e->since < DIRECTORY_MEMORY_TIME ? e->port : 0;
}

void directory_remember(
	struct directory *d, const char *name, uint16_t port, int64_t now)
{
	struct entry *e = find(d->memories, name);

	if (!e && d->memory_count == DIRECTORY_MEMORIES) {
		/* uthash keeps the order of insertion: the first is oldest. */
		drop_entry(&d->memories, d->memories);
		d->memory_count--;
	}
	if (!e) {
		e = add(&d->memories, name, NULL);
		if (!e)
			return;
		d->memory_count++;
	}
	e->port = port;
	e->since = now;
}

static void clear(struct entry **table)
{
	while (*table)
		drop_entry(table, *table);
}

void directory_clear(struct directory *d)
{
	clear(&d->names);
	clear(&d->hosts);
	clear(&d->ports);
	clear(&d->controls);
	clear(&d->memories);
}
