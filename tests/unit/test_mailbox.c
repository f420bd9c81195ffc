/* SPDX-License-Identifier: Apache-2.0 */

/* Letters from several threads: none lost, each sender's in order. */
// links: common/event/mailbox.c common/event/epoll.c common/event/epoll_place.c common/event/epoll_try.c common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_right.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/event/send.c tests/double/script.c
// libs: -luring

#include "common/event/mailbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/event/backend.h"
#include "tests/double/script.h"

enum {
	SENDERS = 4,
	LETTERS = 20000
};

struct note {
	struct letter letter;
	int sender, number;
};

static struct mailbox m;
static int next[SENDERS], total;

static void deliver(struct mailbox *to, struct letter *letter)
{
	struct note *n = (struct note *)letter;

	cr_assert_eq(to, &m);
	cr_assert_eq(n->number, next[n->sender]);
	next[n->sender]++;
	total++;
}

static void *post(void *arg)
{
	for (int i = 0; i < LETTERS; i++) {
		struct note *n = letter_new(sizeof(*n));

		n->sender = (int)(intptr_t)arg;
		n->number = i;
		mailbox_post(&m, &n->letter, deliver);
	}
	return NULL;
}

static void several_senders(const struct backend *backend)
{
	struct counters counters = { 0 };
	struct loop_params params = { .ops = 8,
		.chunk_size = 1024,
		.chunks_soft = 4,
		.chunks_hard = 8,
		.counters = &counters };
	pthread_t threads[SENDERS];
	struct loop *l;
	int rc;

	rc = loop_create(&l, backend, &params);
	if (rc == -ENOSYS)
		cr_skip_test("no io_uring here");
	cr_assert_eq(rc, 0);
	cr_assert_eq(loop_enter(l), 0);
	cr_assert_eq(mailbox_init(&m), 0);
	mailbox_start(&m, l);
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, post, (void *)(intptr_t)i);
	while (total < SENDERS * LETTERS)
		loop_turn(l);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	mailbox_stop(&m);
	while (l->in_flight > 0)
		loop_turn(l);
	/* Never delivered, and freed all the same. */
	post((void *)0);
	mailbox_destroy(&m);
	loop_destroy(&l);
	cr_assert_eq(total, SENDERS * LETTERS);
}

Test(mailbox, several_senders_on_io_uring)
{
	several_senders(&backend_ring);
}

Test(mailbox, several_senders_on_epoll)
{
	several_senders(&backend_epoll);
}

/* The kernel may be short of memory just then. */
Test(mailbox, a_wait_that_fails_is_begun_again)
{
	struct counters counters = { 0 };
	struct loop *l = script_loop(&counters, 4);
	pthread_t thread;

	cr_assert_eq(mailbox_init(&m), 0);
	mailbox_start(&m, l);
	pthread_create(&thread, NULL, post, (void *)0);
	pthread_join(thread, NULL);
	script_complete(script_find(OP_POLL, m.fd), -ENOMEM, true);
	script_run(l);
	cr_assert_eq(total, LETTERS);
	cr_assert_not_null(script_find(OP_POLL, m.fd));
	mailbox_stop(&m);
	script_run(l);
	cr_assert_eq(l->in_flight, 0);
	mailbox_destroy(&m);
	loop_destroy(&l);
}
