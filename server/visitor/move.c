/* SPDX-License-Identifier: Apache-2.0 */

#include "server/visitor/move.h"

#include <unistd.h>

#include "common/relay/raw_stream.h"
#include "server/http/http_visitor.h"
#include "server/visitor/visitor.h"
#include "server/control/work.h"
#include "server/worker.h"

struct move_letter {
	struct letter letter;
	struct handle entry, work;
	struct address peer, self;
	struct http_visit *http;   /* owned; NULL: tcp, https */
	struct user_load *load;    /* held; or NULL */
	struct chunk_queue unread; /* owned, none of a pool */
	struct raw_rest socket;    /* owned */
};

static void discard_move(struct letter *letter)
{
	struct move_letter *l = (struct move_letter *)letter;

	http_visit_free(&l->http);
	visitor_load_give(&l->load);
	chunk_queue_clear(&l->unread);
	close(l->socket.fd);
}

/* It goes on here, and takes its work connection. */
static void deliver_move(struct mailbox *m, struct letter *letter)
{
	struct move_letter *l = (struct move_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct route *r = directory_find(&w->directory, l->entry);
	struct work *k = pool_find(w->pools.works, l->work);
	struct stream *s =
		raw_stream_wake(w->pools.streams, worker_loop(w), &l->socket);
	struct visitor *v = visitor_open(w, s);
	struct sealing sealing;

	if (!s)
		close(l->socket.fd);
	if (!v) {
		/* Nobody is left to tell what has become of its request. */
		if (l->http && w->access)
			count(&w->core.counters, access_dropped);
		http_visit_free(&l->http);
		chunk_queue_clear(&l->unread);
		visitor_load_give(&l->load);
		quota_give(&w->server->visitors);
		worker_visitor_gone(w);
		return;
	}
	count(&w->core.counters, visitors_moved);
	v->peer = l->peer;
	v->self = l->self;
	v->load = l->load;
	http_visit_give(l->http, v);
	stream_unread_all(v->stream, &l->unread);
	s = k ? work_take(k, &sealing) : NULL;
	visitor_go_on(v, r, s, &sealing);
	start_key_wipe(&sealing.key);
}

/* What is unread, in chunks that no worker's pool waits for. */
static bool take_unread(struct stream *s, struct chunk_queue *q)
{
	struct chunk_queue all;
	struct chunk *c;

	stream_take_all(s, &all);
	while ((c = chunk_queue_pop(&all))) {
		struct chunk *copy =
			chunk_copy(chunk_bytes(c), chunk_length(c));

		chunk_give(c);
		if (!copy) {
			chunk_queue_clear(&all);
			chunk_queue_clear(q);
			return false;
		}
		chunk_queue_push(q, copy);
	}
	return true;
}

bool move_visitor(struct visitor *v, struct ref work)
{
	struct worker *w = v->worker;
	struct route *r;
	struct chunk_queue unread = { 0 };
	struct move_letter *l;

	if (!take_unread(v->stream, &unread))
		return false;
	l = letter_new(sizeof(*l));

	l->letter.discard = discard_move;
	l->entry = v->route->entry;
	l->work = work.handle;
	l->peer = v->peer;
	l->self = v->self;
	l->load = v->load;
	l->http = http_visit_take(v);
	l->unread = unread;
	raw_stream_rest(&v->stream, &l->socket, NULL);
	loop_cancel_timer(worker_loop(w), &v->timer);
	r = visitor_leave(v);
	route_drop(&r);
	worker_post(w, work.worker, &l->letter, deliver_move);
	return true;
}

static void go_home(struct visitor *v)
{
	struct ref home = { .worker = v->route->claim->control.worker };

	if (!move_visitor(v, home))
		visitor_fail(v, REASON_no_memory, true);
}

static void stilled(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	(void)c;
	(void)result;
	/* Something else has become of it. */
	if (v->state != VISITOR_ASKING || !v->route->claim->bound)
		return;
	if (v->stream->read_end < 0) {
		count(&v->worker->core.counters, visitors_gone);
		visitor_close(v, REASON_visitor_gone);
		return;
	}
	go_home(v);
}

void move_visitor_home(struct visitor *v)
{
	v->reader.received = stilled;
	if (raw_stream_still(v->stream, &v->reader))
		go_home(v);
}
