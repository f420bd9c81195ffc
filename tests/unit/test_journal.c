/* SPDX-License-Identifier: Apache-2.0 */

/* Rows from one thread to another: order, the bound, the bell. */
// links: client/journal.c

#include "client/journal.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct journal j;
static struct bell bell;

static void setup(void)
{
	bell.fd = eventfd(0, EFD_NONBLOCK);
	j.bell = &bell;
}

static void teardown(void)
{
	close(bell.fd);
}

TestSuite(journal, .init = setup, .fini = teardown);

static void put(int64_t at)
{
	struct journal_row row = { .at = at };

	journal_put(&j, &row);
}

static bool rang(void)
{
	uint64_t n;

	return read(bell.fd, &n, sizeof(n)) == sizeof(n);
}

Test(journal, keeps_the_order)
{
	cr_assert_null(journal_first(&j));
	for (int64_t i = 0; i < 3 * JOURNAL_ROWS; i++) {
		put(2 * i);
		put(2 * i + 1);
		cr_assert_eq(journal_first(&j)->at, 2 * i);
		journal_drop(&j);
		cr_assert_eq(journal_first(&j)->at, 2 * i + 1);
		journal_drop(&j);
		cr_assert_null(journal_first(&j));
	}
	cr_assert_eq(j.lost, 0);
}

Test(journal, loses_what_has_no_room)
{
	for (int64_t i = 0; i < JOURNAL_ROWS + 5; i++)
		put(i);
	cr_assert_eq(j.lost, 5);
	for (int64_t i = 0; i < JOURNAL_ROWS; i++) {
		cr_assert_eq(journal_first(&j)->at, i);
		journal_drop(&j);
	}
	cr_assert_null(journal_first(&j));
}

/* It is rung once for a wait, and not while nobody waits. */
Test(journal, rings_for_who_waits)
{
	put(1);
	cr_assert_not(rang());
	bell.awaited = true;
	put(2);
	put(3);
	cr_assert(rang());
	cr_assert_not(rang());
	bell.awaited = true;
	journal_open(&j, 0);
	cr_assert_not(rang());
	journal_open(&j, 2);
	journal_open(&j, -1);
	cr_assert(rang());
	cr_assert_eq(j.open, 1);
}

#define MANY 200000

static void *write_many(void *arg)
{
	for (int64_t i = 1; i <= MANY; i++)
		put(i);
	return arg;
}

/* Between two threads nothing is torn, and no row waits unheard. */
Test(journal, two_threads)
{
	struct pollfd p = { .fd = bell.fd, .events = POLLIN };
	int64_t last = 0, seen = 0;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, write_many, NULL), 0);
	while (seen + (int64_t)j.lost < MANY) {
		const struct journal_row *row;

		bell.awaited = true;
		if (!journal_first(&j) && seen + (int64_t)j.lost < MANY)
			cr_assert_eq(poll(&p, 1, 10000), 1);
		bell.awaited = false;
		rang();
		while ((row = journal_first(&j))) {
			cr_assert_gt(row->at, last);
			last = row->at;
			seen++;
			journal_drop(&j);
		}
	}
	pthread_join(thread, NULL);
	cr_assert_null(journal_first(&j));
}
