/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/account.h"

#include <stdlib.h>
#include <time.h>

#include "common/http/access_record.h"
#include "common/http/request_id.h"
#include "server/http/access_log.h"
#include "server/worker.h"

void account_begin(struct account *a, const struct worker *w)
{
	a->since = worker_loop(w)->now;
	a->id = 0;
}

void account_note(struct account *a, struct worker *w,
	const struct head_found *f, const struct route *r)
{
	if (w->access)
		a->record = access_record_new(
			f->head, f->data, r ? route_name(r) : NULL);
}

uint64_t account_id(struct account *a, struct worker *w)
{
	if (!a->id)
		a->id = request_id_next(&w->request_ids);
	return a->id;
}

static int64_t wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}

/* The loop that it has moved to may have looked at the clock before. */
static int64_t since(const struct account *a, int64_t moment)
{
	return moment > a->since ? moment - a->since : 0;
}

static bool write_line(struct account *a, struct worker *w,
	const struct address *visitor, const struct outcome *o, enum reason why)
{
	struct access_record *r = a->record;

	if (!r)
		r = a->record = access_record_new(NULL, NULL, NULL);
	if (!r)
		return false;
	r->total = since(a, worker_loop(w)->now);
	r->time = wall_clock() - r->total;
	r->first = o->first ? since(a, o->first) : -1;
	r->in = o->in;
	r->out = o->out;
	r->id = account_id(a, w);
	r->visitor = *visitor;
	r->status = o->status;
	r->reason = (uint8_t)why;
	return access_ring_put(w->access, r);
}

void account_close(struct account *a, struct worker *w,
	const struct address *visitor, const struct outcome *o, enum reason why)
{
	if (a->since && w->access && !write_line(a, w, visitor, o, why))
		count(&w->core.counters, access_dropped);
	account_discard(a);
}

void account_discard(struct account *a)
{
	free(a->record);
	*a = (struct account){ 0 };
}
