/* SPDX-License-Identifier: Apache-2.0 */

#include "server/listener.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/socket.h"
#include "server/upgrade/inherited.h"
#include "server/worker.h"

static void listener_accepted(struct op *op, int result);

static void listener_set_state(struct listener *l, enum listener_state state)
{
	assert(l->state != LISTENER_CLOSING);
	l->state = state;
}

static void listener_join(struct listener *l)
{
	if (op_in_flight(&l->accept))
		return;
	/* Epoll would go on to tell of what is open elsewhere. */
	if (l->kept)
		loop_forget(worker_loop(l->worker), l->fd);
	loop_close(worker_loop(l->worker), l->fd);
	pool_give(l->worker->pools.listeners, l);
}

static void listener_resume(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, resume);
	struct loop *loop = worker_loop(l->worker);

	if (op_in_flight(&l->accept)) {
		loop_set_timer(loop, &l->resume, CLOCK_MS, listener_resume);
		return;
	}
	listener_set_state(l, LISTENER_ACCEPTING);
	op_accept(loop, &l->accept, l->fd, listener_accepted);
}

void listener_pause(struct listener *l)
{
	struct loop *loop = worker_loop(l->worker);

	if (l->state != LISTENER_ACCEPTING)
		return;
	count(loop->counters, accept_pauses);
	listener_set_state(l, LISTENER_PAUSED);
	op_cancel(loop, &l->accept);
	loop_set_timer(loop, &l->resume, LISTENER_PAUSE, listener_resume);
}

/* The accept has ended by itself. */
static void accept_failed(struct listener *l, int error)
{
	struct loop *loop = worker_loop(l->worker);

	if (socket_is_shortage(error)) {
		if (l->state == LISTENER_ACCEPTING)
			log_warn("accepting on port %u pauses: %s", l->port,
				strerror(error));
		listener_pause(l);
		return;
	}
	if (error != 0 && error != ECANCELED)
		count(loop->counters, accept_errors);
	if (l->state == LISTENER_ACCEPTING)
		op_accept(loop, &l->accept, l->fd, listener_accepted);
}

static void listener_accepted(struct op *op, int result)
{
	struct listener *l = container_of(op, struct listener, accept);
	struct worker *w = l->worker;

	if (l->state == LISTENER_CLOSING) {
		if (result >= 0)
			close(result);
		listener_join(l);
		return;
	}
	if (result >= 0) {
		count(&w->core.counters, accepts);
		l->accepted(l, result);
	}
	if (!op_in_flight(op) && l->state != LISTENER_CLOSING)
		accept_failed(l, result < 0 ? -result : 0);
}

static bool is_lent(const struct listener *l)
{
	return inherited_is_lent(&l->worker->server->inherited, l->fd);
}

int listener_open(struct listener **l_r, struct worker *w, int fd, void *owner,
	void (*accepted)(struct listener *l, int fd), bool held)
{
	struct listener *l = pool_take(w->pools.listeners);
	struct address bound;

	if (!l) {
		close(fd);
		return -ENOBUFS;
	}
	address_of_self(&bound, fd);
	l->worker = w;
	l->accepted = accepted;
	l->owner = owner;
	l->fd = fd;
	l->port = address_port(&bound);
	l->kept = is_lent(l);
	l->state = held ? LISTENER_HELD : LISTENER_ACCEPTING;
	socket_tune(fd, w->settings->tcp_keepalive_s);
	if (!held)
		op_accept(worker_loop(w), &l->accept, fd, listener_accepted);
	*l_r = l;
	return 0;
}

/* A port that cannot be published is worse than one backlog that is lost. */
static bool has_room_for_spare(const struct pool *p)
{
	return pool_used(p) < pool_limit(p) / LISTENERS_A_PORT *
				      (LISTENERS_A_PORT - LISTENERS_KEPT);
}

void listener_add(struct listener *l, int fd)
{
	struct listener *spare;

	if (!has_room_for_spare(l->worker->pools.listeners)) {
		close(fd);
		return;
	}
	if (listener_open(&spare, l->worker, fd, l->owner, l->accepted,
		    l->state == LISTENER_HELD) < 0)
		return;
	spare->spare = l->spare;
	l->spare = spare;
}

void listener_hold(struct listener *l)
{
	for (; l; l = l->spare) {
		listener_set_state(l, LISTENER_HELD);
		loop_cancel_timer(worker_loop(l->worker), &l->resume);
		op_cancel(worker_loop(l->worker), &l->accept);
	}
}

void listener_release(struct listener *l, int64_t delay)
{
	for (; l; l = l->spare) {
		if (l->state != LISTENER_HELD)
			continue;
		listener_set_state(l, LISTENER_PAUSED);
		loop_set_timer(worker_loop(l->worker), &l->resume, delay,
			listener_resume);
	}
}

bool listener_is_still(const struct listener *l)
{
	for (; l; l = l->spare)
		if (op_in_flight(&l->accept))
			return false;
	return true;
}

void listener_keep(struct listener *l, bool kept)
{
	for (; l; l = l->spare)
		l->kept = kept || is_lent(l);
}

size_t listener_fds(const struct listener *l, int *fds, size_t most)
{
	size_t n = 0;

	for (; l && n < most; l = l->spare)
		fds[n++] = l->fd;
	return n;
}

void listener_close(struct listener **lp)
{
	struct listener *l = *lp, *spare;

	*lp = NULL;
	for (; l; l = spare) {
		struct loop *loop = worker_loop(l->worker);

		spare = l->spare;
		listener_set_state(l, LISTENER_CLOSING);
		loop_cancel_timer(loop, &l->resume);
		/* Ends the listening at once, whatever is in flight. */
		if (!l->kept)
			shutdown(l->fd, SHUT_RDWR);
		op_cancel(loop, &l->accept);
		listener_join(l);
	}
}
