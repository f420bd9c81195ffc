/* SPDX-License-Identifier: Apache-2.0 */

/* How visitors come in, and how many may. */

#include <unistd.h>

#include "common/base/log.h"
#include "common/relay/raw_stream.h"
#include "server/listener.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

struct visitor *visitor_open(struct worker *w, struct stream *s)
{
	struct visitor *v = s ? pool_take(w->pools.visitors) : NULL;

	if (!v) {
		stream_close(&s, true);
		return NULL;
	}
	v->worker = w;
	v->stream = s;
	list_append(&w->visitors, &v->link);
	return v;
}

/* Within the quota, which was asked. */
static struct visitor *admit(struct worker *w, bool room, struct stream *s)
{
	struct visitor *v = NULL;

	count(&w->core.counters, visitors);
	if (room)
		v = visitor_open(w, s);
	if (v)
		return v;
	if (room)
		quota_give(&w->server->visitors);
	count(&w->core.counters, visitors_refused);
	return NULL;
}

struct visitor *visitor_new(struct worker *w, struct listener *l, int fd)
{
	bool room = quota_take(&w->server->visitors);
	struct stream *s = NULL;
	struct visitor *v;

	if (room)
		s = raw_stream_open(w->pools.streams, worker_loop(w), fd);
	else
		close(fd);
	v = admit(w, room, s);
	if (v) {
		address_of_peer(&v->peer, fd);
		return v;
	}
	if (l->state == LISTENER_ACCEPTING)
		log_warn("limits.visitors is reached: port %u pauses", l->port);
	listener_pause(l);
	return NULL;
}

struct visitor *visitor_adopt(
	struct worker *w, struct stream *s, const struct address *peer)
{
	bool room = quota_take(&w->server->visitors);
	struct visitor *v;

	if (!room)
		stream_close(&s, true);
	v = admit(w, room, s);
	if (v)
		v->peer = *peer;
	return v;
}

bool visitor_may_come(
	struct worker *w, const struct route *r, struct user_load **load_r)
{
	const struct user *u = users_find_by_proxy(w->users, route_name(r));

	*load_r = NULL;
	if (!u)
		return true;
	if (user_take_visitor(u, worker_loop(w)->now)) {
		*load_r = user_load_hold(u->load);
		return true;
	}
	count(&w->core.counters, visitors_over_limit);
	return false;
}

void visitor_load_give(struct user_load **load)
{
	if (*load)
		user_load_give_visitor(*load);
	user_load_drop(load);
}

bool visitor_is_https(const struct visitor *v)
{
	const struct settings *s = v->worker->settings;

	return !v->http && address_port(&v->self) == s->vhost_https_port;
}

void visitor_enter(struct visitor *v, struct route *r)
{
	if (visitor_may_come(v->worker, r, &v->load))
		visitor_route(v, r);
	else
		visitor_close(v, REASON_limit);
}

void visitor_accept_tcp(struct listener *l, struct route *r, int fd)
{
	struct user_load *load;
	struct visitor *v;

	if (!visitor_may_come(l->worker, r, &load)) {
		close(fd);
		return;
	}
	v = visitor_new(l->worker, l, fd);
	if (!v) {
		visitor_load_give(&load);
		return;
	}
	v->load = load;
	address_of_self(&v->self, fd);
	visitor_route(v, r);
}
