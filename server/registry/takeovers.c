/* SPDX-License-Identifier: Apache-2.0 */

/* One uthash table, which keeps the order of insertion. */

#include "server/registry/takeovers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/table.h"

struct takeover {
	UT_hash_handle hh;
	char between[2][ADDRESS_TEXT_SIZE]; /* in no order */
	int64_t at[TAKEOVERS_MAX];          /* the last ones, oldest first */
	int count;
	char client[];
};

static void take_out(struct takeovers *t, struct takeover *o)
{
	HASH_DEL(t->table, o);
	t->count--;
}

/* Without memory it is forgotten. */
static void put_last(struct takeovers *t, struct takeover *o)
{
	HASH_ADD(hh, t->table, client, strlen(o->client), o);
	if (table_has(&o->hh))
		t->count++;
	else
		free(o);
}

static void forget(struct takeovers *t, struct takeover *o)
{
	take_out(t, o);
	free(o);
}

static int64_t last(const struct takeover *o)
{
	return o->at[o->count - 1];
}

static void sweep(struct takeovers *t, int64_t now)
{
	while (t->table && (last(t->table) <= now - TAKEOVERS_TIME ||
				   t->count >= TAKEOVERS_CLIENTS))
		forget(t, t->table);
}

static bool is_between(
	const struct takeover *o, const char *from, const char *to)
{
	return (!strcmp(o->between[0], from) && !strcmp(o->between[1], to)) ||
	       (!strcmp(o->between[0], to) && !strcmp(o->between[1], from));
}

/* Not entered yet; NULL without memory. */
static struct takeover *takeover_new(const char *client)
{
	struct takeover *o = calloc(1, sizeof(*o) + strlen(client) + 1);

	if (o)
		memcpy(o->client, client, strlen(client));
	return o;
}

/* What was between others is over. */
static void begin(struct takeover *o, const char *from, const char *to)
{
	snprintf(o->between[0], sizeof(o->between[0]), "%s", from);
	snprintf(o->between[1], sizeof(o->between[1]), "%s", to);
	o->count = 0;
}

static void note(struct takeover *o, int64_t now)
{
	if (o->count == TAKEOVERS_MAX)
		memmove(o->at, o->at + 1, sizeof(o->at) - sizeof(o->at[0]));
	else
		o->count++;
	o->at[o->count - 1] = now;
}

bool takeovers_enter(struct takeovers *t, const char *client, const char *from,
	const char *to, int64_t now)
{
	struct takeover *o;

	if (!strcmp(from, to))
		return true;
	sweep(t, now);
	HASH_FIND(hh, t->table, client, strlen(client), o);
	if (o && is_between(o, from, to)) {
		if (o->count == TAKEOVERS_MAX &&
			o->at[0] > now - TAKEOVERS_TIME)
			return false;
		take_out(t, o);
	} else if (o) {
		take_out(t, o);
		begin(o, from, to);
	} else {
		o = takeover_new(client);
		if (!o)
			return true;
		begin(o, from, to);
	}
	note(o, now);
	put_last(t, o);
	return true;
}

void takeovers_clear(struct takeovers *t)
{
	while (t->table)
		forget(t, t->table);
}
