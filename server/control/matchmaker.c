/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/matchmaker.h"

#include <assert.h>

#include "common/base/log.h"
#include "common/wire/capability.h"
#include "server/control/control.h"
#include "server/control/proxy.h"
#include "server/link/tickets.h"
#include "server/visitor/visitor.h"
#include "server/control/work.h"
#include "server/control/work_request.h"
#include "server/worker.h"

struct wish_letter {
	struct letter letter;
	struct handle control, proxy;
	struct question question;
	bool fixed;
};

struct offer_letter {
	struct letter letter;
	struct offering offering;
	bool redeems;
	struct redemption redemption; /* if it redeems */
};

/* An offer or a wish that is no more. */
struct end_letter {
	struct letter letter;
	struct handle what;
};

/* Whether its pool follows the visitors. */
static bool is_adaptive(const struct matchmaker *m)
{
	return m->control->caps & CAPABILITY_reuse;
}

static void matchmaker_init(
	struct control *c, enum work_kind kind, uint32_t pool)
{
	const struct settings *set = c->worker->settings;
	struct matchmaker *m = &c->match[kind];

	list_init(&m->offers);
	list_init(&m->wishes);
	m->control = c;
	m->kind = (uint8_t)kind;
	m->proven = kind == WORK_LINKED;
	m->pool = m->min = pool;
	m->max = pool + MATCHMAKER_SPARE;
	if (is_adaptive(m)) {
		m->max = (uint32_t)set->work_pool_max;
		if (m->min < (uint32_t)set->work_pool_min)
			m->min = (uint32_t)set->work_pool_min;
		if (m->min > m->max)
			m->min = m->max;
		m->pool = m->min;
	}
}

void matchmakers_init(struct control *c, uint32_t pool)
{
	for (enum work_kind k = 0; k < WORK_KINDS; k++)
		matchmaker_init(c, k, pool);
}

/* The running control of a handle that came from outside, or NULL. */
static struct control *find_control(struct worker *w, struct handle h)
{
	struct control *c = pool_find(w->pools.controls, h);

	return c && c->state == CONTROL_RUNNING ? c : NULL;
}

struct loop *matchmaker_loop(const struct matchmaker *m)
{
	return worker_loop(m->control->worker);
}

/* As many idle ones as the visitors need, within transport.workPool. */
static void follow_demand(struct matchmaker *m)
{
	uint32_t idle;

	if (!is_adaptive(m))
		return;
	idle = demand_idle(&m->demand, matchmaker_loop(m)->now);
	if (idle < m->min)
		idle = m->min;
	m->pool = idle < m->max ? idle : m->max;
}

void matchmakers_request(struct control *c)
{
	for (enum work_kind k = 0; k < WORK_KINDS; k++)
		work_request_soon(&c->match[k]);
}

/* --- offers --- */

static void offer_remove(struct offer *o)
{
	struct matchmaker *m = o->match;

	list_remove(&o->link);
	assert(m->offer_count > 0);
	m->offer_count--;
	if (m->least > m->offer_count)
		m->least = m->offer_count;
	pool_give(m->control->worker->pools.offers, o);
}

/* Nobody is to have it any more. */
static void offer_drop(struct offer *o)
{
	work_tell_drop(o->match->control->worker, o->work, NULL);
	offer_remove(o);
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
	uint32_t keep = m->min;

	if (is_adaptive(m)) {
		uint32_t idle;

		follow_demand(m);
		idle = m->least > m->pool ? m->least - m->pool : 0;
		keep = m->offer_count - (idle + 1) / 2;
	}
	while (m->offer_count > keep)
		offer_drop(container_of(m->offers.next, struct offer, link));
	m->least = m->offer_count;
	if (m->offer_count > m->min)
		loop_set_timer(
			matchmaker_loop(m), t, MATCHMAKER_SURPLUS_TIME, trim);
}

static void drop_all(struct matchmaker *m)
{
	list_each_safe (l, &m->offers)
		offer_drop(container_of(l, struct offer, link));
}

bool matchmaker_has_pool(const struct matchmaker *m)
{
	return m->kind == WORK_LINKED || m->control->plain > 0;
}

void matchmaker_hold_plain(struct control *c)
{
	if (c->plain++ == 0)
		work_request_soon(&c->match[WORK_PLAIN]);
}

void matchmaker_drop_plain(struct control *c)
{
	if (--c->plain == 0)
		drop_all(&c->match[WORK_PLAIN]);
}

static void park(
	struct matchmaker *m, struct ref work, const struct start_key *start)
{
	struct worker *w = m->control->worker;
	struct offer *o = NULL;

	if (matchmaker_has_pool(m) && m->offer_count < m->max)
		o = pool_take(w->pools.offers);
	if (!o) {
		work_tell_drop(
			w, work, "work connection pool is full, discarding");
		return;
	}
	o->match = m;
	o->work = work;
	list_append(&m->offers, &o->link);
	m->offer_count++;
	work_tell_park(w, work, pool_handle(o), start);
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
	struct matchmaker *m = wish->match;

	list_remove(&wish->link);
	m->wish_count--;
	pool_give(m->control->worker->pools.wishes, wish);
}

/* Who gets this work connection; NULL: nobody. */
static struct wish *find_wish(struct matchmaker *m, struct ref work, bool armed)
{
	list_each (l, &m->wishes) {
		struct wish *wish = container_of(l, struct wish, link);

		/* One that is armed stays where it is. */
		if (!armed || wish->question.visitor.worker == work.worker)
			return wish;
	}
	return NULL;
}

/* The queue; the visitor hears of it. */
static void wait_for_work(
	struct matchmaker *m, struct proxy *p, const struct wish_letter *l)
{
	struct worker *w = m->control->worker;
	struct wish *wish = pool_take(w->pools.wishes);
	uint32_t one = 1;

	if (!wish) {
		visitor_tell_away(w, l->question, REASON_limit);
		return;
	}
	wish->match = m;
	wish->proxy = p;
	wish->question = l->question;
	wish->fixed = l->fixed;
	list_append(&m->wishes, &wish->link);
	m->wish_count++;
	count(&w->core.counters, pool_misses);
	visitor_tell_wait(w, l->question, pool_handle(wish));
	/* Always one more: an earlier request may have been lost. */
	if (!(m->control->caps & CAPABILITY_several) && !work_request(m, &one))
		return;
	work_request_soon(m);
}

static void lose_proxy(
	struct matchmaker *m, const struct proxy *p, enum reason why)
{
	list_each_safe (l, &m->wishes) {
		struct wish *wish = container_of(l, struct wish, link);

		if (wish->proxy != p)
			continue;
		visitor_tell_away(m->control->worker, wish->question, why);
		wish_remove(wish);
	}
}

void matchmaker_lose_proxy(
	struct control *c, const struct proxy *p, enum reason why)
{
	for (enum work_kind k = 0; k < WORK_KINDS; k++)
		lose_proxy(&c->match[k], p, why);
}

void matchmakers_close(struct control *c)
{
	for (enum work_kind k = 0; k < WORK_KINDS; k++) {
		struct matchmaker *m = &c->match[k];

		assert(list_empty(&m->wishes));
		work_request_expect(m, 0);
		drop_all(m);
		loop_cancel_timer(matchmaker_loop(m), &m->trim);
		loop_cancel_timer(matchmaker_loop(m), &m->ask);
	}
}

/* --- letters --- */

/*
 * Who brings the proxy's visitors their work connections: until one without
 * TLS has come, and when they come no more, those with it, as something on the
 * way may let nothing else pass.
 */
static struct matchmaker *choose(struct control *c, const struct proxy *p)
{
	struct matchmaker *m = &c->match[p->work_kind];

	if (m->proven)
		return m;
	work_request_soon(m);
	return &c->match[WORK_LINKED];
}

static void deliver_wish(struct mailbox *box, struct letter *letter)
{
	const struct wish_letter *l = (struct wish_letter *)letter;
	struct worker *w = worker_of_mailbox(box);
	struct control *c = find_control(w, l->control);
	struct proxy *p = pool_find(w->pools.proxies, l->proxy);
	struct offering match = { .armed = true };
	struct matchmaker *m;
	struct offer *o;

	if (!c || !p) {
		visitor_tell_away(w, l->question, REASON_proxy_closed);
		return;
	}
	m = choose(c, p);
	demand_arrival(&m->demand, worker_loop(w)->now);
	follow_demand(m);
	o = find_offer(m, l->question.visitor.worker, l->fixed);
	if (!o) {
		wait_for_work(m, p, l);
		return;
	}
	count(&w->core.counters, pool_hits);
	match.control = worker_ref(w, c);
	match.work = o->work;
	match.kind = m->kind;
	visitor_tell_match(w, l->question, &match);
	offer_remove(o);
	work_request_soon(m);
}

void matchmaker_wish(struct worker *w, struct ref control, struct handle proxy,
	struct question question, bool fixed)
{
	struct wish_letter *l = letter_new(sizeof(*l));

	l->control = control.handle;
	l->proxy = proxy;
	l->question = question;
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
	const char *fault = "it has none";

	if (!c->tickets || !l->offering.answer)
		return true;
	if (l->redeems)
		fault = tickets_redeem(
			c->tickets, worker_loop(w)->now, &l->redemption);
	if (!fault)
		return true;
	count(&w->core.counters, tickets_refused);
	log_warn("[%.4s] work connection refused: %s", c->run_id, fault);
	return false;
}

/* It goes to who waits for such a one, or stays where it is. */
static void place(struct matchmaker *m, const struct offering *o,
	const struct start_key *start)
{
	struct worker *w = m->control->worker;
	struct wish *wish;

	if (o->answer) {
		m->proven = true;
		demand_answered(&m->demand, worker_loop(w)->now);
		if (m->outstanding > 0)
			work_request_expect(m, m->outstanding - 1);
		/* There may have been no tickets for all of them. */
		if (m->wish_count > m->outstanding)
			work_request_soon(m);
	}
	wish = find_wish(m, o->work, o->armed);
	if (!wish) {
		park(m, o->work, start);
		return;
	}
	count(&w->core.counters, work_conns);
	work_tell_bring(w, o->work, wish->question, start);
	wish_remove(wish);
}

static void deliver_offer(struct mailbox *m, struct letter *letter)
{
	const struct offer_letter *l = (struct offer_letter *)letter;
	const struct offering *o = &l->offering;
	struct worker *w = worker_of_mailbox(m);
	struct control *c = find_control(w, o->control.handle);
	bool sealed = l->redeems && l->redemption.plain;
	struct start_key start;

	if (!c) {
		work_tell_drop(w, o->work, "the client has gone");
		return;
	}
	if (!is_admitted(c, l)) {
		work_tell_drop(w, o->work, "the work connection has no ticket");
		return;
	}
	if (sealed) {
		count(&w->core.counters, work_conns_plain);
		tickets_start_key(c->tickets, l->redemption.ticket, &start);
	}
	place(&c->match[o->kind], o, sealed ? &start : NULL);
	if (sealed)
		start_key_wipe(&start);
}

void matchmaker_offer(
	struct worker *w, const struct offering *o, const struct redemption *r)
{
	struct offer_letter *l = letter_new(sizeof(*l));

	l->offering = *o;
	l->redeems = r;
	if (r)
		l->redemption = *r;
	worker_post(w, o->control.worker, &l->letter, deliver_offer);
}

static void deliver_loss(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);
	struct offer *o =
		pool_find(w->pools.offers, ((struct end_letter *)letter)->what);
	struct matchmaker *match;

	if (!o)
		return;
	match = o->match;
	offer_remove(o);
	work_request_soon(match);
}

void matchmaker_lost(
	struct worker *w, uint32_t control_worker, struct handle offer)
{
	struct end_letter *l = letter_new(sizeof(*l));

	l->what = offer;
	worker_post(w, control_worker, &l->letter, deliver_loss);
}
