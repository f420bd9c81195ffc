/* SPDX-License-Identifier: Apache-2.0 */

/* A uthash table of hosts. */

#include "server/registry/tenures.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/table.h"

struct tenure {
	UT_hash_handle hh;
	const struct user_load *of; /* the claims hold it; NULL: auth.token's */
	uint32_t claims;            /* that name the host, each time */
	uint32_t ending;            /* of them */
	char host[];
};

static struct tenure *find(const struct tenures *t, const char *host)
{
	struct tenure *found;

	HASH_FIND_STR(t->table, host, found);
	return found;
}

static const char *first_host(const struct claim *c)
{
	return c->listed ? NULL : claim_first_host(c);
}

enum verdict tenures_look(
	const struct tenures *t, const struct claim *c, const char **host_r)
{
	enum verdict worst = VERDICT_FREE;

	for (const char *host = first_host(c); host;
		host = claim_next_host(c, host)) {
		const struct tenure *at = find(t, host);

		if (!at || at->of == c->load)
			continue;
		*host_r = host;
		if (at->ending < at->claims)
			return VERDICT_TAKEN;
		worst = VERDICT_WAIT;
	}
	return worst;
}

static struct tenure *make(
	struct tenures *t, const char *host, const struct user_load *of)
{
	struct tenure *new = calloc(1, sizeof(*new) + strlen(host) + 1);

	if (!new)
		return NULL;
	new->of = of;
	strcpy(new->host, host);
	HASH_ADD_STR(t->table, host, new);
	if (table_has(&new->hh))
		return new;
	free(new);
	return NULL;
}

static void drop(struct tenures *t, struct tenure *at)
{
	if (--at->claims > 0)
		return;
	HASH_DEL(t->table, at);
	free(at);
}

bool tenures_enter(struct tenures *t, const struct claim *c)
{
	for (const char *host = first_host(c); host;
		host = claim_next_host(c, host)) {
		struct tenure *at = find(t, host);

		if (!at)
			at = make(t, host, c->load);
		if (at) {
			at->claims++;
			continue;
		}
		for (const char *i = first_host(c); i != host;
			i = claim_next_host(c, i))
			drop(t, find(t, i));
		return false;
	}
	return true;
}

void tenures_end_soon(struct tenures *t, const struct claim *c)
{
	for (const char *host = first_host(c); host;
		host = claim_next_host(c, host))
		find(t, host)->ending++;
}

void tenures_leave(struct tenures *t, const struct claim *c)
{
	for (const char *host = first_host(c); host;
		host = claim_next_host(c, host)) {
		struct tenure *at = find(t, host);

		at->ending--;
		drop(t, at);
	}
}

void tenures_clear(struct tenures *t)
{
	struct tenure *at, *next;

	HASH_ITER(hh, t->table, at, next)
	{
		HASH_DEL(t->table, at);
		free(at);
	}
}
