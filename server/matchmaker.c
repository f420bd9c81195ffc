/* SPDX-License-Identifier: Apache-2.0 */

#include "server/matchmaker.h"

#include <assert.h>

#include "common/base/log.h"
#include "common/wire/capability.h"
#include "server/control.h"
#include "server/proxy.h"
#include "server/tickets.h"
#include "server/visitor.h"
#include "server/work.h"
#include "server/worker.h"

/* Work connections asked for in one message at most. */
#define REQUEST_MAX 256

struct wish_letter {
	struct letter letter;
	struct handle control, proxy;
	struct ref visitor;
	bool fixed;
};

struct offer_letter {
	struct letter letter;
	struct ref control, work;
	bool armed, answer, redeems;
	struct redemption redemption; /* if it redeems */
};

/* An offer or a wish that is no more. */
struct end_letter {
	struct letter letter;
	struct handle what;
};

void matchmaker_init(struct control *c, uint32_t pool)
{
	const struct settings *set = c->worker->settings;
	struct matchmaker *m = &c->match;

	list_init(&m->offers);
	list_init(&m->wishes);
	m->pool = m->min = pool;
	m->max = pool + MATCHMAKER_SPARE;
	if (c->caps & CAPABILITY_reuse) {
		m->max = (uint32_t)set->work_pool_max;
		if (m->min < (uint32_t)set->work_pool_min)
			m->min = (uint32_t)set->work_pool_min;
		if (m->min > m->max)
			m->min = m->max;
		m->pool = m->min;
	}
}

/* The running control of a handle that came from outside, or NULL. */
static struct control *find_control(struct worker *w, struct handle h)
{
	struct control *c = pool_find(w->pools.controls, h);

	return c && c->state == CONTROL_RUNNING ? c : NULL;
}

/* As many idle ones as the visitors need, within transport.workPool. */
static void follow_demand(struct control *c)
{
	struct matchmaker *m = &c->match;
	uint32_t idle;

	if (!(c->caps & CAPABILITY_reuse))
		return;
	idle = demand_idle(&m->demand, worker_loop(c->worker)->now);
	if (idle < m->min)
		idle = m->min;
	m->pool = idle < m->max ? idle : m->max;
}

/* --- asking the client --- */

/* So many are still to come, as connections of their own or in its session. */
static void set_outstanding(struct control *c, uint32_t n)
{
	if (!control_is_bound(c))
		half_open_expect(&c->worker->server->half_open, c->address,
			(int32_t)(n - c->match.outstanding));
	c->match.outstanding = n;
}

/* Put as many tickets into the message, n at most; how many. */
static uint32_t put_tickets(struct control *c, uint32_t n,
	struct message_tickets *m, char texts[][TICKET_TEXT],
	const char *list[])
{
	uint8_t ticket[TICKET_SIZE];
	uint32_t i = 0;

	while (i < n && tickets_issue(c->tickets, worker_loop(c->worker)->now,
				ticket)) {
		ticket_text_write(texts[i], ticket);
		list[i] = texts[i];
		i++;
	}
	m->present = true;
	m->t.items = list;
	m->t.count = i;
	return i;
}

/*
 * Send one ReqWorkConn for up to *n_io, and for how many it was: 0 when too
 * many tickets are out. False: the control was closed.
 */
static bool request(struct control *c, uint32_t *n_io)
{
	struct message m = { .type = MESSAGE_REQ_WORK_CONN };
	char texts[REQUEST_MAX][TICKET_TEXT];
	const char *list[REQUEST_MAX];
	uint32_t n = *n_io;

	if (c->tickets)
		n = *n_io =
			put_tickets(c, n, &m.req_work_conn.adit, texts, list);
	if (n == 0)
		return true;
	m.req_work_conn.count = n > 1 ? n : 0;
	demand_asked(&c->match.demand, worker_loop(c->worker)->now,
		c->match.outstanding);
	c->match.last_request = worker_loop(c->worker)->now;
	set_outstanding(c, c->match.outstanding + n);
	count(&c->worker->core.counters, work_requests);
	return control_send(c, &m);
}

/* With one turn's wishes together: as few messages as can be. */
static void ask(struct timer *t)
{
	struct matchmaker *m = container_of(t, struct matchmaker, ask);
	struct control *c = container_of(m, struct control, match);
	uint32_t have, want, most;

	if (c->state != CONTROL_RUNNING)
		return;
	want = m->pool + m->wish_count;
	/* Requests that were lost on the client's side are made again. */
	if (worker_loop(c->worker)->now - m->last_request >
		MATCHMAKER_REQUEST_TIME)
		set_outstanding(c, m->demand.ahead = 0);
	have = m->offer_count + m->outstanding;
	most = c->caps & CAPABILITY_several ? REQUEST_MAX : 1;
	while (have < want) {
		uint32_t n = want - have < most ? want - have : most;

		if (!request(c, &n) || n == 0)
			return;
		have += n;
	}
}

void matchmaker_request(struct control *c)
{
	if (!timer_is_set(&c->match.ask))
		loop_set_timer(worker_loop(c->worker), &c->match.ask, 0, ask);
}

/* --- offers --- */

static void offer_remove(struct offer *o)
{
	struct control *c = o->control;

	list_remove(&o->link);
	assert(c->match.offer_count > 0);
	c->match.offer_count--;
	if (c->match.least > c->match.offer_count)
		c->match.least = c->match.offer_count;
	pool_give(c->worker->pools.offers, o);
}

/* The oldest offer on that worker, else the oldest of all unless `only`. */
static struct offer *find_offer(struct matchmaker *m, uint32_t on, bool only)
{
	list_each (l, &m->offers) {
		struct offer *o = container_of(l, struct offer, link);

		if (o->work.worker == on)
			return o;
	}
	if (only || list_empty(&m->offers))
		return NULL;
	return container_of(m->offers.next, struct offer, link);
}

/* A burst leaves more idle connections than are needed: let them go. */
static void trim(struct timer *t)
{
	struct matchmaker *m = container_of(t, struct matchmaker, trim);
	struct control *c = container_of(m, struct control, match);
	uint32_t keep = m->min;

	if (c->caps & CAPABILITY_reuse) {
		uint32_t idle;

		follow_demand(c);
		idle = m->least > m->pool ? m->least - m->pool : 0;
		keep = m->offer_count - (idle + 1) / 2;
	}
	while (m->offer_count > keep) {
		struct offer *o =
			container_of(m->offers.next, struct offer, link);

		work_tell_drop(c->worker, o->work, NULL);
		offer_remove(o);
	}
	m->least = m->offer_count;
	if (m->offer_count > m->min)
		loop_set_timer(worker_loop(c->worker), t,
			MATCHMAKER_SURPLUS_TIME, trim);
}

static void park(struct control *c, struct ref work)
{
	struct worker *w = c->worker;
	struct matchmaker *m = &c->match;
	struct offer *o = NULL;

	if (m->offer_count < m->max)
		o = pool_take(w->pools.offers);
	if (!o) {
		work_tell_drop(
			w, work, "work connection pool is full, discarding");
		return;
	}
	o->control = c;
	o->work = work;
	list_append(&m->offers, &o->link);
	m->offer_count++;
	work_tell_park(w, work, pool_handle(o));
	count(&w->core.counters, work_conns);
	if (m->offer_count > m->min && !timer_is_set(&m->trim)) {
		m->least = m->offer_count;
		loop_set_timer(worker_loop(w), &m->trim,
			MATCHMAKER_SURPLUS_TIME, trim);
	}
}

/* --- wishes --- */

static void wish_remove(struct wish *wish)
{
	struct control *c = wish->control;

	list_remove(&wish->link);
	c->match.wish_count--;
	pool_give(c->worker->pools.wishes, wish);
}

/* Who gets this work connection; NULL: nobody. */
static struct wish *find_wish(struct matchmaker *m, struct ref work, bool armed)
{
	list_each (l, &m->wishes) {
		struct wish *wish = container_of(l, struct wish, link);

		/* One that is armed stays where it is. */
		if (!armed || wish->visitor.worker == work.worker)
			return wish;
	}
	return NULL;
}

/* The queue; the visitor hears of it. */
static void wait_for_work(
	struct control *c, struct proxy *p, const struct wish_letter *l)
{
	struct worker *w = c->worker;
	struct wish *wish = pool_take(w->pools.wishes);
	uint32_t one = 1;

	if (!wish) {
		visitor_tell_away(w, l->visitor, REASON_limit);
		return;
	}
	wish->control = c;
	wish->proxy = p;
	wish->visitor = l->visitor;
	wish->fixed = l->fixed;
	list_append(&c->match.wishes, &wish->link);
	c->match.wish_count++;
	count(&w->core.counters, pool_misses);
	visitor_tell_wait(w, l->visitor, pool_handle(wish));
	/* Always one more: an earlier request may have been lost. */
	if (!(c->caps & CAPABILITY_several) && !request(c, &one))
		return;
	matchmaker_request(c);
}

void matchmaker_lose_proxy(
	struct control *c, const struct proxy *p, enum reason why)
{
	list_each_safe (l, &c->match.wishes) {
		struct wish *wish = container_of(l, struct wish, link);

		if (wish->proxy != p)
			continue;
		visitor_tell_away(c->worker, wish->visitor, why);
		wish_remove(wish);
	}
}

void matchmaker_close(struct control *c)
{
	assert(list_empty(&c->match.wishes));
	set_outstanding(c, 0);
	list_each_safe (l, &c->match.offers) {
		struct offer *o = container_of(l, struct offer, link);

		work_tell_drop(c->worker, o->work, NULL);
		offer_remove(o);
	}
	loop_cancel_timer(worker_loop(c->worker), &c->match.trim);
	loop_cancel_timer(worker_loop(c->worker), &c->match.ask);
}

/* --- letters --- */

static void deliver_wish(struct mailbox *m, struct letter *letter)
{
	const struct wish_letter *l = (struct wish_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct control *c = find_control(w, l->control);
	struct proxy *p = pool_find(w->pools.proxies, l->proxy);
	struct offer *o;

	if (!c || !p) {
		visitor_tell_away(w, l->visitor, REASON_proxy_closed);
		return;
	}
	demand_arrival(&c->match.demand, worker_loop(w)->now);
	follow_demand(c);
	o = find_offer(&c->match, l->visitor.worker, l->fixed);
	if (!o) {
		wait_for_work(c, p, l);
		return;
	}
	count(&w->core.counters, pool_hits);
	visitor_tell_match(w, l->visitor, o->work, worker_ref(w, c));
	offer_remove(o);
	matchmaker_request(c);
}

void matchmaker_wish(struct worker *w, struct ref control, struct handle proxy,
	struct handle visitor, bool fixed)
{
	struct wish_letter *l = letter_new(sizeof(*l));

	l->control = control.handle;
	l->proxy = proxy;
	l->visitor = (struct ref){ w->index, visitor };
	l->fixed = fixed;
	worker_post(w, control.worker, &l->letter, deliver_wish);
}

static void deliver_withdrawal(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);
	struct wish *wish =
		pool_find(w->pools.wishes, ((struct end_letter *)letter)->what);

	if (wish)
		wish_remove(wish);
}

void matchmaker_withdraw(
	struct worker *w, uint32_t control_worker, struct handle wish)
{
	struct end_letter *l = letter_new(sizeof(*l));

	l->what = wish;
	worker_post(w, control_worker, &l->letter, deliver_withdrawal);
}

/* One that has just come, to a control that gives tickets, has a good one. */
static bool is_admitted(struct control *c, const struct offer_letter *l)
{
	struct worker *w = c->worker;
	const struct redemption *r = &l->redemption;
	const char *fault = "it has none";

	if (!c->tickets || !l->answer)
		return true;
	if (l->redeems)
		fault = tickets_redeem(c->tickets, worker_loop(w)->now,
			r->ticket, r->mac, r->binding);
	if (!fault)
		return true;
	count(&w->core.counters, tickets_refused);
	log_warn("[%.4s] work connection refused: %s", c->run_id, fault);
	return false;
}

static void deliver_offer(struct mailbox *m, struct letter *letter)
{
	const struct offer_letter *l = (struct offer_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct control *c = find_control(w, l->control.handle);
	struct wish *wish;

	if (!c) {
		work_tell_drop(w, l->work, "the client has gone");
		return;
	}
	if (!is_admitted(c, l)) {
		work_tell_drop(w, l->work, "the work connection has no ticket");
		return;
	}
	if (l->answer) {
		demand_answered(&c->match.demand, worker_loop(w)->now);
		if (c->match.outstanding > 0)
			set_outstanding(c, c->match.outstanding - 1);
	}
	wish = find_wish(&c->match, l->work, l->armed);
	if (!wish) {
		park(c, l->work);
		return;
	}
	count(&w->core.counters, work_conns);
	work_tell_bring(w, l->work, wish->visitor);
	wish_remove(wish);
}

void matchmaker_offer(struct worker *w, struct ref control, struct ref work,
	bool armed, bool answer)
{
	struct offer_letter *l = letter_new(sizeof(*l));

	l->control = control;
	l->work = work;
	l->armed = armed;
	l->answer = answer;
	worker_post(w, control.worker, &l->letter, deliver_offer);
}

void matchmaker_redeem(struct worker *w, struct ref control, struct ref work,
	const struct redemption *r)
{
	struct offer_letter *l = letter_new(sizeof(*l));

	l->control = control;
	l->work = work;
	l->answer = l->redeems = true;
	l->redemption = *r;
	worker_post(w, control.worker, &l->letter, deliver_offer);
}

static void deliver_loss(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);
	struct offer *o =
		pool_find(w->pools.offers, ((struct end_letter *)letter)->what);
	struct control *c;

	if (!o)
		return;
	c = o->control;
	offer_remove(o);
	matchmaker_request(c);
}

void matchmaker_lost(
	struct worker *w, uint32_t control_worker, struct handle offer)
{
	struct end_letter *l = letter_new(sizeof(*l));

	l->what = offer;
	worker_post(w, control_worker, &l->letter, deliver_loss);
}
