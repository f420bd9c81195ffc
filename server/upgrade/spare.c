/* SPDX-License-Identifier: Apache-2.0 */

#include "server/upgrade/spare.h"

#include <unistd.h>

#include "server/listener.h"
#include "server/worker.h"

struct spare_letter {
	struct letter letter;
	int fd; /* owned */
};

/* Of which port a listener is looked for. */
struct search {
	uint16_t port;
	struct listener *found;
};

static void discard(struct letter *letter)
{
	close(((struct spare_letter *)letter)->fd);
}

static void look(struct search *s, struct listener *l)
{
	if (l && l->port == s->port)
		s->found = l;
}

static void look_at_route(struct route *r, void *arg)
{
	look(arg, r->listener);
}

static void deliver(struct mailbox *m, struct letter *letter)
{
	struct worker *w = worker_of_mailbox(m);
	struct spare_letter *l = (struct spare_letter *)letter;
	struct search s = { 0 };
	struct address at;

	address_of_self(&at, l->fd);
	s.port = address_port(&at);
	look(&s, w->control_port);
	look(&s, w->http_port);
	look(&s, w->https_port);
	directory_each(&w->directory, look_at_route, &s);
	if (s.found)
		listener_add(s.found, l->fd);
	else
		close(l->fd);
}

void spare_send(struct server *s, const struct address *a)
{
	uint32_t turn = 0;
	int fd;

	while ((fd = inherited_spare(&s->inherited, a)) >= 0) {
		struct spare_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard;
		l->fd = fd;
		mailbox_post(
			&s->workers[turn++ % s->worker_count]->core.mailbox,
			&l->letter, deliver);
	}
}

void spare_send_port(struct server *s, uint16_t port)
{
	struct address a;

	if (address_parse(&a, s->first->proxy_bind_addr, port) == 0)
		spare_send(s, &a);
}
