/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/arrival.h"

#include "common/base/log.h"
#include "server/listener.h"
#include "server/worker.h"

static void deliver_look(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);

	(void)letter;
	/* Unless the next one takes over already. */
	if (worker_holds(w))
		return;
	listener_release(w->http_port, 0);
	listener_release(w->https_port, 0);
	worker_let_in(w);
}

static struct arrival *arrival_of(struct worker *w)
{
	return &w->server->arrival;
}

static struct worker *first_of(struct arrival *a)
{
	return container_of(a, struct server, arrival)->workers[0];
}

/* Who waits looks whether it has to, on all workers. */
static void tell_all(struct arrival *a)
{
	struct worker *w = first_of(a);

	for (uint32_t i = 0; i < w->server->worker_count; i++)
		worker_post(
			w, i, letter_new(sizeof(struct letter)), deliver_look);
	host_wake(&w->server->host);
}

static void look_again(struct timer *t)
{
	tell_all(container_of(t, struct arrival, look));
}

static void set_state(struct arrival *a, enum arrival_state state)
{
	atomic_store(&a->state, state);
	tell_all(a);
}

/* What nobody has come back for is nobody's: who knocks there hears so. */
static void give_up(struct timer *t)
{
	struct arrival *a = container_of(t, struct arrival, timer);
	struct server *s = container_of(a, struct server, arrival);
	size_t n = inherited_close_rest(&s->inherited);

	if (n > 0)
		log_info("upgrade: %zu listening sockets are closed, as their "
			 "proxies have not come back",
			n);
	awaited_clear(&a->awaited);
	if (!arrival_is_over(a))
		set_state(a, ARRIVAL_OVER);
}

static void give_up_later(struct arrival *a)
{
	loop_set_timer(
		worker_loop(first_of(a)), &a->timer, ARRIVAL_LATE, give_up);
}

static void late(struct timer *t)
{
	struct arrival *a = container_of(t, struct arrival, timer);

	log_warn("upgrade: %zu proxies have not come back yet",
		awaited_count(&a->awaited));
	set_state(a, ARRIVAL_LATE_ONES);
	give_up_later(a);
}

void arrival_init(struct server *s)
{
	bool any = awaited_count(&s->arrival.awaited) > 0;

	atomic_store(&s->arrival.state, any ? ARRIVAL_ALL : ARRIVAL_OVER);
}

void arrival_start(struct worker *w)
{
	struct arrival *a = arrival_of(w);

	if (arrival_holds(a))
		loop_set_timer(
			worker_loop(w), &a->timer, ARRIVAL_PATIENCE, late);
	else if (w->server->inherited.n > 0)
		give_up_later(a);
}

/* They have been told so. */
static void all_there(struct timer *t)
{
	set_state(container_of(t, struct arrival, look), ARRIVAL_OVER);
}

void arrival_note(struct worker *w, const char *name, int64_t settles)
{
	struct arrival *a = arrival_of(w);

	if (!awaited_drop(&a->awaited, name))
		return;
	if (a->settles < settles)
		a->settles = settles;
	if (awaited_count(&a->awaited) == 0) {
		log_info("upgrade: all proxies are back");
		give_up_later(a);
		loop_set_timer(worker_loop(w), &a->look, a->settles, all_there);
	} else if (!arrival_holds(a)) {
		int64_t delay =
			settles > ARRIVAL_LOOKS ? settles : ARRIVAL_LOOKS;

		/* Later, if it is set: this one has to settle, too. */
		loop_set_timer(worker_loop(w), &a->look, delay, look_again);
	}
}

void arrival_stop(struct worker *w)
{
	loop_cancel_timer(worker_loop(w), &arrival_of(w)->timer);
	loop_cancel_timer(worker_loop(w), &arrival_of(w)->look);
}
