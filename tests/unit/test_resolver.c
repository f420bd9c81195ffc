/* SPDX-License-Identifier: Apache-2.0 */

/* Names to addresses on another thread. */
// links: common/event/resolver.c common/event/name_server.c common/event/mailbox.c common/event/epoll.c common/event/epoll_place.c common/event/epoll_try.c common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_right.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/base/address.c common/event/send.c
// libs: -luring -lcares

#include "common/event/resolver.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "common/event/backend.h"

static struct resolution last;
static int answers;

static void answered(struct mailbox *m, struct letter *letter)
{
	(void)m;
	last = *container_of(letter, struct resolution, letter);
	answers++;
}

static void literals_names_and_nonsense(const struct backend *backend)
{
	struct counters counters = { 0 };
	struct loop_params params = { .ops = 8,
		.chunk_size = 1024,
		.chunks_soft = 4,
		.chunks_hard = 8,
		.counters = &counters };
	static const struct {
		const char *host;
		bool found;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "::1", true },
		{ "localhost", true },
		{ "localhost", true },
		{ "name.invalid", false },
		{ "a b", false },
	};
	struct handle asker = { 3, 4 };
	struct resolver *r;
	struct mailbox m;
	struct loop *l;
	int rc;

	rc = loop_create(&l, backend, &params);
	if (rc == -ENOSYS)
		cr_skip_test("no io_uring here");
	cr_assert_eq(rc, 0);
	cr_assert_eq(loop_enter(l), 0);
	cr_assert_eq(mailbox_init(&m), 0);
	mailbox_start(&m, l);
	cr_assert_eq(resolver_create(&r, ""), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(
			resolver_ask(r, rows[i].host, 80, &m, answered, asker),
			0);
		while (answers <= (int)i)
			loop_turn(l);
		cr_assert_eq(!last.error, rows[i].found, "%s: %s", rows[i].host,
			last.error);
		cr_assert_eq(last.count > 0, rows[i].found);
		cr_assert_eq(last.asker.index, 3);
		if (rows[i].found)
			cr_assert_eq(address_port(&last.addresses[0]), 80);
	}
	resolver_destroy(&r);
	mailbox_stop(&m);
	while (l->in_flight > 0)
		loop_turn(l);
	mailbox_destroy(&m);
	loop_destroy(&l);
}

Test(resolver, literals_names_and_nonsense_on_io_uring)
{
	literals_names_and_nonsense(&backend_ring);
}

Test(resolver, literals_names_and_nonsense_on_epoll)
{
	literals_names_and_nonsense(&backend_epoll);
}
