/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The epoll backend. An operation that may have something to do is queued and
 * tried, one that found nothing waits for an event of its descriptor. Sends
 * are tried at once. A turn is one epoll_wait(2), with the tries before it,
 * of what was started, and behind it, of what it told of.
 */

#include "common/event/epoll.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "common/event/send.h"

static const struct queue nobody = { .first = NO_SLOT, .last = NO_SLOT };

static int ep_create(struct loop *l, const struct loop_params *params)
{
	struct epoll *e = calloc(1, sizeof(*e));
	int rc = -ENOMEM;

	if (!e)
		goto err0;
	e->slot_count = params->ops;
	e->slot_free = NO_SLOT;
	e->queued = e->hungry = e->paused = nobody;
	e->slots = calloc(params->ops, sizeof(*e->slots));
	if (!e->slots)
		goto err1;
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->fd < 0) {
		rc = -errno;
		goto err2;
	}
	l->state = e;
	return 0;
err2:
	free(e->slots);
err1:
	free(e);
err0:
	return rc;
}

static void ep_destroy(struct loop *l)
{
	struct epoll *e = l->state;

	loop_cancel_timer(l, &e->pause);
	close(e->fd);
	free(e->places);
	free(e->slots);
	free(e);
}

static int ep_enter(struct loop *l)
{
	(void)l;
	return 0;
}

/* --- slots and queues --- */

static void queue_push(struct epoll *e, struct queue *q, uint32_t index)
{
	e->slots[index].next = NO_SLOT;
	if (q->count++ == 0)
		q->first = index;
	else
		e->slots[q->last].next = index;
	q->last = index;
}

static uint32_t queue_pop(struct epoll *e, struct queue *q)
{
	uint32_t index = q->first;

	q->first = e->slots[index].next;
	q->count--;
	return index;
}

/* Out of the middle, for what is rare. */
static void queue_remove(struct epoll *e, struct queue *q, uint32_t index)
{
	for (uint32_t i = q->count; i > 0; i--) {
		uint32_t other = queue_pop(e, q);

		if (other != index)
			queue_push(e, q, other);
	}
}

void slot_set_state(struct epoll *e, uint32_t index, enum slot_state state)
{
	e->slots[index].state = (uint8_t)state;
	switch (state) {
	case SLOT_WAITING:
		break;
	case SLOT_QUEUED:
		queue_push(e, &e->queued, index);
		break;
	case SLOT_HUNGRY:
		queue_push(e, &e->hungry, index);
		break;
	case SLOT_PAUSED:
		queue_push(e, &e->paused, index);
		break;
	}
}

/* For the operation on the descriptor; its state is to be set. */
static uint32_t slot_take(
	struct epoll *e, struct op *op, const struct op_args *a)
{
	uint32_t index = e->slot_free;
	struct place *p;

	if (index != NO_SLOT)
		e->slot_free = e->slots[index].next;
	else if (e->slots_made < e->slot_count)
		index = e->slots_made++;
	else
		never_reached(); /* loop_params.ops is wrong */
	place_make(e, a->fd);
	p = place_of(e, a->fd);
	e->slots[index] = (struct slot){
		.op = op, .fd = a->fd, .more = a->more, .beside = p->first
	};
	p->first = index;
	op->slot = index;
	return index;
}

void slot_give(struct epoll *e, uint32_t index)
{
	struct slot *s = &e->slots[index];
	uint32_t *at = &place_of(e, s->fd)->first;

	while (*at != index)
		at = &e->slots[*at].beside;
	*at = s->beside;
	s->op->slot = NO_SLOT;
	s->op = NULL;
	s->next = e->slot_free;
	e->slot_free = index;
}

/* --- operations --- */

static void start_send(struct loop *l, struct op *op, const struct op_args *a)
{
	struct epoll *e = l->state;
	int rc = send_at_once(l, op, a);
	uint32_t index;

	if (rc == 0)
		return;
	index = slot_take(e, op, a);
	e->slots[index].data = a->data;
	e->slots[index].size = a->size;
	if (rc == -EAGAIN) {
		count(l->counters, send_waits);
		rc = place_await(e, a->fd, EPOLLOUT);
	}
	/* What cannot wait is tried again, and told of then. */
	slot_set_state(e, index, rc < 0 ? SLOT_QUEUED : SLOT_WAITING);
}

static void ep_start(struct loop *l, struct op *op, const struct op_args *a)
{
	struct epoll *e = l->state;
	uint32_t index;
	bool may;

	if (op->kind == OP_SEND) {
		start_send(l, op, a);
		return;
	}
	index = slot_take(e, op, a);
	if (op->kind == OP_POLL)
		e->slots[index].events = a->events;
	may = place_may(place_of(e, a->fd), slot_wants(&e->slots[index]));
	slot_set_state(e, index, may ? SLOT_QUEUED : SLOT_WAITING);
}

static void ep_cancel(struct loop *l, struct op *op)
{
	struct epoll *e = l->state;

	/* Its completion is in the batch already. */
	if (op->slot == NO_SLOT)
		return;
	switch ((enum slot_state)e->slots[op->slot].state) {
	case SLOT_QUEUED:
		return;
	case SLOT_WAITING:
		break;
	case SLOT_HUNGRY:
		queue_remove(e, &e->hungry, op->slot);
		break;
	case SLOT_PAUSED:
		queue_remove(e, &e->paused, op->slot);
		break;
	}
	slot_set_state(e, op->slot, SLOT_QUEUED);
}

static void ep_move(struct loop *l, const struct op *from, struct op *to)
{
	struct epoll *e = l->state;

	(void)from;
	/* Else its completion is in the batch already. */
	if (to->slot != NO_SLOT)
		e->slots[to->slot].op = to;
}

static void ep_forget(struct loop *l, int fd, bool open)
{
	place_forget(l->state, fd, open);
}

/* --- the turn --- */

static bool has_room(int n)
{
	return n + TRY_MOST <= LOOP_BATCH;
}

/* Those who lacked a buffer first, in order, while there are buffers. */
static int feed(struct loop *l, int n)
{
	struct epoll *e = l->state;

	while (e->hungry.count > 0 && has_room(n)) {
		struct chunk *k = chunk_take(l->chunks);

		if (!k)
			break;
		chunk_give(k);
		n = slot_try(l, queue_pop(e, &e->hungry), n);
	}
	return n;
}

/* Each that is queued now, once. */
static int try_all(struct loop *l, int n)
{
	struct epoll *e = l->state;

	for (uint32_t i = e->queued.count; i > 0 && has_room(n); i--)
		n = slot_try(l, queue_pop(e, &e->queued), n);
	return n;
}

/* The kernel may have memory again. */
static void pause_ends(struct timer *t)
{
	struct epoll *e = container_of(t, struct epoll, pause);

	while (e->paused.count > 0)
		slot_set_state(e, queue_pop(e, &e->paused), SLOT_QUEUED);
}

/* Who of the descriptor waits for what an event tells of. */
static int happened(struct loop *l, const struct epoll_event *ev, int n)
{
	struct epoll *e = l->state;
	struct place *p = place_of(e, (int)(uint32_t)ev->data.u64);
	uint32_t index, beside;

	if (p->generation != ev->data.u64 >> 32)
		return n;
	p->ready |= (uint16_t)ev->events;
	for (index = p->first; index != NO_SLOT; index = beside) {
		struct slot *s = &e->slots[index];
		uint32_t events = slot_wants(s) | EPOLLERR | EPOLLHUP;

		beside = s->beside;
		if (s->state == SLOT_WAITING && (ev->events & events))
			n = slot_wake(l, index, ev->events & events, n);
	}
	return n;
}

/* What epoll_wait(2) knows is whole milliseconds: rather one too long. */
static int in_ms(int64_t timeout)
{
	int64_t ms = timeout / CLOCK_MS + (timeout % CLOCK_MS > 0);

	if (timeout == INT64_MAX)
		return -1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* How many events there are now. */
static int wait_for_events(struct loop *l, int64_t timeout)
{
	struct epoll *e = l->state;
	struct timespec ts = { .tv_sec = timeout / CLOCK_SECOND,
		.tv_nsec = timeout % CLOCK_SECOND };
	int n = -1;

	count(l->counters, enters);
	if (!e->coarse) {
		n = epoll_pwait2(e->fd, e->events, EPOLL_EVENTS,
			timeout == INT64_MAX ? NULL : &ts, NULL);
		/* Linux before 5.11, or a seccomp profile of that time. */
		e->coarse = n < 0 && (errno == ENOSYS || errno == EPERM);
	}
	if (e->coarse)
		n = epoll_wait(e->fd, e->events, EPOLL_EVENTS, in_ms(timeout));
	return n;
}

static int ep_wait(struct loop *l, int64_t timeout)
{
	struct epoll *e = l->state;
	int n = try_all(l, feed(l, 0)), events;

	/* What is there already is told of before anything is waited for. */
	if (n > 0 || e->queued.count > 0)
		timeout = 0;
	events = wait_for_events(l, timeout);
	for (int i = 0; i < events; i++)
		n = happened(l, &e->events[i], n);
	n = try_all(l, n);
	/* From now on: of l->now this wait took its time. */
	if (e->paused.count > 0 && !timer_is_set(&e->pause))
		timer_set(&l->timers, &e->pause, clock_now() + SEND_PAUSE,
			pause_ends);
	return n;
}

const struct backend backend_epoll = {
	.name = "epoll",
	.create = ep_create,
	.destroy = ep_destroy,
	.enter = ep_enter,
	.start = ep_start,
	.cancel = ep_cancel,
	.move = ep_move,
	.forget = ep_forget,
	.wait = ep_wait,
};
