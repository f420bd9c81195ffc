/* SPDX-License-Identifier: Apache-2.0 */

/* The table; users_file.c has where it comes from. */

#include "server/users/users.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/bandwidth.h"
#include "common/base/clock.h"
#include "common/http/host.h"

/* --- what a user takes of what is limited --- */

/* One more, if that is within the limit; 0: there is none. */
static bool take(_Atomic uint32_t *used, int64_t limit)
{
	if (atomic_fetch_add(used, 1) < limit || limit == 0)
		return true;
	atomic_fetch_sub(used, 1);
	return false;
}

bool user_take_proxy(const struct user *u)
{
	return take(&u->load->proxies, u->says->max_proxies);
}

/* As in failures.c: what comes within a second may come at once. */
static bool take_turn(const struct user *u, int64_t now)
{
	int64_t limit = u->says->max_rate, next;
	int64_t clear = atomic_load(&u->load->clear);

	if (limit == 0)
		return true;
	do {
		next = (clear > now ? clear : now) + CLOCK_SECOND / limit;
		if (next > now + CLOCK_SECOND)
			return false;
	} while (!atomic_compare_exchange_weak(&u->load->clear, &clear, next));
	return true;
}

bool user_take_visitor(const struct user *u, int64_t now)
{
	if (!take(&u->load->visitors, u->says->max_visitors))
		return false;
	if (take_turn(u, now))
		return true;
	user_load_give_visitor(u->load);
	return false;
}

/* --- the table --- */

static bool copy_domains(struct user *u)
{
	const struct conf_strings *from = &u->says->domains;
	char host[HTTP_HOST_MAX];

	u->domains = calloc(from->n + 1, sizeof(*u->domains));
	for (size_t i = 0; u->domains && i < from->n; i++) {
		/* Those that are none were refused with the settings. */
		if (!host_normalise(from->v[i], true, host))
			return false;
		u->domains[i] = strdup(host);
		if (!u->domains[i])
			return false;
	}
	return u->domains;
}

/* A name of n bytes; false: nobody has one that is so long. */
static bool key_of(struct user_key *k, const char *name, size_t n)
{
	/* FNV-1a, of 64 bits, and a step that spreads its last bytes, too. */
	*k = (struct user_key){ .hash = UINT64_C(0xcbf29ce484222325) };
	if (n > sizeof(k->words))
		return false;
	memcpy(k->words, name, n);
	for (size_t i = 0; i < n; i++)
		k->hash =
			(k->hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	k->hash ^= k->hash >> 32;
	k->hash *= UINT64_C(0x9e3779b97f4a7c15);
	return true;
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct user *)a)->name.hash;
	uint64_t y = ((const struct user *)b)->name.hash;

	return (x > y) - (x < y);
}

/* It concerns those who are there already, at once. */
static bool set_bandwidth(struct user *u)
{
	int64_t rate;

	if (!bandwidth_parse(u->says->bandwidth, &rate))
		return false;
	throttle_set_rate(&u->load->out, rate);
	throttle_set_rate(&u->load->back, rate);
	return true;
}

static bool user_init(struct user *u, const struct settings_user *says,
	const struct users *old)
{
	const struct user *before = users_find(old, says->name);

	u->says = says;
	if (!key_of(&u->name, says->name, strlen(says->name)))
		never_reached(); /* It was refused with the settings. */
	if (before)
		u->load = user_load_hold(before->load);
	else
		u->load = user_load_new();
	if (!u->load)
		return false;
	if (*says->frp_token)
		cipher_key_derive(&u->frp_key, says->frp_token);
	for (size_t i = 0; i < says->keys.n && i < SETTINGS_USER_KEYS; i++)
		u->key_count += proof_public_read(
			u->keys[u->key_count], says->keys.v[i]);
	return settings_expiry(says->expires, &u->expires) &&
	       set_bandwidth(u) && copy_domains(u);
}

static int by_domain(const void *a, const void *b)
{
	return strcmp(((const struct listing *)a)->domain,
		((const struct listing *)b)->domain);
}

/* Of users who do not move any more. */
static bool list_domains(struct users *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->list[i].says->domains.n;
	t->listings = calloc(n + 1, sizeof(*t->listings));
	if (!t->listings)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const struct user *u = &t->list[i];

		for (size_t k = 0; k < u->says->domains.n; k++)
			t->listings[t->listing_count++] =
				(struct listing){ u->domains[k], u };
	}
	qsort(t->listings, n, sizeof(*t->listings), by_domain);
	return true;
}

struct users *users_make(const struct settings_users *says, struct conf *conf,
	const struct users *old)
{
	struct users *t = calloc(1, sizeof(*t) + says->n * sizeof(struct user));

	if (!t) {
		conf_free(&conf);
		return NULL;
	}
	t->holders = 1;
	t->conf = conf;
	for (; t->count < says->n; t->count++) {
		struct user *u = &t->list[t->count];

		if (!user_init(u, &says->v[t->count], old)) {
			t->count++;
			users_drop(&t);
			return NULL;
		}
	}
	qsort(t->list, t->count, sizeof(*t->list), by_hash);
	if (!list_domains(t))
		users_drop(&t);
	return t;
}

struct users *users_hold(struct users *t)
{
	if (t)
		atomic_fetch_add(&t->holders, 1);
	return t;
}

static void user_clear(struct user *u)
{
	for (size_t i = 0; u->domains && i < u->says->domains.n; i++)
		free(u->domains[i]);
	free(u->domains);
	cipher_key_wipe(&u->frp_key);
	user_load_drop(&u->load);
}

void users_drop(struct users **tp)
{
	struct users *t = *tp;

	*tp = NULL;
	if (!t || atomic_fetch_sub(&t->holders, 1) > 1)
		return;
	for (size_t i = 0; i < t->count; i++)
		user_clear(&t->list[i]);
	conf_free(&t->conf);
	free(t->listings);
	free(t);
}

static bool is_named(const struct user *u, const struct user_key *k)
{
	uint64_t differ = u->name.hash ^ k->hash;

	for (size_t i = 0; i < USERS_NAME_WORDS; i++)
		differ |= u->name.words[i] ^ k->words[i];
	return differ == 0;
}

/*
 * As many steps for any name, with nothing to predict: to the last one whose
 * hash is not above, or the first.
 */
static const struct user *find_evenly(
	const struct users *t, const char *name, size_t n, bool *known_r)
{
	const struct user *u;
	bool possible;
	struct user_key k;

	*known_r = false;
	if (!t || t->count == 0)
		return NULL;
	possible = key_of(&k, name, n);
	u = t->list;
	for (size_t left = t->count; left > 1; left -= left / 2)
		u += left / 2 * (u[left / 2].name.hash <= k.hash);
	/* Several may have the same. */
	while (u > t->list && u[-1].name.hash == k.hash && !is_named(u, &k))
		u--;
	*known_r = is_named(u, &k) & possible;
	return u;
}

static const struct user *find(
	const struct users *t, const char *name, size_t n)
{
	bool known;
	const struct user *u = find_evenly(t, name, n, &known);

	return known ? u : NULL;
}

const struct user *users_find(const struct users *t, const char *name)
{
	return find(t, name, strlen(name));
}

const struct user *users_find_evenly(
	const struct users *t, const char *name, bool *known_r)
{
	return find_evenly(t, name, strlen(name), known_r);
}

const struct user *users_find_by_proxy(const struct users *t, const char *proxy)
{
	const char *dot = strchr(proxy, '.');

	return dot ? find(t, proxy, (size_t)(dot - proxy)) : NULL;
}

bool user_is_active(const struct user *u, int64_t now)
{
	return !u->says->disabled && now < u->expires;
}

bool user_has_key(
	const struct user *u, const uint8_t key[static PROOF_PUBLIC_SIZE])
{
	bool found = false;

	/* A public key is no secret; how many there are is. */
	for (size_t i = 0; i < SETTINGS_USER_KEYS; i++)
		found |= (memcmp(u->keys[i], key, PROOF_PUBLIC_SIZE) == 0) &
			 (i < u->key_count);
	return found;
}
