/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The io_uring backend. An operation in flight has a slot; user_data is the
 * slot's index and generation, so that a late completion finds nobody. Receive
 * buffers are chunks lent to the kernel (lent.h).
 */

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/event/backend.h"
#include "common/event/lent.h"

/* Not in liburing 2.3's header on every system (io_uring_enter(2)). */
#define CQE_SOCK_NONEMPTY (1U << 2)

#define SQ_ENTRIES 1024
#define CQ_ENTRIES 8192
#define NO_SLOT UINT32_MAX

/* In user_data beside the index of a slot: the result of its cancel. */
#define CANCEL (1U << 31)

/* How far a send has come; other operations stay in SEND_TRIED. */
enum send_stage {
	SEND_TRIED,   /* send(2) is under way */
	SEND_WAITING, /* it found no room: waiting until the socket has some */
	SEND_RETRIED, /* send(2) again; without room it pauses */
	SEND_PAUSED,  /* the socket said room, send(2) said none: SEND_PAUSE */
};

/* For a kernel that is short of memory, not of room in the socket. */
static struct __kernel_timespec send_pause = { .tv_nsec = 2 * CLOCK_MS };

struct slot {
	struct op *op; /* NULL: free */
	const void *data;
	uint32_t size;
	int fd;
	uint32_t generation;
	uint32_t next; /* free stack, or queue of those that lack a buffer */
	bool more;
	uint8_t stage; /* enum send_stage */
};

struct ring {
	struct io_uring uring;
	struct slot *slots;
	uint32_t slot_count, slots_made, slot_free;
	/* Receives that found no buffer, first to last. */
	uint32_t hungry, hungry_last;
	struct lent lent;
};

static const unsigned setup_flags[] = {
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		IORING_SETUP_SUBMIT_ALL,
	IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
	0,
};

/* The ring starts disabled: whoever enables it becomes its one issuer. */
static int setup(struct io_uring *u)
{
	int rc = -EINVAL;

	for (size_t i = 0; rc == -EINVAL && i < ARRAY_SIZE(setup_flags); i++) {
		struct io_uring_params p = { .cq_entries = CQ_ENTRIES };

		p.flags = setup_flags[i] | IORING_SETUP_CQSIZE |
			  IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
		rc = io_uring_queue_init_params(SQ_ENTRIES, u, &p);
	}
	return rc;
}

static int ring_create(struct loop *l, const struct loop_params *params)
{
	struct ring *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r)
		goto err0;
	r->slot_count = params->ops;
	r->slot_free = r->hungry = NO_SLOT;
	r->slots = calloc(params->ops, sizeof(*r->slots));
	if (!r->slots)
		goto err1;
	rc = setup(&r->uring);
	if (rc < 0)
		goto err2;
	rc = lent_create(&r->lent, &r->uring);
	if (rc < 0)
		goto err3;
	l->state = r;
	return 0;
err3:
	io_uring_queue_exit(&r->uring);
err2:
	free(r->slots);
err1:
	free(r);
err0:
	return rc;
}

static void ring_destroy(struct loop *l)
{
	struct ring *r = l->state;

	/* The kernel lets go of the lent chunks first. */
	io_uring_queue_exit(&r->uring);
	lent_destroy(&r->lent);
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

static struct io_uring_sqe *take_sqe(struct loop *l)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	while (!sqe) {
		io_uring_submit(&r->uring);
		count(l->counters, ring_enters);
		sqe = io_uring_get_sqe(&r->uring);
	}
	return sqe;
}

static uint64_t user_data(const struct ring *r, uint32_t index)
{
	return (uint64_t)r->slots[index].generation << 32 | index;
}

static uint32_t take_slot(struct ring *r, struct op *op, int fd)
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
	struct io_uring_sqe *sqe = take_sqe(l);

	io_uring_prep_recv(sqe, s->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = LENT_GROUP;
	if (s->op->drained)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	if (s->more)
		sqe->ioprio |= IORING_RECV_MULTISHOT;
	sqe->user_data = user_data(r, index);
}

/*
 * MSG_DONTWAIT: left to itself, the kernel gives up polling a busy socket
 * after 128 attempts and blocks a thread of io-wq on it.
 */
static void submit_send(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct slot *s = &r->slots[index];
	struct io_uring_sqe *sqe = take_sqe(l);

	io_uring_prep_send(sqe, s->fd, s->data, s->size,
		MSG_DONTWAIT | MSG_NOSIGNAL | (s->more ? MSG_MORE : 0));
	sqe->user_data = user_data(r, index);
}

/* The next step of a send that has found no room, or may have now. */
static void continue_send(struct loop *l, uint32_t index)
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
		sqe = take_sqe(l);
		io_uring_prep_poll_add(sqe, s->fd, POLLOUT);
		break;
	case SEND_RETRIED:
		s->stage = SEND_PAUSED;
		count(l->counters, send_pauses);
		sqe = take_sqe(l);
		io_uring_prep_timeout(sqe, &send_pause, 0, 0);
		break;
	default:
		never_reached();
	}
	sqe->user_data = user_data(r, index);
}

static void ring_start(struct loop *l, struct op *op, const struct op_args *a)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe;

	op->slot = take_slot(r, op, a->fd);
	r->slots[op->slot].more = a->more;
	if (op->kind == OP_RECV) {
		submit_recv(l, op->slot);
		return;
	}
	if (op->kind == OP_SEND) {
		struct slot *s = &r->slots[op->slot];

		s->data = a->data;
		s->size = a->size;
		s->stage = SEND_TRIED;
		submit_send(l, op->slot);
		return;
	}
	sqe = take_sqe(l);
	switch ((enum op_kind)op->kind) {
	case OP_ACCEPT:
		io_uring_prep_multishot_accept(
			sqe, a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		break;
	case OP_POLL:
		io_uring_prep_poll_add(sqe, a->fd, a->events);
		break;
	case OP_RECV:
	case OP_SEND:
		break;
	}
	sqe->user_data = user_data(r, op->slot);
}

static void submit_cancel(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe = take_sqe(l);
	uint64_t target = user_data(r, index);

	io_uring_prep_cancel64(sqe, target, 0);
	sqe->user_data = target | CANCEL;
}

/* Take the slot out of the queue of those without a buffer, if it is there. */
static bool unqueue_hungry(struct ring *r, uint32_t index)
{
	uint32_t *at = &r->hungry, last = NO_SLOT;

	while (*at != NO_SLOT && *at != index) {
		last = *at;
		at = &r->slots[*at].next;
	}
	if (*at == NO_SLOT)
		return false;
	*at = r->slots[index].next;
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
		submit_cancel(l, op->slot);
		return;
	}
	/* The kernel does not know it: let a no-op bring the end. */
	sqe = take_sqe(l);
	io_uring_prep_nop(sqe);
	sqe->user_data = user_data(r, op->slot);
}

static void push_hungry(struct loop *l, uint32_t index)
{
	struct ring *r = l->state;

	count(l->counters, buffer_waits);
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
		submit_recv(l, index);
	}
}

static void finish_recv(
	struct ring *r, const struct io_uring_cqe *cqe, struct completion *c)
{
	struct op *op = c->op;

	op->drained = !(cqe->flags & CQE_SOCK_NONEMPTY);
	if (cqe->flags & IORING_CQE_F_BUFFER)
		c->chunk = lent_claim(&r->lent, cqe);
	if (c->result <= 0 && c->chunk) {
		chunk_give(c->chunk);
		c->chunk = NULL;
	}
}

/* Whether this result is a step of the send and not its end. */
static bool send_goes_on(const struct slot *s, int result)
{
	bool waits = s->stage == SEND_WAITING || s->stage == SEND_PAUSED;

	/* A poll's events, a timeout's ETIME; a failed poll ends the send. */
	return waits ? result >= 0 || result == -ETIME : result == -EAGAIN;
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
		/* It was between two attempts, where nothing finds it. */
		if (cqe->res == -ENOENT || cqe->res == -EALREADY)
			submit_cancel(l, index);
		return false;
	}
	if (cqe->res == -ENOBUFS && s->op->kind == OP_RECV &&
		s->op->state == OP_FLYING) {
		push_hungry(l, index);
		return false;
	}
	if (s->op->kind == OP_SEND && s->op->state == OP_FLYING &&
		send_goes_on(s, cqe->res)) {
		continue_send(l, index);
		return false;
	}
	c->op = s->op;
	c->result = cqe->res;
	c->chunk = NULL;
	c->last = !(cqe->flags & IORING_CQE_F_MORE);
	/* The no-op of ring_cancel, the end of the stream, or no buffer. */
	if (s->op->kind == OP_RECV && s->op->state == OP_CANCELLED &&
		(cqe->res == 0 || cqe->res == -ENOBUFS))
		c->result = -ECANCELED;
	if (s->op->kind == OP_RECV)
		finish_recv(r, cqe, c);
	if (s->op->kind == OP_SEND && cqe->res > 0 &&
		(uint32_t)cqe->res < s->size)
		count(l->counters, short_sends);
	if (s->op->kind == OP_SEND && send_goes_on(s, cqe->res))
		c->result = -ECANCELED;
	if (c->last)
		give_slot(r, index);
	return true;
}

static void ring_submit_and_wait(struct loop *l, int64_t timeout)
{
	struct ring *r = l->state;
	struct __kernel_timespec ts = { .tv_sec = timeout / CLOCK_SECOND,
		.tv_nsec = timeout % CLOCK_SECOND };
	struct io_uring_cqe *cqe;

	count(l->counters, ring_enters);
	if (timeout == 0)
		io_uring_submit_and_get_events(&r->uring);
	else if (timeout == INT64_MAX)
		io_uring_submit_and_wait(&r->uring, 1);
	else
		io_uring_submit_and_wait_timeout(&r->uring, &cqe, 1, &ts, NULL);
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
	return n;
}

static int64_t ring_now(const struct loop *l)
{
	(void)l;
	return clock_now();
}

const struct backend backend_ring = {
	.name = "io_uring",
	.create = ring_create,
	.destroy = ring_destroy,
	.enter = ring_enter,
	.start = ring_start,
	.cancel = ring_cancel,
	.wait = ring_wait,
	.now = ring_now,
};
