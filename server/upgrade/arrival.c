/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/arrival.h"

#include "common/base/log.h"
#include "server/listener.h"
#include "server/worker.h"

static void deliver_opening(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);

	(void)letter;
	/* Unless the next one takes over already. */
	if (yielding_holds(w))
		return;
	listener_release(w->http_port);
	listener_release(w->https_port);
}

static struct server *server_of(struct timer *t)
{
	return container_of(
		container_of(t, struct arrival, timer), struct server, arrival);
}

/* Ports that nobody has come back for: who knocks there hears so. */
static void close_ports(struct timer *t)
{
	struct server *s = server_of(t);
	size_t n = inherited_close_rest(&s->inherited);

	if (n > 0)
		log_info("upgrade: %zu listening sockets are closed, as their "
			 "proxies have not come back",
			n);
}

static void finish(struct server *s)
{
	struct worker *w = s->workers[0];

	atomic_store(&s->arrival.waits, false);
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_post(w, i, letter_new(sizeof(struct letter)),
			deliver_opening);
	host_wake(&s->host);
	loop_set_timer(
		worker_loop(w), &s->arrival.timer, ARRIVAL_PORTS, close_ports);
}

static void late(struct timer *t)
{
	struct server *s = server_of(t);

	log_warn("upgrade: %u proxies have not come back yet",
		s->arrival.awaited);
	finish(s);
}

void arrival_init(struct server *s, uint32_t proxies)
{
	s->arrival.awaited = proxies;
	atomic_store(&s->arrival.waits, proxies > 0);
}

void arrival_start(struct worker *w)
{
	struct arrival *a = &w->server->arrival;

	if (!arrival_is_over(a))
		loop_set_timer(
			worker_loop(w), &a->timer, ARRIVAL_PATIENCE, late);
	else if (w->server->inherited.n > 0)
		loop_set_timer(
			worker_loop(w), &a->timer, ARRIVAL_PORTS, close_ports);
}

void arrival_note(struct worker *w)
{
	struct arrival *a = &w->server->arrival;

	if (arrival_is_over(a) || --a->awaited > 0)
		return;
	log_info("upgrade: all proxies are back");
	finish(w->server);
}

void arrival_stop(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &w->server->arrival.timer);
}
