/* SPDX-License-Identifier: Apache-2.0 */

#include "server/work.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/crypto/login.h"
#include "server/control.h"
#include "server/worker.h"

void work_refuse(struct worker *w, struct stream *s, const char *error)
{
	struct message m = { .type = MESSAGE_START_WORK_CONN };
	struct chunk_queue words = { 0 };
	struct chunk *k = chunk_from_heap(1024);
	ssize_t n;

	count(&w->core.counters, work_conns_refused);
	log_debug("work connection refused: %s", error);
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

void work_arrived(struct worker *w, struct stream *s,
	const struct message_new_work_conn *m)
{
	const struct settings *set = w->settings;
	struct control *c = directory_find_control(&w->directory, m->run_id);
	char error[128];

	if (!c) {
		/* The id is cut: it came from outside and may be long. */
		snprintf(error, sizeof(error),
			"no client control found for run id [%.64s]",
			m->run_id);
		work_refuse(w, s, error);
	} else if (set->auth_new_work_conns &&
		   !login_key_verify(
			   m->privilege_key, set->auth_token, m->timestamp)) {
		work_refuse(w, s,
			"token in NewWorkConn doesn't match token from "
			"configuration");
	} else {
		control_add_work(c, s);
	}
}

/* It died, or spoke before it was asked: either way it is of no use. */
static void work_received(
	struct stream_reader *r, struct chunk *chunk, int result)
{
	struct work *k = container_of(r, struct work, reader);
	struct control *c = k->control;
	struct stream *s = work_unpark(k);

	(void)result;
	chunk_give(chunk);
	count(&c->worker->core.counters, work_conns_lost);
	stream_close(&s, true);
	control_request_work(c);
}

bool work_park(struct control *c, struct stream *s)
{
	struct work *k = pool_take(c->worker->pools.works);
	struct chunk *early;

	if (!k)
		return false;
	k->control = c;
	k->stream = s;
	k->reader.received = work_received;
	list_append(&c->parked, &k->link);
	c->parked_count++;
	/* Bytes that came with NewWorkConn are too early as well. */
	if (stream_take(s, &early) == -EAGAIN)
		stream_read(s, &k->reader);
	else
		work_received(&k->reader, early, 1);
	return true;
}

struct stream *work_unpark(struct work *k)
{
	struct control *c = k->control;
	struct stream *s = k->stream;

	list_remove(&k->link);
	assert(c->parked_count > 0);
	c->parked_count--;
	if (s->reader == &k->reader)
		stream_leave_reading(s);
	pool_give(c->worker->pools.works, k);
	return s;
}
