/* SPDX-License-Identifier: Apache-2.0 */

/* A uthash table of users, each with one that keeps the order of insertion. */

#include "server/users/seen.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/table.h"

struct seen_login {
	UT_hash_handle hh;
	int64_t first, until;
	char what[];
};

struct seen_user {
	UT_hash_handle hh;
	struct seen_login *logins;
	char name[];
};

static void forget(struct seen *s, struct seen_user *u, struct seen_login *l)
{
	HASH_DEL(u->logins, l);
	s->count--;
	free(l);
}

static void drop_if_empty(struct seen *s, struct seen_user *u)
{
	if (u->logins)
		return;
	if (s->turn == u)
		s->turn = u->hh.next;
	HASH_DEL(s->users, u);
	free(u);
}

/* The oldest first; one that is kept longer keeps those behind it. */
static void sweep(struct seen *s, struct seen_user *u, int64_t now)
{
	while (u->logins && u->logins->until <= now)
		forget(s, u, u->logins);
	drop_if_empty(s, u);
}

static struct seen_user *find_user(const struct seen *s, const char *name)
{
	struct seen_user *u;

	HASH_FIND(hh, s->users, name, strlen(name), u);
	return u;
}

/* Who comes no more is looked at as well, in turn. */
static void sweep_some(struct seen *s, const char *name, int64_t now)
{
	struct seen_user *u = s->turn ? s->turn : s->users;

	if (u) {
		s->turn = u->hh.next;
		sweep(s, u, now);
	}
	u = find_user(s, name);
	if (u)
		sweep(s, u, now);
}

/* NULL without memory. */
static struct seen_user *make_user(struct seen *s, const char *name)
{
	struct seen_user *u = find_user(s, name);

	if (u)
		return u;
	u = calloc(1, sizeof(*u) + strlen(name) + 1);
	if (!u)
		return NULL;
	memcpy(u->name, name, strlen(name));
	HASH_ADD(hh, s->users, name, strlen(u->name), u);
	if (table_has(&u->hh))
		return u;
	free(u);
	return NULL;
}

static enum seen_verdict look(
	struct seen *s, struct seen_user *u, const char *what, int64_t now)
{
	struct seen_login *before;

	HASH_FIND(hh, u->logins, what, strlen(what), before);
	if (before && before->until > now)
		return now - before->first <= SEEN_GRACE ? SEEN_AGAIN
							 : SEEN_LATE;
	if (before)
		forget(s, u, before);
	return HASH_COUNT(u->logins) < SEEN_MAX ? SEEN_NEW : SEEN_FULL;
}

/* A new one; false without memory. */
static bool add(struct seen *s, struct seen_user *u, const char *what,
	int64_t first, int64_t until)
{
	struct seen_login *l = calloc(1, sizeof(*l) + strlen(what) + 1);

	if (!l)
		return false;
	memcpy(l->what, what, strlen(what));
	l->first = first;
	l->until = until;
	HASH_ADD(hh, u->logins, what, strlen(l->what), l);
	if (!table_has(&l->hh)) {
		free(l);
		return false;
	}
	s->count++;
	return true;
}

static enum seen_verdict enter(struct seen *s, const char *user,
	const char *what, int64_t now, int64_t first, int64_t until)
{
	enum seen_verdict v = SEEN_LATE;
	struct seen_user *u;

	sweep_some(s, user, now);
	u = make_user(s, user);
	if (u)
		v = look(s, u, what, now);
	if (v == SEEN_NEW && !add(s, u, what, first, until))
		v = SEEN_LATE;
	if (u)
		drop_if_empty(s, u);
	return v;
}

enum seen_verdict seen_enter(struct seen *s, const char *user, const char *what,
	int64_t now, int64_t keep)
{
	return enter(s, user, what, now, now, now + keep);
}

void seen_restore(struct seen *s, const char *user, const char *what,
	int64_t now, int64_t keep)
{
	/* Without memory it is forgotten. */
	enter(s, user, what, now, now - SEEN_GRACE - 1, now + keep);
}

void seen_clear(struct seen *s)
{
	struct seen_user *u, *next;

	HASH_ITER(hh, s->users, u, next)
	sweep(s, u, INT64_MAX);
}
