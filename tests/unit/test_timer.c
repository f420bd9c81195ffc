/* SPDX-License-Identifier: Apache-2.0 */

/* Timers fire in order, once, and not after they were cancelled. */
// links: common/base/timer.c

#include "common/base/timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
	COUNT = 500
};

static struct timers set;
static struct timer timers[COUNT];
static int fired[COUNT];
static int64_t last;

static void fire(struct timer *t)
{
	cr_assert_geq(t->when, last);
	cr_assert_not(timer_is_set(t));
	last = t->when;
	fired[t - timers]++;
}

Test(timer, random_against_a_reference)
{
	int64_t due[COUNT] = { 0 };
	int64_t now = 0;

	srand(5);
	for (int step = 0; step < 50000; step++) {
		int i = rand() % COUNT;

		switch (rand() % 4) {
		case 0:
		case 1:
			due[i] = now + 1 + rand() % 1000;
			timer_set(&set, &timers[i], due[i], fire);
			break;
		case 2:
			due[i] = 0;
			timer_cancel(&set, &timers[i]);
			break;
		default:
			now += rand() % 50;
			last = 0;
			for (int k = 0; k < COUNT; k++)
				fired[k] = 0;
			timers_run(&set, now);
			for (int k = 0; k < COUNT; k++) {
				bool want = due[k] && due[k] <= now;

				cr_assert_eq(fired[k], want);
				due[k] = want ? 0 : due[k];
			}
		}
		for (int k = 0; k < COUNT; k += 97)
			cr_assert_eq(timer_is_set(&timers[k]), due[k] != 0);
	}
}

static void again(struct timer *t)
{
	fired[0]++;
	timer_set(&set, t, t->when + 10, again);
	timer_cancel(&set, &timers[1]);
}

Test(timer, callbacks_set_and_cancel)
{
	cr_assert_eq(timers_next(&set), INT64_MAX);
	timer_cancel(&set, &timers[0]);
	timer_set(&set, &timers[0], 5, again);
	timer_set(&set, &timers[1], 6, fire);
	cr_assert_eq(timers_next(&set), 5);
	timers_run(&set, 14);
	cr_assert_eq(fired[0], 1);
	cr_assert_eq(fired[1], 0);
	cr_assert_eq(timers_next(&set), 15);
}
