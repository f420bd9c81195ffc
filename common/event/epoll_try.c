/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an operation does when something may be there for it: it asks the
 * kernel, without waiting. A buffer is taken for the length of one recv(2) and
 * kept only with bytes in it.
 */

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/event/epoll.h"
#include "common/event/send.h"

/* Connections that one listener brings at a time, so that others get on. */
#define ACCEPTS 32

uint32_t slot_wants(const struct slot *s)
{
	switch ((enum op_kind)s->op->kind) {
	case OP_ACCEPT:
	case OP_RECV:
		return EPOLLIN | EPOLLRDHUP | EPOLLPRI;
	case OP_SEND:
		return EPOLLOUT;
	case OP_POLL:
		return s->events;
	}
	never_reached();
}

/* A completion of the slot's operation; the last one frees the slot. */
static struct completion *tell(
	struct loop *l, uint32_t index, int *n, int result, bool last)
{
	struct epoll *e = l->state;
	struct completion *c = &l->batch[(*n)++];

	*c = (struct completion){
		.op = e->slots[index].op, .result = result, .last = last
	};
	if (last)
		slot_give(e, index);
	return c;
}

/* There is nothing for it now: it waits, or fails. */
static int await(struct loop *l, uint32_t index, int n)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];
	int rc = place_await(e, s->fd, slot_wants(s));

	if (rc < 0)
		tell(l, index, &n, rc, true);
	else
		slot_set_state(e, index, SLOT_WAITING);
	return n;
}

static int try_accept(struct loop *l, uint32_t index, int n)
{
	struct epoll *e = l->state;
	int fd, last = n + ACCEPTS < LOOP_BATCH ? n + ACCEPTS : LOOP_BATCH;

	while (n < last) {
		fd = accept4(e->slots[index].fd, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			return await(l, index, n);
		tell(l, index, &n, fd < 0 ? -errno : fd, fd < 0);
		if (fd < 0)
			return n;
	}
	slot_set_state(e, index, SLOT_QUEUED);
	return n;
}

/* The buffer has these bytes. Whether to try again at once. */
static bool received(
	struct loop *l, uint32_t index, int *n, struct chunk *k, uint32_t size)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];
	struct place *p = place_of(e, s->fd);
	bool drained = size < k->size, more = s->more;
	bool tells = place_tells(p, EPOLLIN);
	bool told = tells && drained && place_drained(p);
	struct completion *c = tell(l, index, n, (int)size, !more);

	k->to = size;
	c->chunk = k;
	c->drained = drained;
	if (!more)
		return false;
	if (!drained)
		/* Others have their turn first. */
		slot_set_state(e, index, SLOT_QUEUED);
	else if (told)
		slot_set_state(e, index, SLOT_WAITING);
	else if (!tells)
		*n = await(l, index, *n);
	else
		return true;
	return false;
}

static int try_recv(struct loop *l, uint32_t index, int n)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];
	int last = n + TRY_MOST, size;

	/* To ask epoll is to be told of what is there. */
	if (s->op->drained && !place_tells(place_of(e, s->fd), EPOLLIN))
		return await(l, index, n);
	while (n < last) {
		struct chunk *k = chunk_take(l->chunks);

		if (!k) {
			count(l->counters, buffer_waits);
			slot_set_state(e, index, SLOT_HUNGRY);
			return n;
		}
		size = (int)recv(s->fd, k->data, k->size, MSG_DONTWAIT);
		if (size > 0) {
			if (!received(l, index, &n, k, (uint32_t)size))
				return n;
			continue;
		}
		/* No other call may touch errno before it is looked at. */
		size = size < 0 ? -errno : 0;
		chunk_give(k);
		if (size == -EAGAIN)
			return await(l, index, n);
		tell(l, index, &n, size, true);
		return n;
	}
	slot_set_state(e, index, SLOT_QUEUED);
	return n;
}

/*
 * Whether the events are there is asked anew: whoever waits for them reads and
 * writes by himself, and epoll has told of what was there before.
 */
static int try_poll(struct loop *l, uint32_t index, int n)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];
	const struct place *p = place_of(e, s->fd);
	struct pollfd now = { .fd = s->fd, .events = (short)s->events };

	/* Unknown: to ask epoll is to be told of what is there. */
	if (!place_tells(p, s->events) || poll(&now, 1, 0) <= 0)
		return await(l, index, n);
	tell(l, index, &n, now.revents, true);
	return n;
}

static int try_send(struct loop *l, uint32_t index, int n)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];
	int rc = send_try(l, s->fd, s->data, s->size, s->more);

	if (rc != -EAGAIN) {
		tell(l, index, &n, rc, true);
		return n;
	}
	if (!s->woken) {
		count(l->counters, send_waits);
		return await(l, index, n);
	}
	/* Room was told of, and there is none: it would be so again at once. */
	count(l->counters, send_pauses);
	slot_set_state(e, index, SLOT_PAUSED);
	return n;
}

int slot_try(struct loop *l, uint32_t index, int n)
{
	const struct epoll *e = l->state;
	const struct op *op = e->slots[index].op;

	if (op->state == OP_CANCELLED) {
		tell(l, index, &n, -ECANCELED, true);
		return n;
	}
	switch ((enum op_kind)op->kind) {
	case OP_ACCEPT:
		return try_accept(l, index, n);
	case OP_RECV:
		return try_recv(l, index, n);
	case OP_SEND:
		return try_send(l, index, n);
	case OP_POLL:
		return try_poll(l, index, n);
	}
	never_reached();
}

int slot_wake(struct loop *l, uint32_t index, uint32_t events, int n)
{
	struct epoll *e = l->state;
	struct slot *s = &e->slots[index];

	if (s->op->kind == OP_POLL && n < LOOP_BATCH) {
		tell(l, index, &n, (int)events, true);
		return n;
	}
	s->woken = true;
	slot_set_state(e, index, SLOT_QUEUED);
	return n;
}
