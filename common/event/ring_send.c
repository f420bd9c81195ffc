/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sends. A busy turn's are submitted together; in a light one send(2) is
 * called at once, which spares the turn that a completion would need: the one
 * who waits hears 10 % sooner, at 6 % less CPU (ARCHITECTURE.md).
 */

#include <errno.h>
#include <poll.h>

#include "common/event/ring.h"
#include "common/event/send.h"

/*
 * Where a poll says room and the send finds none: in a kernel that is short of
 * memory, and of a socket whose peer has ended its direction, as every poll of
 * a ring is woken by that (POLLRDHUP). Such peers may never read: the pauses
 * of one send grow.
 */
#define PAUSE(ms)                        \
	{                                \
		.tv_nsec = (ms)*CLOCK_MS \
	}
static struct __kernel_timespec pauses[] = { PAUSE(2), PAUSE(4), PAUSE(8),
	PAUSE(16), PAUSE(32), PAUSE(64), PAUSE(128) };

static void submit_send(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct slot *s = &r->slots[index];
	struct io_uring_sqe *sqe = ring_take_sqe(l);

	io_uring_prep_send(sqe, s->fd, s->data, s->size, send_flags(s->more));
	sqe->user_data = ring_user_data(r, index);
}

void ring_send(struct loop *l, struct op *op, const struct op_args *a)
{
	struct ring *r = l->state;
	struct slot *s;

	if (r->last <= RING_LIGHT && send_at_once(l, op, a) == 0) {
		count(l->counters, sends_at_once);
		return;
	}
	op->slot = ring_take_slot(r, op, a->fd);
	s = &r->slots[op->slot];
	s->data = a->data;
	s->size = a->size;
	s->more = a->more;
	s->stage = SEND_TRIED;
	s->pauses = 0;
	submit_send(l, op->slot);
}

bool ring_send_goes_on(const struct slot *s, int result)
{
	bool waits = s->stage == SEND_WAITING || s->stage == SEND_PAUSED;

	/* A poll's events, a timeout's ETIME; a failed poll ends the send. */
	return waits ? result >= 0 || result == -ETIME : result == -EAGAIN;
}

void ring_send_continue(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct slot *s = &r->slots[index];
	struct io_uring_sqe *sqe;

	switch ((enum send_stage)s->stage) {
	case SEND_WAITING:
	case SEND_PAUSED:
		s->stage = SEND_RETRIED;
		submit_send(l, index);
		return;
	case SEND_TRIED:
		s->stage = SEND_WAITING;
		count(l->counters, send_waits);
		sqe = ring_take_sqe(l);
		io_uring_prep_poll_add(sqe, s->fd, POLLOUT);
		break;
	case SEND_RETRIED:
		s->stage = SEND_PAUSED;
		count(l->counters, send_pauses);
		sqe = ring_take_sqe(l);
		io_uring_prep_timeout(sqe, &pauses[s->pauses], 0, 0);
		if (s->pauses + 1U < ARRAY_SIZE(pauses))
			s->pauses++;
		break;
	default:
		never_reached();
	}
	sqe->user_data = ring_user_data(r, index);
}
