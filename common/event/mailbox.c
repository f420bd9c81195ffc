/* SPDX-License-Identifier: Apache-2.0 */

/* A stack that is swapped out as a whole, so order is restored by reversal. */

#include "common/event/mailbox.h"

#include <errno.h>
#include <string.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *m)
{
	memset(m, 0, sizeof(*m));
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

static void mailbox_woken(struct op *op, int result)
{
	struct mailbox *m = container_of(op, struct mailbox, wake);
	struct letter *l;
	uint64_t n;

	if (result < 0)
		return;
	op_poll(m->loop, &m->wake, m->fd, POLLIN, mailbox_woken);
	/* Reset first: what is posted from here on wakes again. */
	if (read(m->fd, &n, sizeof(n)) < 0)
		return;
	l = take_all(m);
	while (l) {
		struct letter *next = l->next;

		l->deliver(m, l);
		free(l);
		l = next;
	}
}

void mailbox_start(struct mailbox *m, struct loop *l)
{
	m->loop = l;
	op_poll(l, &m->wake, m->fd, POLLIN, mailbox_woken);
}

void mailbox_stop(struct mailbox *m)
{
	op_cancel(m->loop, &m->wake);
}

void mailbox_destroy(struct mailbox *m)
{
	struct letter *l = take_all(m);

	while (l) {
		struct letter *next = l->next;

		free(l);
		l = next;
	}
	close(m->fd);
}

void mailbox_post(struct mailbox *m, struct letter *l, letter_fn *deliver)
{
	struct letter *before = atomic_load(&m->newest);
	uint64_t one = 1;

	l->deliver = deliver;
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
