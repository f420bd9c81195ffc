/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The io_uring backend. An operation in flight has a slot; user_data is the
 * slot's index and generation, so that a late completion finds nobody. Receive
 * buffers are chunks lent to the kernel (lent.h).
 */

#include "common/event/ring.h"

#include <errno.h>
#include <sys/socket.h>

/* Not in liburing 2.3's header on every system (io_uring_enter(2)). */
#define CQE_SOCK_NONEMPTY (1U << 2)

#define SQ_ENTRIES 1024
#define CQ_ENTRIES 8192

/* In user_data beside the index of a slot: the result of its cancel. */
#define CANCEL (1U << 31)

/* Chunks that one socket may fill before others have their turn. */
#define RECV_LIMIT 2

/*
 * One thread submits, and gets completions when it asks: DEFER_TASKRUN, which
 * is of Linux 6.1. A kernel that refuses it may lack receives that go on, too
 * (6.0): there epoll is the better one. The ring starts disabled: whoever
 * enables it becomes its one issuer.
 */
static int setup(struct io_uring *u)
{
	struct io_uring_params p = { .cq_entries = CQ_ENTRIES };

	p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		  IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
		  IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
	return io_uring_queue_init_params(SQ_ENTRIES, u, &p);
}

static int ring_create(struct loop *l, const struct loop_params *params)
{
	struct ring *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r)
		goto err0;
	r->slot_count = params->ops;
	r->slot_free = r->hungry = NO_SLOT;
	r->recv_limit = RECV_LIMIT * (params->chunk_size - CHUNK_HEADROOM);
	r->slots = calloc(params->ops, sizeof(*r->slots));
	if (!r->slots)
		goto err1;
	r->suspects = calloc(params->ops, sizeof(*r->suspects));
	if (!r->suspects)
		goto err2;
	rc = setup(&r->uring);
	if (rc < 0)
		goto err2;
	rc = lent_create(&r->lent, &r->uring);
	if (rc < 0)
		goto err3;
	rc = ring_restrict(r);
	if (rc < 0)
		goto err4;
	r->loop = l;
	l->state = r;
	return 0;
err4:
	lent_destroy(&r->lent);
err3:
	io_uring_queue_exit(&r->uring);
err2:
	free(r->suspects);
	free(r->slots);
err1:
	free(r);
err0:
	return rc;
}

static void ring_destroy(struct loop *l)
{
	struct ring *r = l->state;

	loop_cancel_timer(l, &r->look);
	/* The kernel lets go of the lent chunks first. */
	io_uring_queue_exit(&r->uring);
	lent_destroy(&r->lent);
	free(r->suspects);
	free(r->slots);
	free(r);
}

static int ring_enter(struct loop *l)
{
	struct ring *r = l->state;
	/* liburing 2.3 declares io_uring_enable_rings, but lacks it. */
	int rc = io_uring_register((unsigned)r->uring.ring_fd,
		IORING_REGISTER_ENABLE_RINGS, NULL, 0);

	if (rc < 0)
		return rc;
	rc = io_uring_register_ring_fd(&r->uring);
	return rc < 0 && rc != -EINVAL ? rc : 0;
}

struct io_uring_sqe *ring_take_sqe(struct loop *l)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	while (!sqe) {
		io_uring_submit(&r->uring);
		count(l->counters, enters);
		sqe = io_uring_get_sqe(&r->uring);
	}
	return sqe;
}

uint32_t ring_take_slot(struct ring *r, struct op *op, int fd)
{
	uint32_t index = r->slot_free;
	struct slot *s;

	if (index != NO_SLOT)
		r->slot_free = r->slots[index].next;
	else if (r->slots_made < r->slot_count)
		index = r->slots_made++;
	else
		never_reached(); /* loop_params.ops is wrong */
	s = &r->slots[index];
	s->op = op;
	s->fd = fd;
	if (++s->generation == 0)
		s->generation = 1;
	return index;
}

static void give_slot(struct ring *r, uint32_t index)
{
	r->slots[index].op->slot = NO_SLOT;
	r->slots[index].op = NULL;
	r->slots[index].next = r->slot_free;
	r->slot_free = index;
}

static void submit_recv(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct slot *s = &r->slots[index];
	struct io_uring_sqe *sqe = ring_take_sqe(l);

	io_uring_prep_recv(sqe, s->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = LENT_GROUP;
	if (s->op->drained)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	if (s->more) {
		sqe->ioprio |= IORING_RECV_MULTISHOT;
		/* sqe->optlen of newer headers (Linux 6.17). */
		sqe->file_index = r->recv_limit;
	}
	s->limited = s->more && r->recv_limit > 0;
	sqe->user_data = ring_user_data(r, index);
}

static void ring_start(struct loop *l, struct op *op, const struct op_args *a)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe;

	if (op->kind == OP_SEND) {
		ring_send(l, op, a);
		return;
	}
	op->slot = ring_take_slot(r, op, a->fd);
	r->slots[op->slot].more = a->more;
	if (op->kind == OP_RECV) {
		submit_recv(l, op->slot);
		return;
	}
	sqe = ring_take_sqe(l);
	if (op->kind == OP_ACCEPT)
		io_uring_prep_multishot_accept(
			sqe, a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	else
		io_uring_prep_poll_add(sqe, a->fd, a->events);
	sqe->user_data = ring_user_data(r, op->slot);
}

void ring_stop(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe = ring_take_sqe(l);
	uint64_t target = ring_user_data(r, index);

	io_uring_prep_cancel64(sqe, target, 0);
	/* Only one that found nothing has anything to tell. */
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	sqe->user_data = target | CANCEL;
}

/* Take the slot out of the queue of those without a buffer, if it is there. */
static bool unqueue_hungry(struct ring *r, uint32_t index)
{
	uint32_t *at = &r->hungry, last = NO_SLOT;

	if (!r->slots[index].hungry)
		return false;
	while (*at != index) {
		last = *at;
		at = &r->slots[*at].next;
	}
	*at = r->slots[index].next;
	r->slots[index].hungry = false;
	if (r->hungry_last == index)
		r->hungry_last = last;
	return true;
}

static void ring_cancel(struct loop *l, struct op *op)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe;

	/* Its completion is in the batch already. */
	if (op->slot == NO_SLOT)
		return;
	if (!unqueue_hungry(r, op->slot)) {
		ring_stop(l, op->slot);
		return;
	}
	/* The kernel does not know it: let a no-op bring the end. */
	sqe = ring_take_sqe(l);
	io_uring_prep_nop(sqe);
	sqe->user_data = ring_user_data(r, op->slot);
}

static void ring_move(struct loop *l, const struct op *from, struct op *to)
{
	struct ring *r = l->state;

	(void)from;
	/* Else its completion is in the batch already. */
	if (to->slot != NO_SLOT)
		r->slots[to->slot].op = to;
}

static void push_hungry(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;

	count(l->counters, buffer_waits);
	r->slots[index].hungry = true;
	r->slots[index].next = NO_SLOT;
	if (r->hungry == NO_SLOT)
		r->hungry = index;
	else
		r->slots[r->hungry_last].next = index;
	r->hungry_last = index;
}

/* Lend out what is free; then feed those who lacked a buffer, in order. */
static void feed(struct loop *l)
{
	struct ring *r = l->state;
	uint32_t lent;

	lent = lent_fill(&r->lent, l->chunks);
	while (r->hungry != NO_SLOT && lent-- > 0) {
		uint32_t index = r->hungry;

		r->hungry = r->slots[index].next;
		r->slots[index].hungry = false;
		submit_recv(l, index);
	}
}

static void finish_recv(
	struct ring *r, const struct io_uring_cqe *cqe, struct completion *c)
{
	c->drained = !(cqe->flags & CQE_SOCK_NONEMPTY);
	if (cqe->flags & IORING_CQE_F_BUFFER)
		c->chunk = lent_claim(&r->lent, cqe);
	if (c->result <= 0 && c->chunk) {
		chunk_give(c->chunk);
		c->chunk = NULL;
	}
}

/* Whether the result is a step on the way: no limit, no buffer, no room. */
static bool goes_on(struct loop *l, uint32_t index, int result)
{
	struct ring *r = l->state;
	struct slot *s = &r->slots[index];

	if (s->op->kind == OP_SEND && ring_send_goes_on(s, result)) {
		ring_send_continue(l, index);
		return true;
	}
	if (s->op->kind != OP_RECV)
		return false;
	if (result == -EINVAL && s->limited) {
		/* This kernel does not know of the limit. */
		r->recv_limit = 0;
		submit_recv(l, index);
		return true;
	}
	if (result == -ENOBUFS)
		push_hungry(l, index);
	return result == -ENOBUFS;
}

/* Turn one entry into a completion; false when nobody is to be told. */
static bool collect(
	struct loop *l, const struct io_uring_cqe *cqe, struct completion *c)
{
	struct ring *r = l->state;
	uint32_t index = (uint32_t)cqe->user_data & ~CANCEL;
	uint32_t generation = (uint32_t)(cqe->user_data >> 32);
	struct slot *s = &r->slots[index];

	if (!s->op || s->generation != generation)
		return false;
	if (cqe->user_data & CANCEL) {
		/*
		 * It was between two attempts, where nothing finds it. One that
		 * lacks a buffer has its next attempt when there is one.
		 */
		if ((cqe->res == -ENOENT || cqe->res == -EALREADY) &&
			!s->hungry)
			ring_stop(l, index);
		return false;
	}
	if (s->op->state == OP_FLYING && goes_on(l, index, cqe->res))
		return false;
	*c = (struct completion){ .op = s->op,
		.result = cqe->res,
		.last = !(cqe->flags & IORING_CQE_F_MORE) };
	/* The no-op of ring_cancel, the end, no buffer, or no limit known. */
	if (s->op->kind == OP_RECV && s->op->state == OP_CANCELLED &&
		(cqe->res == 0 || cqe->res == -ENOBUFS ||
			(cqe->res == -EINVAL && s->limited)))
		c->result = -ECANCELED;
	if (s->op->kind == OP_RECV)
		finish_recv(r, cqe, c);
	if (s->op->kind == OP_SEND && cqe->res > 0 &&
		(uint32_t)cqe->res < s->size)
		count(l->counters, short_sends);
	if (s->op->kind == OP_SEND && ring_send_goes_on(s, cqe->res))
		c->result = -ECANCELED;
	if (c->last)
		give_slot(r, index);
	else if (s->op->kind == OP_RECV && c->drained)
		ring_suspect(l, index);
	return true;
}

static void ring_submit_and_wait(struct loop *l, int64_t timeout)
{
	struct ring *r = l->state;
	struct __kernel_timespec ts = { .tv_sec = timeout / CLOCK_SECOND,
		.tv_nsec = timeout % CLOCK_SECOND };
	struct io_uring_cqe *cqe;

	count(l->counters, enters);
	if (timeout == 0)
		io_uring_submit_and_get_events(&r->uring);
	else if (timeout == INT64_MAX)
		io_uring_submit_and_wait(&r->uring, 1);
	else
		io_uring_submit_and_wait_timeout(&r->uring, &cqe, 1, &ts, NULL);
}

static bool ring_is_behind(const struct loop *l)
{
	const struct ring *r = l->state;

	return io_uring_cq_ready(&r->uring) > 0;
}

static int ring_wait(struct loop *l, int64_t timeout)
{
	struct ring *r = l->state;
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	int n = 0;

	feed(l);
	/* What an earlier turn left is served before anything is waited for. */
	if (io_uring_cq_ready(&r->uring) > 0)
		timeout = 0;
	ring_submit_and_wait(l, timeout);
	if (io_uring_cq_has_overflow(&r->uring))
		count(l->counters, cq_overflows);
	io_uring_for_each_cqe(&r->uring, head, cqe)
	{
		if (n == LOOP_BATCH)
			break;
		seen++;
		if (collect(l, cqe, &l->batch[n]))
			n++;
	}
	io_uring_cq_advance(&r->uring, seen);
	r->last = seen;
	return n;
}

const struct backend backend_ring = {
	.name = "io_uring",
	.create = ring_create,
	.destroy = ring_destroy,
	.enter = ring_enter,
	.start = ring_start,
	.cancel = ring_cancel,
	.move = ring_move,
	.wait = ring_wait,
	.is_behind = ring_is_behind,
};
