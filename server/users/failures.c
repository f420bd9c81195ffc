/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bucket is one time, as in the generic cell rate algorithm (ITU-T I.371):
 * each failure moves it on by a pause, from now at least.
 */

#include "server/users/failures.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/crypto/random.h"

/* No address. */
#define NOBODY ADDRESS_NO_NETWORK

void failures_init(struct failures *f, int64_t burst, int64_t pause)
{
	f->burst = burst;
	f->pause = pause;
	random_bytes(&f->secret, sizeof(f->secret));
	f->secret |= 1;
	for (size_t i = 0; i < FAILURES_SETS; i++)
		for (size_t k = 0; k < FAILURES_WAYS; k++)
			atomic_init(&f->entries[i][k].key, NOBODY);
}

uint64_t failures_key(
	const struct failures *f, const struct address *a, const char *user)
{
	uint64_t key = address_network(a);

	if (!user || key == NOBODY)
		return key;
	for (; *user; user++) {
		key = (key ^ (uint8_t)*user) * f->secret;
		key ^= key >> 32;
	}
	return key == NOBODY ? 0 : key;
}

static struct failures_entry *set_of(struct failures *f, uint64_t key)
{
	/* The upper bits of a product depend on all of the lower ones. */
	return f->entries[(key * f->secret) >> 54 & (FAILURES_SETS - 1)];
}

static struct failures_entry *find(struct failures *f, uint64_t key)
{
	struct failures_entry *set = set_of(f, key);

	for (size_t i = 0; i < FAILURES_WAYS; i++)
		if (atomic_load(&set[i].key) == key)
			return &set[i];
	return NULL;
}

int64_t failures_wait(struct failures *f, uint64_t key, int64_t now)
{
	struct failures_entry *e = find(f, key);
	int64_t full = now + (f->burst - 1) * f->pause;
	int64_t clear = e ? atomic_load(&e->clear) : 0;

	return clear > full ? clear - full : 0;
}

bool failures_tell(struct failures *f, uint64_t key, int64_t now)
{
	struct failures_entry *e = find(f, key);
	int64_t quiet = e ? atomic_load(&e->quiet) : 0;

	return !e || (quiet <= now && atomic_compare_exchange_strong(&e->quiet,
					      &quiet, now + f->pause));
}

/* The place whose failures are the longest ago. */
static struct failures_entry *displace(struct failures *f, uint64_t key)
{
	struct failures_entry *set = set_of(f, key), *oldest = set;

	for (size_t i = 1; i < FAILURES_WAYS; i++)
		if (atomic_load(&set[i].clear) < atomic_load(&oldest->clear))
			oldest = &set[i];
	atomic_store(&oldest->clear, 0);
	atomic_store(&oldest->quiet, 0);
	atomic_store(&oldest->key, key);
	return oldest;
}

void failures_count(struct failures *f, uint64_t key, int64_t now)
{
	struct failures_entry *e = find(f, key);
	int64_t clear, next;

	if (key == NOBODY)
		return;
	if (!e)
		e = displace(f, key);
	clear = atomic_load(&e->clear);
	do {
		next = (clear > now ? clear : now) + f->pause;
	} while (!atomic_compare_exchange_weak(&e->clear, &clear, next));
}
