/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/publication.h"

#include <stdlib.h>
#include <unistd.h>

#include "server/registry/directory.h"
#include "server/listener.h"
#include "server/visitor/parked.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

struct publication {
	struct letter letter;
	struct handle entry;
	struct claim *claim; /* owned; NULL: a withdrawal */
	letter_fn *done;
	int fd; /* owned; -1: none */
	uint16_t port;
	bool failed; /* before it was sent */
	bool cut;    /* withdrawal: visitors that are being served, too */
};

static void answer(struct worker *w, const struct publication *p, bool failed)
{
	struct publication_done *d = letter_new(sizeof(*d));

	d->entry = p->entry;
	d->failed = failed;
	worker_post(w, 0, &d->letter, p->done);
}

static void discard(struct letter *letter)
{
	struct publication *p = (struct publication *)letter;

	claim_free(p->claim);
	if (p->fd >= 0)
		close(p->fd);
}

static void accept_visitor(struct listener *l, int fd)
{
	visitor_accept_tcp(l, l->owner, fd);
}

static bool serve(struct worker *w, struct publication *p)
{
	struct route *r;
	int rc = 0;

	if (p->failed || directory_add(&w->directory, p->claim, p->entry, &r)) {
		if (p->fd >= 0)
			close(p->fd);
		return false;
	}
	r->port = p->port;
	if (p->fd >= 0)
		rc = listener_open(
			&r->listener, w, p->fd, r, accept_visitor, true);
	/* A draining server is left by its visitors, and takes no new ones. */
	if (rc == 0 && w->core.draining)
		listener_close(&r->listener);
	return rc == 0;
}

static void deliver_publication(struct mailbox *m, struct letter *letter)
{
	struct publication *p = (struct publication *)letter;
	struct worker *w = worker_of_mailbox(m);

	answer(w, p, !serve(w, p));
}

static void deliver_opening(struct mailbox *m, struct letter *letter)
{
	const struct publication *p = (struct publication *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct route *r = directory_find(&w->directory, p->entry);

	if (r && !yielding_holds(w))
		listener_release(r->listener, publication_settles(r->claim));
}

/* Those whom it serves now; who is on the way here finds no route. */
static void cut_visitors(struct worker *w, struct route *r)
{
	r->revoked = true;
	list_each_safe (l, &w->visitors) {
		struct visitor *v = container_of(l, struct visitor, link);

		if (v->route == r)
			visitor_close(v, REASON_revoked);
	}
	parked_cut_revoked(w);
}

static void deliver_withdrawal(struct mailbox *m, struct letter *letter)
{
	struct publication *p = (struct publication *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct route *r = directory_find(&w->directory, p->entry);

	if (r) {
		if (p->cut)
			cut_visitors(w, r);
		listener_close(&r->listener);
		services_leave(r);
		directory_remove(&w->directory, r);
	}
	answer(w, p, false);
}

void publication_send(struct worker *w, uint32_t to, struct handle entry,
	struct claim *claim, int fd, uint16_t port, letter_fn *done)
{
	struct publication *p = letter_new(sizeof(*p));

	p->letter.discard = discard;
	p->entry = entry;
	p->claim = claim;
	p->failed = !claim;
	p->fd = fd;
	p->port = port;
	p->done = done;
	worker_post(w, to, &p->letter, deliver_publication);
}

void publication_withdraw(struct worker *w, uint32_t to, struct handle entry,
	bool cut, letter_fn *done)
{
	struct publication *p = letter_new(sizeof(*p));

	p->entry = entry;
	p->fd = -1;
	p->cut = cut;
	p->done = done;
	worker_post(w, to, &p->letter, deliver_withdrawal);
}

void publication_open(struct worker *w, struct handle entry)
{
	for (uint32_t i = 0; i < w->server->worker_count; i++) {
		struct publication *p = letter_new(sizeof(*p));

		p->entry = entry;
		p->fd = -1;
		worker_post(w, i, &p->letter, deliver_opening);
	}
}
