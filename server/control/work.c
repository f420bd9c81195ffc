/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/work.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/crypto/login.h"
#include "common/crypto/tls.h"
#include "common/relay/layer.h"
#include "common/relay/stack.h"
#include "common/wire/capability.h"
#include "server/users/admission.h"
#include "server/control/control.h"
#include "server/control/matchmaker.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

struct work_letter {
	struct letter letter;
	struct handle work;
	struct handle offer;      /* park */
	uint32_t keeper;          /* park: the worker that has the offer */
	struct question question; /* bring */
	const char *error;        /* drop */
	struct sealing sealing;   /* park, bring: sealed if it is known now */
};

/* A work connection on its way to a visitor. */
struct brought_letter {
	struct letter letter;
	struct question question;
	struct ref control;
	struct stack_rest link; /* owned */
	struct sealing sealing;
	uint8_t kind;
	bool reuse;
};

static void work_set_state(struct work *k, enum work_state state)
{
	assert(state == WORK_PARKED);
	k->state = state;
}

/* Say no to a NewWorkConn: StartWorkConn with the error, then the end. */
static void refuse(struct worker *w, struct stream *s, const char *error)
{
	struct message m = { .type = MESSAGE_START_WORK_CONN };
	struct chunk_queue words = { 0 };
	struct chunk *k = chunk_from_heap(1024);
	ssize_t n;

	count(&w->core.counters, work_conns_refused);
	/* The log is not told the run id, which is in brackets. */
	log_debug("work connection refused: %.*s", (int)strcspn(error, "["),
		error);
	m.start_work_conn.error =
		w->settings->detailed_errors ? error : "invalid NewWorkConn";
	n = k ? message_encode(&m, k->data, k->size) : -ENOMEM;
	if (n > 0) {
		k->to = (uint32_t)n;
		chunk_queue_push(&words, k);
	} else {
		chunk_give(k);
	}
	farewell_begin(&w->farewells, s, &words);
}

/* Where an idle work connection comes from. */
enum work_source {
	WORK_NEW,   /* the client has just made it */
	WORK_AGAIN, /* its visitor has gone */
};

/* What it is when it is offered. */
struct work_facts {
	struct ref control;
	enum work_kind kind;
	enum work_source from;
	bool reuse;
	const struct redemption *redemption; /* it wants to be let in; NULL */
	const struct sealing *sealing;       /* NULL: not known yet */
};

/* The matchmaker is to decide about it. */
static void offer(const struct work *k, bool answer, const struct redemption *r)
{
	struct offering o = { .control = k->control,
		.work = worker_ref(k->worker, k),
		.kind = k->kind,
		.armed = k->state == WORK_PARKED,
		.answer = answer };

	matchmaker_offer(k->worker, &o, r);
}

/* It is ours to offer; the stream is taken over. */
static void work_offer(
	struct worker *w, struct stream *s, const struct work_facts *f)
{
	struct work *k = NULL;

	if (quota_take(&w->server->works)) {
		k = pool_take(w->pools.works);
		if (!k)
			quota_give(&w->server->works);
	}
	if (!k && f->reuse) {
		stream_close(&s, false);
		return;
	}
	if (!k) {
		refuse(w, s, "work connection pool is full, discarding");
		return;
	}
	k->worker = w;
	k->control = f->control;
	k->stream = s;
	k->kind = (uint8_t)f->kind;
	k->reuse = f->reuse;
	if (f->sealing)
		k->sealing = *f->sealing;
	list_append(&w->works, &k->link);
	offer(k, f->from == WORK_NEW, f->redemption);
}

/* A carrier's visitor has gone. */
static void work_again(struct carrier *c)
{
	struct work_carrier *wc = container_of(c, struct work_carrier, carrier);
	struct stream *s = &c->stream;
	struct work_facts facts = {
		.control = wc->control, .from = WORK_AGAIN, .reuse = true
	};

	if (wc->worker->core.stopping)
		stream_close(&s, false);
	else
		work_offer(wc->worker, s, &facts);
}

void work_init(struct worker *w)
{
	carriers_init(&w->carriers);
	w->carriers.pool = w->pools.carriers;
	w->carriers.starts = true;
	w->carriers.again = work_again;
}

void work_claim_carrier(struct worker *w, struct stream *s, struct ref control)
{
	struct work_carrier *wc =
		container_of(carrier_of(s), struct work_carrier, carrier);

	wc->worker = w;
	wc->control = control;
}

/* The stream, or a carrier over it; NULL: it was closed. */
static struct stream *wrap(
	struct worker *w, struct stream *s, struct ref control, bool reuse)
{
	struct carrier *c;

	if (!reuse)
		return s;
	c = carrier_open(&w->carriers, s, NULL);
	if (!c)
		return NULL;
	work_claim_carrier(w, &c->stream, control);
	return &c->stream;
}

/*
 * Whether it came the way of its control: in a session, for who has the run id
 * may be somebody else there; or on its own, as others can be brought to their
 * visitors.
 */
static bool is_of_session(
	const struct worker *w, const struct link *link, const struct claim *c)
{
	if (!c->bound)
		return !link->session.generation;
	return c->owner.worker == w->index &&
	       link_same_session(link, c->session);
}

/*
 * The ticket, with its proof, and the TLS session that it must be for, or
 * nothing of that kind: a bare connection.
 */
static bool read_redemption(struct redemption *r, struct stream *s,
	const struct link *link, const struct message_new_work_conn *m)
{
	*r = (struct redemption){ .plain = !link->secure };
	return (link->adit || (!link->secure && !layer_is(s))) &&
	       ticket_text_read(r->ticket, m->adit.t) &&
	       ticket_mac_read(r->mac, m->adit.m) &&
	       (r->plain || tls_channel_binding(
				    layer_transform(s), r->binding) == 0);
}

void work_arrived(struct worker *w, struct stream *s, const struct link *link,
	const struct message_new_work_conn *m)
{
	const struct settings *set = w->settings;
	struct route *r = directory_find_control(&w->directory, m->run_id);
	struct work_facts facts = { .from = WORK_NEW };
	struct redemption redemption;
	struct chunk *early;
	char error[128];

	if (!r) {
		/* The id is cut: it came from outside and may be long. */
		snprintf(error, sizeof(error),
			"no client control found for run id [%.64s]",
			m->run_id);
		refuse(w, s, error);
		return;
	}
	if (!is_of_session(w, link, r->claim)) {
		refuse(w, s,
			"the work connection is not of its client's session");
		return;
	}
	if (r->claim->ticketed && !read_redemption(&redemption, s, link, m)) {
		count(&w->core.counters, tickets_refused);
		refuse(w, s, "the work connection has no ticket");
		return;
	}
	if (!r->claim->ticketed && set->auth_new_work_conns &&
		!login_key_verify(m->privilege_key,
			admission_secret(set,
				users_find(w->users,
					claim_term(r->claim, TERM_RECORD))),
			m->timestamp)) {
		refuse(w, s,
			"token in NewWorkConn doesn't match token from "
			"configuration");
		return;
	}
	/* Bytes that came with NewWorkConn are too early. */
	if (stream_take(s, &early) != -EAGAIN) {
		chunk_give(early);
		count(&w->core.counters, work_conns_lost);
		stream_close(&s, true);
		return;
	}
	facts.control = r->claim->owner;
	if (r->claim->ticketed) {
		facts.redemption = &redemption;
		facts.kind = redemption.plain ? WORK_PLAIN : WORK_LINKED;
	}
	/* A plain one has one visitor: what frames it could be changed. */
	facts.reuse =
		facts.kind == WORK_LINKED && r->claim->caps & CAPABILITY_reuse;
	s = wrap(w, s, facts.control, facts.reuse);
	if (s)
		work_offer(w, s, &facts);
}

struct stream *work_take(struct work *k, struct sealing *sealing_r)
{
	struct worker *w = k->worker;
	struct stream *s = k->stream;

	*sealing_r = k->sealing;
	start_key_wipe(&k->sealing.key);
	list_remove(&k->link);
	if (s->reader == &k->reader)
		stream_leave_reading(s);
	pool_give(w->pools.works, k);
	quota_give(&w->server->works);
	return s;
}

static struct stream *take_unstarted(struct work *k)
{
	struct sealing unused;
	struct stream *s = work_take(k, &unused);

	start_key_wipe(&unused.key);
	return s;
}

void work_close(struct work *k)
{
	struct stream *s = take_unstarted(k);

	stream_close(&s, false);
}

/* It died, or spoke before it was asked: either way it is of no use. */
static void work_received(
	struct stream_reader *r, struct chunk *chunk, int result)
{
	struct work *k = container_of(r, struct work, reader);
	struct worker *w = k->worker;
	struct stream *s;

	(void)result;
	chunk_give(chunk);
	count(&w->core.counters, work_conns_lost);
	matchmaker_lost(w, k->control.worker, k->offer);
	s = take_unstarted(k);
	stream_close(&s, true);
}

/* --- letters --- */

/* What its start is sealed by is known from now on, if the letter says so. */
static void learn_sealing(struct work *k, struct work_letter *l)
{
	if (k && l->sealing.sealed)
		k->sealing = l->sealing;
	start_key_wipe(&l->sealing.key);
}

static void tell_sealing(struct work_letter *l, const struct start_key *key)
{
	l->sealing.sealed = key;
	if (key)
		l->sealing.key = *key;
}

static struct work *find(struct mailbox *m, const struct work_letter *l)
{
	return pool_find(worker_of_mailbox(m)->pools.works, l->work);
}

static void deliver_park(struct mailbox *m, struct letter *letter)
{
	struct work_letter *l = (struct work_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct work *k = find(m, l);
	struct chunk *early;
	int n;

	learn_sealing(k, l);

	if (!k) {
		/* It died since it was offered for the second time. */
		matchmaker_lost(w, l->keeper, l->offer);
		return;
	}
	k->offer = l->offer;
	if (k->state == WORK_PARKED)
		return;
	work_set_state(k, WORK_PARKED);
	k->reader.received = work_received;
	n = stream_take(k->stream, &early);
	if (n == -EAGAIN)
		stream_read(k->stream, &k->reader);
	else
		work_received(&k->reader, early, n);
}

void work_tell_park(struct worker *w, struct ref work, struct handle offer,
	const struct start_key *key)
{
	struct work_letter *l = letter_new(sizeof(*l));

	l->work = work.handle;
	l->offer = offer;
	l->keeper = w->index;
	tell_sealing(l, key);
	worker_post(w, work.worker, &l->letter, deliver_park);
}

static void discard_brought(struct letter *letter)
{
	struct brought_letter *l = (struct brought_letter *)letter;

	stack_discard(&l->link);
	start_key_wipe(&l->sealing.key);
}

static void deliver_brought(struct mailbox *m, struct letter *letter)
{
	struct brought_letter *l = (struct brought_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct stream *s = stack_wake(
		w->pools.streams, w->pools.layers, worker_loop(w), &l->link);
	struct work_facts facts = { .control = l->control,
		.kind = (enum work_kind)l->kind,
		.from = WORK_AGAIN,
		.reuse = l->reuse,
		.sealing = &l->sealing };

	count(&w->core.counters, work_conns_moved);
	if (!s)
		stack_discard(&l->link);
	s = s ? wrap(w, s, l->control, l->reuse) : NULL;
	if (s && !visitor_bring(w, l->question, s, &l->sealing))
		work_offer(w, s, &facts);
	start_key_wipe(&l->sealing.key);
}

/*
 * The work connection leaves this worker for the visitor's; false: it cannot,
 * as something came on it that nobody asked for, and is closed.
 */
static bool send_away(struct work *k, struct question q)
{
	struct worker *w = k->worker;
	struct brought_letter *b = letter_new(sizeof(*b));
	struct stream *s;

	b->letter.discard = discard_brought;
	b->control = k->control;
	b->question = q;
	b->kind = k->kind;
	b->reuse = k->reuse;
	s = work_take(k, &b->sealing);
	if (b->reuse)
		s = carrier_detach(carrier_of(s));
	if (!stack_can_move(s)) {
		stream_close(&s, true);
		start_key_wipe(&b->sealing.key);
		free(b);
		return false;
	}
	stack_rest(&s, &b->link, NULL);
	worker_post(w, q.visitor.worker, &b->letter, deliver_brought);
	return true;
}

static void deliver_bring(struct mailbox *m, struct letter *letter)
{
	struct work_letter *l = (struct work_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct work *k = find(m, l);
	struct sealing sealing;
	struct stream *s;

	learn_sealing(k, l);
	if (!k) {
		/* Only a parked one dies, offered again to one of ours. */
		visitor_tell_ask_again(w, l->question);
		return;
	}
	if (l->question.visitor.worker != w->index) {
		if (!send_away(k, l->question))
			visitor_tell_ask_again(w, l->question);
		return;
	}
	if (!visitor_waits(w, l->question)) {
		offer(k, false, NULL);
		return;
	}
	s = work_take(k, &sealing);
	if (!visitor_bring(w, l->question, s, &sealing))
		never_reached();
	start_key_wipe(&sealing.key);
}

void work_tell_bring(struct worker *w, struct ref work, struct question q,
	const struct start_key *key)
{
	struct work_letter *l = letter_new(sizeof(*l));

	l->work = work.handle;
	l->question = q;
	tell_sealing(l, key);
	worker_post(w, work.worker, &l->letter, deliver_bring);
}

static void deliver_drop(struct mailbox *m, struct letter *letter)
{
	const struct work_letter *l = (struct work_letter *)letter;
	struct work *k = find(m, l);
	struct worker *w = worker_of_mailbox(m);
	struct stream *s;
	bool reuse;

	if (!k)
		return;
	reuse = k->reuse;
	s = take_unstarted(k);
	if (l->error && !s->reading && !reuse)
		refuse(w, s, l->error);
	else
		stream_close(&s, false);
}

void work_tell_drop(struct worker *w, struct ref work, const char *error)
{
	struct work_letter *l = letter_new(sizeof(*l));

	l->work = work.handle;
	l->error = error;
	worker_post(w, work.worker, &l->letter, deliver_drop);
}
