/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A receive that goes on can miss how a connection ends: when bytes and a reset
 * come one right after the other, the kernel wakes it for the bytes and may
 * forget the rest (io_uring/poll.c, seen up to Linux 6.18: some one in three
 * thousand). Nothing would come on that socket any more, not even what the
 * operation is to be woken by. So the sockets of such receives are looked at a
 * little later, many with one poll(2); a receive that should have ended is
 * stopped, and its owner begins another one, which finds the end at once.
 */

#include <poll.h>

#include "common/event/ring.h"

/* How long after the first of them. */
#define LOOK_AFTER (100 * CLOCK_MS)
/* With one system call. */
#define LOOK_MANY 128

/* Whether the slot, which may be another operation's by now, goes on. */
static bool goes_on(const struct slot *s)
{
	return s->op && s->op->kind == OP_RECV && s->op->state == OP_FLYING &&
	       s->more && !s->hungry;
}

static void look(struct loop *l, const uint32_t *indices, uint32_t n)
{
	struct ring *r = l->state;
	struct pollfd fds[LOOK_MANY];

	for (uint32_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = r->slots[indices[i]].fd,
			.events = POLLRDHUP };
	if (poll(fds, n, 0) <= 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (fds[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			count(l->counters, ends_looked_for);
			ring_stop(l, indices[i]);
		}
}

static void look_at_all(struct timer *t)
{
	struct ring *r = container_of(t, struct ring, look);
	uint32_t some[LOOK_MANY], n = 0;

	for (uint32_t i = 0; i < r->suspect_count; i++) {
		struct slot *s = &r->slots[r->suspects[i]];

		s->suspected = false;
		if (!goes_on(s))
			continue;
		some[n++] = r->suspects[i];
		if (n == LOOK_MANY) {
			look(r->loop, some, n);
			n = 0;
		}
	}
	r->suspect_count = 0;
	if (n > 0)
		look(r->loop, some, n);
}

void ring_suspect(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;

	if (r->slots[index].suspected)
		return;
	r->slots[index].suspected = true;
	/* Of l->now the wait that has just ended took its time. */
	if (r->suspect_count == 0)
		timer_set(&l->timers, &r->look, clock_now() + LOOK_AFTER,
			look_at_all);
	r->suspects[r->suspect_count++] = index;
}
