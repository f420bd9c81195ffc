/* SPDX-License-Identifier: Apache-2.0 */

/* A stack that is swapped out as a whole, so order is restored by reversal. */

#include "common/event/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/event/loop.h"

/* The mailbox that the calling thread owns, if any. */
static _Thread_local struct mailbox *here;

void *letter_new(size_t size)
{
	void *letter = calloc(1, size);

	if (!letter) {
		fputs("no memory for a message between threads\n", stderr);
		abort();
	}
	return letter;
}

int mailbox_init(struct mailbox *m)
{
	memset(m, 0, sizeof(*m));
	m->own_end = &m->own;
	m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return m->fd < 0 ? -errno : 0;
}

/* All letters, the oldest first. */
static struct letter *take_all(struct mailbox *m)
{
	struct letter *l = atomic_exchange(&m->newest, NULL), *oldest = NULL;

	while (l) {
		struct letter *next = l->next;

		l->next = oldest;
		oldest = l;
		l = next;
	}
	return oldest;
}

static void deliver_all(struct mailbox *m, struct letter *l)
{
	while (l) {
		struct letter *next = l->next;

		l->deliver(m, l);
		free(l);
		l = next;
	}
}

static void discard_all(struct letter *l)
{
	while (l) {
		struct letter *next = l->next;

		if (l->discard)
			l->discard(l);
		free(l);
		l = next;
	}
}

static struct letter *take_own(struct mailbox *m)
{
	struct letter *l = m->own;

	m->own = NULL;
	m->own_end = &m->own;
	return l;
}

/* What the letters make the owner post to itself is delivered as well. */
static void deliver_own(struct timer *t)
{
	struct mailbox *m = container_of(t, struct mailbox, own_due);
	struct letter *l;

	while (!m->stopped && (l = take_own(m)))
		deliver_all(m, l);
	loop_cancel_timer(m->loop, &m->own_due);
}

static void mailbox_woken(struct op *op, int result)
{
	struct mailbox *m = container_of(op, struct mailbox, wake);
	uint64_t n;

	(void)result;
	/* Also when it succeeds after mailbox_stop: the cancel was too late. */
	if (m->stopped)
		return;
	/* After a failure as well: without it no letter would come any more. */
	op_poll(m->loop, &m->wake, m->fd, POLLIN, mailbox_woken);
	/* Reset first: what is posted from here on wakes again. */
	if (read(m->fd, &n, sizeof(n)) < 0)
		return;
	deliver_all(m, take_all(m));
}

void mailbox_start(struct mailbox *m, struct loop *l)
{
	here = m;
	m->loop = l;
	op_poll(l, &m->wake, m->fd, POLLIN, mailbox_woken);
}

void mailbox_stop(struct mailbox *m)
{
	m->stopped = true;
	loop_cancel_timer(m->loop, &m->own_due);
	op_cancel(m->loop, &m->wake);
}

void mailbox_destroy(struct mailbox *m)
{
	discard_all(take_own(m));
	discard_all(take_all(m));
	close(m->fd);
}

static void post_own(struct mailbox *m, struct letter *l)
{
	l->next = NULL;
	*m->own_end = l;
	m->own_end = &l->next;
	if (!m->stopped && !timer_is_set(&m->own_due))
		loop_set_timer(m->loop, &m->own_due, 0, deliver_own);
}

void mailbox_post(struct mailbox *m, struct letter *l, letter_fn *deliver)
{
	struct letter *before = atomic_load(&m->newest);
	uint64_t one = 1;

	l->deliver = deliver;
	if (m == here) {
		post_own(m, l);
		return;
	}
	do {
		l->next = before;
	} while (!atomic_compare_exchange_weak(&m->newest, &before, l));
	/*
	 * The letter may be gone by now. The first of a batch wakes; EAGAIN
	 * means that the descriptor is readable anyway.
	 */
	if (!before && write(m->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}
