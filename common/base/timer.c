/* SPDX-License-Identifier: Apache-2.0 */

/* The pairing heap: a tree in which no child is due before its parent. */

#include "common/base/timer.h"

#include <stddef.h>

/* Join two trees; the root that is due later becomes a child. */
static struct timer *join(struct timer *a, struct timer *b)
{
	if (b->when < a->when) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->sibling = a->child;
	if (b->sibling)
		b->sibling->prev = b;
	a->child = b;
	return a;
}

/* Join a list of siblings into one tree: pairs first, then from the back. */
static struct timer *join_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->sibling;

		first = b ? b->sibling : NULL;
		a->prev = a->sibling = NULL;
		if (b) {
			b->prev = b->sibling = NULL;
			a = join(a, b);
		}
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *t = pairs;

		pairs = t->sibling;
		t->sibling = NULL;
		root = root ? join(root, t) : t;
	}
	return root;
}

static void unlink_timer(struct timers *ts, struct timer *t)
{
	struct timer *rest = join_siblings(t->child);

	if (t == ts->root) {
		ts->root = rest;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->sibling;
		else
			t->prev->sibling = t->sibling;
		if (t->sibling)
			t->sibling->prev = t->prev;
		if (rest)
			ts->root = join(ts->root, rest);
	}
	t->child = t->sibling = t->prev = NULL;
}

void timer_set(struct timers *ts, struct timer *t, int64_t when, timer_fn *fire)
{
	timer_cancel(ts, t);
	t->when = when;
	t->fire = fire;
	ts->root = ts->root ? join(ts->root, t) : t;
}

void timer_cancel(struct timers *ts, struct timer *t)
{
	if (!t->fire)
		return;
	t->fire = NULL;
	unlink_timer(ts, t);
}

int64_t timers_next(const struct timers *ts)
{
	return ts->root ? ts->root->when : INT64_MAX;
}

void timers_run(struct timers *ts, int64_t now)
{
	while (ts->root && ts->root->when <= now) {
		struct timer *t = ts->root;
		timer_fn *fire = t->fire;

		t->fire = NULL;
		unlink_timer(ts, t);
		fire(t);
	}
}
