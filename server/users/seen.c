/* SPDX-License-Identifier: Apache-2.0 */

/* One uthash table, which keeps the order of insertion. */

#include "server/users/seen.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/clock.h"

struct seen_login {
	UT_hash_handle hh;
	int64_t first, until;
	char key[]; /* the time, then the user */
};

static void forget(struct seen *s, struct seen_login *l)
{
	HASH_DEL(s->table, l);
	s->count--;
	free(l);
}

/* The oldest first; one that is kept longer keeps those behind it. */
static void sweep(struct seen *s, int64_t now)
{
	while (s->table && (s->table->until <= now || s->count > SEEN_MAX))
		forget(s, s->table);
}

/* One with the key alone, its size in *size_r; NULL without memory. */
static struct seen_login *login_new(
	const char *user, int64_t stamp, size_t *size_r)
{
	size_t size = sizeof(stamp) + strlen(user);
	struct seen_login *l = calloc(1, sizeof(*l) + size);

	*size_r = size;
	if (!l)
		return NULL;
	memcpy(l->key, &stamp, sizeof(stamp));
	memcpy(l->key + sizeof(stamp), user, size - sizeof(stamp));
	return l;
}

static enum seen_verdict enter(struct seen *s, const char *user, int64_t stamp,
	int64_t now, int64_t until)
{
	size_t size;
	struct seen_login *l = login_new(user, stamp, &size), *before;

	if (!l)
		return SEEN_LATE;
	HASH_FIND(hh, s->table, l->key, size, before);
	if (before && before->until > now) {
		free(l);
		return now - before->first <= SEEN_GRACE ? SEEN_AGAIN
							 : SEEN_LATE;
	}
	if (before)
		forget(s, before);
	l->first = now;
	l->until = until;
	HASH_ADD(hh, s->table, key, size, l);
	s->count++;
	sweep(s, now);
	return SEEN_NEW;
}

enum seen_verdict seen_enter(struct seen *s, const char *user, int64_t stamp,
	int64_t now, int64_t keep)
{
	return enter(s, user, stamp, now, now + keep);
}

void seen_restore(struct seen *s, const char *user, int64_t stamp, int64_t now,
	int64_t keep)
{
	/* Without memory it is forgotten. */
	enter(s, user, stamp, now - SEEN_GRACE - 1, now + keep);
}

void seen_clear(struct seen *s)
{
	while (s->table)
		forget(s, s->table);
}
