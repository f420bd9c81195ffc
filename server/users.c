/* SPDX-License-Identifier: Apache-2.0 */

/* The table; users_file.c has where it comes from. */

#include "server/users.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/bandwidth.h"
#include "common/base/clock.h"
#include "common/http/host.h"

/* --- how much a user has --- */

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
		HASH_ADD_KEYPTR(
			hh, t->by_name, user_name(u), strlen(user_name(u)), u);
	}
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
	HASH_CLEAR(hh, t->by_name);
	for (size_t i = 0; i < t->count; i++)
		user_clear(&t->list[i]);
	conf_free(&t->conf);
	free(t);
}

static const struct user *find(
	const struct users *t, const char *name, size_t n)
{
	struct user *u = NULL;

	if (t)
		HASH_FIND(hh, t->by_name, name, n, u);
	return u;
}

const struct user *users_find(const struct users *t, const char *name)
{
	return find(t, name, strlen(name));
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

	/* A public key is no secret. */
	for (size_t i = 0; i < u->key_count; i++)
		found |= memcmp(u->keys[i], key, PROOF_PUBLIC_SIZE) == 0;
	return found;
}
