/* SPDX-License-Identifier: Apache-2.0 */

/* What others tell a visitor, and bring to it. */

#include "server/visitor/visitor_internal.h"

#include "server/control/matchmaker.h"
#include "server/visitor/move.h"
#include "server/control/work.h"
#include "server/worker.h"

/* What the matchmaker tells a visitor. */
struct tell_letter {
	struct letter letter;
	struct question question;
	uint32_t keeper;      /* wait: the control's worker */
	struct handle wish;   /* wait */
	struct offering work; /* match: as it may be offered again */
	enum reason why;      /* away */
};

/* The question's visitor, if it still has that and no other one. */
static struct visitor *find_waiting(struct worker *w, struct question q)
{
	struct visitor *v = pool_find(w->pools.visitors, q.visitor.handle);
	bool waits = v && (v->state == VISITOR_ASKING ||
				  v->state == VISITOR_WAITING);

	return waits && v->question == q.number ? v : NULL;
}

/* --- what the matchmaker tells --- */

static void post_tell(struct worker *w, struct question q,
	struct tell_letter *l, letter_fn *deliver)
{
	l->question = q;
	worker_post(w, q.visitor.worker, &l->letter, deliver);
}

static void deliver_wait(struct mailbox *m, struct letter *letter)
{
	const struct tell_letter *l = (struct tell_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct visitor *v = find_waiting(w, l->question);

	if (!v || v->state != VISITOR_ASKING) {
		matchmaker_withdraw(w, l->keeper, l->wish);
		return;
	}
	v->wish = l->wish;
	v->waits_since = worker_loop(w)->now;
	visitor_set_state(v, VISITOR_WAITING);
	visitor_watch(v);
}

void visitor_tell_wait(struct worker *w, struct question q, struct handle wish)
{
	struct tell_letter *l = letter_new(sizeof(*l));

	l->keeper = w->index;
	l->wish = wish;
	post_tell(w, q, l, deliver_wait);
}

static void deliver_match(struct mailbox *m, struct letter *letter)
{
	const struct tell_letter *l = (struct tell_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct visitor *v = find_waiting(w, l->question);
	struct sealing sealing;
	struct work *k = NULL;
	struct stream *s;

	if (!v) {
		matchmaker_offer(w, &l->work, NULL);
		return;
	}
	if (l->work.work.worker != w->index) {
		if (move_visitor(v, l->work.work))
			return;
		matchmaker_offer(w, &l->work, NULL);
		visitor_fail(v, REASON_no_memory, true);
		return;
	}
	k = pool_find(w->pools.works, l->work.work.handle);
	if (!k) {
		visitor_try_next(v);
		return;
	}
	s = work_take(k, &sealing);
	visitor_start(v, s, &sealing);
	start_key_wipe(&sealing.key);
}

void visitor_tell_match(
	struct worker *w, struct question q, const struct offering *work)
{
	struct tell_letter *l = letter_new(sizeof(*l));

	l->work = *work;
	post_tell(w, q, l, deliver_match);
}

static void deliver_away(struct mailbox *m, struct letter *letter)
{
	const struct tell_letter *l = (struct tell_letter *)letter;
	struct visitor *v = find_waiting(worker_of_mailbox(m), l->question);

	if (!v)
		return;
	/* The wish is gone already. */
	visitor_set_state(v, VISITOR_ASKING);
	visitor_detour(v, l->why, true);
}

void visitor_tell_away(struct worker *w, struct question q, enum reason why)
{
	struct tell_letter *l = letter_new(sizeof(*l));

	l->why = why;
	post_tell(w, q, l, deliver_away);
}

/* --- work connections that come --- */

bool visitor_waits(struct worker *w, struct question q)
{
	return find_waiting(w, q);
}

bool visitor_bring(struct worker *w, struct question q, struct stream *work,
	const struct sealing *sealing)
{
	struct visitor *v = find_waiting(w, q);

	if (!v)
		return false;
	visitor_start(v, work, sealing);
	return true;
}

static void deliver_again(struct mailbox *m, struct letter *letter)
{
	const struct tell_letter *l = (struct tell_letter *)letter;
	struct visitor *v = find_waiting(worker_of_mailbox(m), l->question);

	if (v)
		visitor_try_next(v);
}

void visitor_tell_ask_again(struct worker *w, struct question q)
{
	post_tell(w, q, letter_new(sizeof(struct tell_letter)), deliver_again);
}

static void deliver_home(struct mailbox *m, struct letter *letter)
{
	const struct tell_letter *l = (struct tell_letter *)letter;
	struct visitor *v = find_waiting(worker_of_mailbox(m), l->question);

	if (v)
		move_visitor_home(v);
}

void visitor_tell_home(struct worker *w, struct question q)
{
	post_tell(w, q, letter_new(sizeof(struct tell_letter)), deliver_home);
}
