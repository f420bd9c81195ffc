/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/adoption.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/relay/raw_stream.h"
#include "server/http/http_visitor.h"
#include "server/upgrade/handover.h"
#include "server/upgrade/passing.h"
#include "server/visitor/https_visitor.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

struct adoption_letter {
	struct letter letter;
	int fd;              /* owned */
	struct chunk *bytes; /* owned; NULL: none */
	uint32_t kind;       /* enum passing_kind */
};

static void discard(struct letter *letter)
{
	struct adoption_letter *l = (struct adoption_letter *)letter;

	close(l->fd);
	chunk_give(l->bytes);
}

/* The tcp proxy of a port. */
struct search {
	uint16_t port;
	struct route *found;
};

static void look_at_route(struct route *r, void *arg)
{
	struct search *s = arg;

	if (r->port == s->port && r->port && !r->closed)
		s->found = r;
}

void adoption_look(struct visitor *v)
{
	struct worker *w = v->worker;
	struct search s = { .port = address_port(&v->self) };

	directory_each(&w->directory, look_at_route, &s);
	if (s.found)
		visitor_enter(v, s.found);
	else if (arrival_is_over(&w->server->arrival))
		visitor_close(v, REASON_proxy_closed);
}

/* Its proxy may have to come back yet. */
static void adopt_tcp(
	struct worker *w, struct stream *s, const struct address *peer)
{
	struct visitor *v = visitor_adopt(w, s, peer);

	if (!v)
		return;
	address_of_self(&v->self, stream_descriptor(s));
	if (!passing_takes(v))
		adoption_look(v);
}

static void deliver(struct mailbox *m, struct letter *letter)
{
	struct adoption_letter *l = (struct adoption_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct address peer;
	struct stream *s;

	address_of_peer(&peer, l->fd);
	s = raw_stream_open(w->pools.streams, worker_loop(w), l->fd);
	if (!s) {
		chunk_give(l->bytes);
		return;
	}
	if (l->bytes)
		stream_unread(s, l->bytes);
	count(&w->core.counters, visitors_adopted);
	if (l->kind == PASSING_HTTP)
		http_visitor_adopt(w, s, &peer);
	else if (l->kind == PASSING_HTTPS)
		https_visitor_adopt(w, s, &peer);
	else
		adopt_tcp(w, s, &peer);
}

void adoption_send(struct server *s, struct handover_message *m)
{
	static uint32_t turn;
	struct adoption_letter *l;
	struct chunk *bytes = NULL;

	if (m->size > 0)
		bytes = chunk_copy(m->bytes, (uint32_t)m->size);
	if (m->fd_count != 1 || (m->size > 0 && !bytes)) {
		handover_close_fds(m);
		chunk_give(bytes);
		return;
	}
	l = letter_new(sizeof(*l));
	l->letter.discard = discard;
	l->fd = m->fds[0];
	l->bytes = bytes;
	l->kind = m->number;
	mailbox_post(&s->workers[turn++ % s->worker_count]->core.mailbox,
		&l->letter, deliver);
}
