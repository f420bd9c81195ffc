/* SPDX-License-Identifier: Apache-2.0 */

#include "server/listener.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/socket.h"
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

/* accept(2): which failures are a shortage that time may cure. */
static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* The accept has ended by itself. */
static void accept_failed(struct listener *l, int error)
{
	struct loop *loop = worker_loop(l->worker);

	if (is_shortage(error)) {
		if (l->state == LISTENER_ACCEPTING)
			log_warn("accepting on port %u pauses: %s", l->port,
				strerror(error));
		listener_pause(l);
		return;
	}
	if (error != 0)
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

int listener_open(struct listener **l_r, struct worker *w, int fd, void *owner,
	void (*accepted)(struct listener *l, int fd))
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
	l->state = LISTENER_ACCEPTING;
	socket_tune(fd, w->settings->tcp_keepalive_s);
	op_accept(worker_loop(w), &l->accept, fd, listener_accepted);
	*l_r = l;
	return 0;
}

void listener_close(struct listener **lp)
{
	struct listener *l = *lp;
	struct loop *loop;

	if (!l)
		return;
	*lp = NULL;
	loop = worker_loop(l->worker);
	listener_set_state(l, LISTENER_CLOSING);
	loop_cancel_timer(loop, &l->resume);
	/* Ends the listening at once, whatever is still in flight. */
	shutdown(l->fd, SHUT_RDWR);
	op_cancel(loop, &l->accept);
	listener_join(l);
}
