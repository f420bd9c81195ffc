/* SPDX-License-Identifier: Apache-2.0 */

/* The generic cell rate algorithm (ITU-T I.371, annex A), with a line. */

#include "common/relay/throttle.h"

#include <stdlib.h>

struct throttle *throttle_new(int64_t rate)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->holders = 1;
	t->rate = rate;
	return t;
}

struct throttle *throttle_hold(struct throttle *t)
{
	if (t)
		atomic_fetch_add(&t->holders, 1);
	return t;
}

void throttle_drop(struct throttle **tp)
{
	struct throttle *t = *tp;

	*tp = NULL;
	if (t && atomic_fetch_sub(&t->holders, 1) == 1)
		free(t);
}

void throttle_set_rate(struct throttle *t, int64_t rate)
{
	/* The line of before is forgotten: it was of another length. */
	if (atomic_exchange(&t->rate, rate) != rate)
		atomic_store(&t->paid, 0);
}

/* How long so many bytes take. */
static int64_t cost(int64_t rate, uint32_t n)
{
	return n * CLOCK_SECOND / rate;
}

/* Grant so many bytes; returns when they may go. */
static int64_t grant(struct throttle *t, int64_t rate, uint32_t n, int64_t now)
{
	int64_t least = cost(rate, THROTTLE_BURST_LEAST), at;
	int64_t from = now - (least > THROTTLE_BURST ? least : THROTTLE_BURST);
	int64_t paid = atomic_load(&t->paid);

	do
		at = paid > from ? paid : from;
	while (!atomic_compare_exchange_weak(
		&t->paid, &paid, at + cost(rate, n)));
	return at;
}

void throttles_charge(const struct throttles *under, uint32_t n, int64_t now)
{
	for (int i = 0; i < THROTTLES_MAX; i++) {
		struct throttle *t = under->of[i];
		int64_t rate = t ? atomic_load(&t->rate) : 0;

		if (rate > 0)
			grant(t, rate, n, now);
	}
}

/* How much is granted at a time. */
static uint32_t piece(const struct throttle *t, int64_t rate, int64_t now)
{
	int64_t n = rate / THROTTLE_PIECES;

	if (n < THROTTLE_PIECE_LEAST ||
		atomic_load(&t->paid) > now + THROTTLE_LINE)
		n = THROTTLE_PIECE_LEAST;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

void turn_init(struct turn *t, const struct throttles *under)
{
	int n = 0;

	*t = (struct turn){ 0 };
	for (int i = 0; i < THROTTLES_MAX; i++)
		if (under->of[i])
			t->under.of[n++] = under->of[i];
}

int64_t turn_rate(const struct turn *t)
{
	int64_t lowest = INT64_MAX;

	for (int i = 0; i < THROTTLES_MAX && t->under.of[i]; i++) {
		int64_t rate = atomic_load(&t->under.of[i]->rate);

		if (rate > 0 && rate < lowest)
			lowest = rate;
	}
	return lowest;
}

/* Ask for a piece of so many bytes; false: there is no limit now. */
static bool ask(struct turn *t, uint32_t want, int64_t now)
{
	uint32_t n = want, most;
	bool limited = false;
	int64_t at;

	t->at = INT64_MIN;
	for (int i = 0; i < THROTTLES_MAX && t->under.of[i]; i++) {
		t->rates[i] = atomic_load(&t->under.of[i]->rate);
		if (t->rates[i] == 0)
			continue;
		most = piece(t->under.of[i], t->rates[i], now);
		n = most < n ? most : n;
		limited = true;
	}
	if (!limited)
		return false;
	t->granted = n;
	for (int i = 0; i < THROTTLES_MAX && t->under.of[i]; i++) {
		if (t->rates[i] == 0)
			continue;
		at = grant(t->under.of[i], t->rates[i], n, now);
		t->at = at > t->at ? at : t->at;
	}
	return true;
}

/* Whether a rate has changed since it was asked for. */
static bool is_stale(const struct turn *t)
{
	for (int i = 0; i < THROTTLES_MAX && t->under.of[i]; i++)
		if (atomic_load(&t->under.of[i]->rate) != t->rates[i])
			return true;
	return false;
}

uint32_t turn_take(struct turn *t, uint32_t want, int64_t now)
{
	uint32_t n;

	if (t->granted > 0 && is_stale(t))
		turn_leave(t);
	if (t->granted == 0 && !ask(t, want, now))
		return want;
	if (t->at > now)
		return 0;
	n = t->granted < want ? t->granted : want;
	t->granted -= n;
	turn_leave(t);
	return n;
}

int64_t turn_wait(const struct turn *t, int64_t now)
{
	int64_t wait = t->at - now;

	return wait < THROTTLE_LOOK ? wait : THROTTLE_LOOK;
}

void turn_give(struct turn *t, uint32_t n)
{
	/* Of a rate that has changed the line was forgotten. */
	for (int i = 0; i < THROTTLES_MAX && t->under.of[i]; i++)
		if (t->rates[i] > 0 &&
			atomic_load(&t->under.of[i]->rate) == t->rates[i])
			atomic_fetch_sub(
				&t->under.of[i]->paid, cost(t->rates[i], n));
}

void turn_leave(struct turn *t)
{
	uint32_t n = t->granted;

	t->granted = 0;
	if (n > 0)
		turn_give(t, n);
}
