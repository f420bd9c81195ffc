/* SPDX-License-Identifier: Apache-2.0 */

/* What answers a question reaches who has it, and nobody else. */
// links: server/visitor/visitor_letters.c common/base/pool.c

#include "server/visitor/visitor_internal.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "server/control/matchmaker.h"
#include "server/control/work.h"
#include "server/visitor/move.h"
#include "server/worker.h"

static struct loop loop;
static struct worker worker = { .core.loop = &loop };
static struct visitor *v;
static struct work *work;

/* What has become of it all, in order, each by its letter. */
static char what[16];

static void note(char c)
{
	size_t n = strlen(what);

	cr_assert_lt(n, sizeof(what) - 1);
	what[n] = c;
}

static void expect(const char *wanted)
{
	cr_expect_str_eq(what, wanted);
	memset(what, 0, sizeof(what));
}

/* --- who would be told --- */

void *letter_new(size_t size)
{
	return calloc(1, size);
}

struct worker *worker_of_mailbox(struct mailbox *m)
{
	(void)m;
	return &worker;
}

void worker_post(struct worker *w, uint32_t to, struct letter *letter,
	letter_fn *deliver)
{
	cr_assert_eq(to, w->index);
	deliver(NULL, letter);
	free(letter);
}

void matchmaker_withdraw(
	struct worker *w, uint32_t control_worker, struct handle wish)
{
	(void)w;
	(void)control_worker;
	(void)wish;
	note('-');
}

void matchmaker_offer(
	struct worker *w, const struct offering *o, const struct redemption *r)
{
	(void)w;
	(void)r;
	cr_assert_eq(pool_find(worker.pools.works, o->work.handle), work);
	note('o');
}

struct stream *work_take(struct work *k, struct sealing *sealing_r)
{
	*sealing_r = k->sealing;
	return NULL;
}

void start_key_wipe(struct start_key *k)
{
	(void)k;
}

bool move_visitor(struct visitor *moved, struct ref to)
{
	(void)moved;
	(void)to;
	return false;
}

void move_visitor_home(struct visitor *moved)
{
	cr_assert_eq(moved, v);
	note('h');
}

void visitor_set_state(struct visitor *of, enum visitor_state state)
{
	of->state = state;
}

void visitor_watch(struct visitor *waiting)
{
	cr_assert_eq(waiting, v);
	note('w');
}

void visitor_start(struct visitor *started, struct stream *s,
	const struct sealing *sealing)
{
	(void)s;
	(void)sealing;
	cr_assert_eq(started, v);
	note('s');
}

void visitor_try_next(struct visitor *again)
{
	cr_assert_eq(again, v);
	note('n');
}

void visitor_detour(struct visitor *away, enum reason why, bool may_stay)
{
	(void)why;
	(void)may_stay;
	cr_assert_eq(away, v);
	note('d');
}

void visitor_fail(struct visitor *failed, enum reason why, bool may_stay)
{
	(void)failed;
	(void)why;
	(void)may_stay;
	note('f');
}

/* --- the answers --- */

static void begin(void)
{
	worker.pools.visitors = pool_create(sizeof(struct visitor), 2);
	worker.pools.works = pool_create(sizeof(struct work), 2);
	v = pool_take(worker.pools.visitors);
	work = pool_take(worker.pools.works);
}

static void end(void)
{
	pool_destroy(&worker.pools.visitors);
	pool_destroy(&worker.pools.works);
}

TestSuite(visitor_letters, .init = begin, .fini = end);

/* All answers that there are, to a visitor in that state. */
static void answer(struct question q, enum visitor_state state)
{
	const struct offering o = { .work = worker_ref(&worker, work) };
	const struct handle wish = { 0 };
	const struct sealing sealing = { 0 };

	v->state = (uint8_t)state;
	visitor_tell_wait(&worker, q, wish);
	v->state = (uint8_t)state;
	visitor_tell_match(&worker, q, &o);
	v->state = (uint8_t)state;
	visitor_tell_away(&worker, q, REASON_limit);
	v->state = (uint8_t)state;
	visitor_tell_ask_again(&worker, q);
	visitor_tell_home(&worker, q);
	if (visitor_waits(&worker, q))
		note('?');
	if (visitor_bring(&worker, q, NULL, &sealing))
		note('!');
}

Test(visitor_letters, table)
{
	struct question q = { worker_ref(&worker, v), 2 };

	v->question = q.number;
	answer(q, VISITOR_ASKING);
	expect("wsdnh?s!");
	/* It is in a queue already, perhaps in another one. */
	answer(q, VISITOR_WAITING);
	expect("-sdnh?s!");
	answer(q, VISITOR_RELAYING);
	expect("-o");
}

/* It has turned to another matchmaker: what comes of the first goes back. */
Test(visitor_letters, former_question)
{
	struct question q = { worker_ref(&worker, v), 1 };

	v->question = 2;
	answer(q, VISITOR_ASKING);
	expect("-o");
	answer(q, VISITOR_WAITING);
	expect("-o");
}

Test(visitor_letters, gone)
{
	struct question q = { worker_ref(&worker, v), 0 };

	pool_give(worker.pools.visitors, v);
	v = pool_take(worker.pools.visitors);
	answer(q, VISITOR_ASKING);
	expect("-o");
}
