/* SPDX-License-Identifier: Apache-2.0 */

/* Pools, start, drain and end of the one object that holds all others. */

#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/crypto/random.h"
#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"
#include "server/http/access_log.h"
#include "server/control/control.h"
#include "server/link/greeting.h"
#include "server/http/http_visitor.h"
#include "server/visitor/https_visitor.h"
#include "server/listener.h"
#include "server/upgrade/adoption.h"
#include "server/visitor/parked.h"
#include "server/control/proxy.h"
#include "server/link/session.h"
#include "server/visitor/visitor.h"
#include "server/control/work.h"

/* Of a worker, streams of sessions included; above half of them bindPort
 * pauses. */
#define GREETINGS 5120

static const struct core_ops worker_ops;

static struct worker *worker_of(struct core *c)
{
	return container_of(c, struct worker, core);
}

struct worker *worker_of_mailbox(struct mailbox *m)
{
	return worker_of(container_of(m, struct core, mailbox));
}

void worker_post(struct worker *w, uint32_t to, struct letter *letter,
	letter_fn *deliver)
{
	mailbox_post(&w->server->workers[to]->core.mailbox, letter, deliver);
}

static bool make_pools(struct worker *w)
{
	const struct settings *s = w->settings;
	uint32_t visitors = w->server->visitors.limit;
	uint32_t works = w->server->works.limit;
	uint32_t controls = (uint32_t)s->max_controls;
	uint32_t proxies = (uint32_t)s->max_proxies;
	uint32_t greetings = GREETINGS;

	/* Any share of the server's objects may be on this worker. */
	w->pools.streams = pool_create(sizeof(struct raw_stream),
		2 * visitors + 2 * works + controls + 2 * greetings);
	w->pools.layers = pool_create(sizeof(struct layer),
		2 * (visitors + 2 * works + controls + greetings));
	w->pools.sessions =
		pool_create(sizeof(struct session), controls + greetings);
	w->pools.mux_streams = pool_create(sizeof(struct mux_stream),
		visitors + 2 * works + controls + greetings);
	/* Proxies may all be of tcp; and there are three ports of our own. */
	w->pools.listeners = pool_create(
		sizeof(struct listener), LISTENERS_A_PORT * (proxies + 3));
	w->pools.greetings = pool_create(sizeof(struct greeting), greetings);
	/* Beside those that there may be who waits for room among them. */
	w->pools.controls =
		pool_create(sizeof(struct control), controls + greetings);
	w->pools.proxies = pool_create(sizeof(struct proxy), proxies);
	w->pools.works = pool_create(sizeof(struct work), works);
	w->pools.carriers =
		pool_create(sizeof(struct work_carrier), visitors + 2 * works);
	w->pools.offers = pool_create(sizeof(struct offer), works);
	w->pools.wishes = pool_create(sizeof(struct wish), visitors);
	w->pools.visitors = pool_create(sizeof(struct visitor), visitors);
	w->pools.parked = pool_create(sizeof(struct parked_visitor), visitors);
	w->pools.services = pool_create(sizeof(struct service), works);
	return w->pools.services && w->pools.streams && w->pools.layers &&
	       w->pools.sessions && w->pools.mux_streams &&
	       w->pools.listeners && w->pools.greetings && w->pools.controls &&
	       w->pools.proxies && w->pools.works && w->pools.carriers &&
	       w->pools.offers && w->pools.wishes && w->pools.visitors &&
	       w->pools.parked;
}

int worker_create(struct worker **w_r, struct server *s, uint32_t index)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct loop_params params = { .chunk_size = WORKER_CHUNK_SIZE,
		.chunks_soft = (uint32_t)s->settings->buffer_count,
		.pipes = (uint32_t)s->settings->pipe_count,
		.pipe_size = (uint32_t)s->settings->pipe_size };
	int rc;

	if (!w)
		return -ENOMEM;
	w->server = s;
	w->index = index;
	w->control_fd = w->http_fd = w->https_fd = -1;
	w->page = page_hold(s->page_404.page);
	w->keyring = keyring_hold(s->keys.keyring);
	w->users = users_hold(s->users.users);
	list_init(&w->sessions);
	list_init(&w->controls);
	list_init(&w->greetings);
	list_init(&w->strangers);
	list_init(&w->queue);
	list_init(&w->works);
	list_init(&w->visitors);
	farewells_init(&w->farewells);
	random_bytes(&w->request_ids, sizeof(w->request_ids));
	services_init(w);
	worker_use(w, settings_hold(s->settings));
	if (!make_pools(w)) {
		worker_destroy(&w);
		return -ENOMEM;
	}
	/* Two operations a stream, one a listener, and the mailbox's. */
	params.ops = 2 * pool_limit(w->pools.streams) +
		     pool_limit(w->pools.listeners) + 8;
	/* Even when every stream blocks, each can hold its one chunk. */
	params.chunks_hard =
		params.chunks_soft + 512 + 2 * pool_limit(w->pools.streams);
	rc = core_create(&w->core, &worker_ops, s->backend, &params);
	work_init(w);
	session_init(w);
	w->carriers.loop = w->core.loop;
	parked_init(w);
	if (rc < 0)
		worker_destroy(&w);
	else
		*w_r = w;
	return rc;
}

void worker_use(struct worker *w, struct settings *s)
{
	struct settings *before = w->settings;

	w->settings = s;
	w->requests = (struct head_limits){ (uint32_t)s->head_size,
		(uint32_t)s->head_fields };
	w->responses = (struct head_limits){ (uint32_t)s->response_head_size,
		(uint32_t)s->response_head_fields };
	w->access = *s->access_log_to
			    ? access_log_ring(w->server->access_log, w->index)
			    : NULL;
	w->muxes.ping = s->mux_keepalive_s * CLOCK_SECOND;
	if (before && before->http_reuse != s->http_reuse)
		services_scatter(w);
	settings_free(&before);
}

/* As make_pools counts them. */
size_t worker_visitor_records(void)
{
	return 2 * sizeof(struct raw_stream) + 2 * sizeof(struct layer) +
	       sizeof(struct mux_stream) + sizeof(struct work_carrier) +
	       sizeof(struct wish) + sizeof(struct visitor) +
	       sizeof(struct parked_visitor);
}

size_t worker_work_records(void)
{
	return 2 * sizeof(struct raw_stream) + 4 * sizeof(struct layer) +
	       2 * sizeof(struct mux_stream) + sizeof(struct work) +
	       2 * sizeof(struct work_carrier) + sizeof(struct offer) +
	       sizeof(struct service);
}

size_t worker_records(const struct worker *w)
{
	const struct pool *pools[] = { w->pools.streams, w->pools.layers,
		w->pools.sessions, w->pools.mux_streams, w->pools.listeners,
		w->pools.greetings, w->pools.controls, w->pools.proxies,
		w->pools.works, w->pools.carriers, w->pools.offers,
		w->pools.wishes, w->pools.visitors, w->pools.parked,
		w->pools.services };
	size_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pools); i++)
		bytes += pool_size_max(pools[i]);
	return bytes;
}

void worker_destroy(struct worker **wp)
{
	struct worker *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	if (w->control_fd >= 0)
		close(w->control_fd);
	if (w->http_fd >= 0)
		close(w->http_fd);
	if (w->https_fd >= 0)
		close(w->https_fd);
	directory_clear(&w->directory);
	settings_free(&w->settings);
	page_drop(&w->page);
	keyring_drop(&w->keyring);
	users_drop(&w->users);
	pool_destroy(&w->pools.streams);
	pool_destroy(&w->pools.layers);
	pool_destroy(&w->pools.sessions);
	pool_destroy(&w->pools.mux_streams);
	pool_destroy(&w->pools.listeners);
	pool_destroy(&w->pools.greetings);
	pool_destroy(&w->pools.controls);
	pool_destroy(&w->pools.proxies);
	pool_destroy(&w->pools.works);
	pool_destroy(&w->pools.carriers);
	pool_destroy(&w->pools.offers);
	pool_destroy(&w->pools.wishes);
	pool_destroy(&w->pools.visitors);
	pool_destroy(&w->pools.parked);
	pool_destroy(&w->pools.services);
	free(w);
}

/* Listen on the descriptor that main has opened; -1: nothing to do. */
static int start_listener(struct worker *w, struct listener **l_r, int *fd,
	void (*accepted)(struct listener *l, int fd))
{
	bool visitors = fd != &w->control_fd;
	int rc = 0;

	if (*fd >= 0)
		rc = listener_open(l_r, w, *fd, NULL, accepted,
			visitors && arrival_holds(&w->server->arrival));
	*fd = -1;
	return rc;
}

static int worker_start(struct core *core)
{
	struct worker *w = worker_of(core);
	int rc;

	if (w->index == 0)
		arrival_start(w);
	/* Where there are more, an idle work connection may have to move. */
	w->carriers.steady = w->server->worker_count == 1;
	/* Of these protocols it is always the visitor who begins. */
	if (w->http_fd >= 0)
		socket_defer(w->http_fd);
	if (w->https_fd >= 0)
		socket_defer(w->https_fd);
	rc = start_listener(
		w, &w->control_port, &w->control_fd, greeting_accept);

	if (rc == 0)
		rc = start_listener(
			w, &w->http_port, &w->http_fd, http_visitor_accept);
	if (rc == 0)
		rc = start_listener(
			w, &w->https_port, &w->https_fd, https_visitor_accept);
	return rc;
}

static uint32_t visitors(const struct worker *w)
{
	return pool_used(w->pools.visitors) + pool_used(w->pools.parked);
}

static void drain_late(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, drain_timer);

	log_warn("drainTimeout has passed: %u visitors are cut", visitors(w));
	w->core.at_once = true;
	core_stop(&w->core, 0);
}

static void close_listener(struct route *r, void *arg)
{
	(void)arg;
	listener_close(&r->listener);
}

/* The public ports close; work connections still come for who waits. */
static void worker_drain(struct core *core)
{
	struct worker *w = worker_of(core);

	if (w->index == 0)
		log_info("draining: %u visitors are being served",
			atomic_load(&w->server->visitors.used));
	listener_close(&w->http_port);
	listener_close(&w->https_port);
	directory_each(&w->directory, close_listener, NULL);
	list_each_safe (l, &w->visitors) {
		struct visitor *v = container_of(l, struct visitor, link);

		if (v->http)
			http_visitor_drain(v);
		else
			https_visitor_drain(v);
	}
	loop_set_timer(core->loop, &w->drain_timer,
		w->settings->drain_timeout_ms * CLOCK_MS, drain_late);
	atomic_fetch_add(&w->server->drained, 1);
	worker_visitor_gone(w);
}

bool worker_holds(const struct worker *w)
{
	return yielding_holds(w) || arrival_holds(&w->server->arrival);
}

bool worker_ends(const struct worker *w)
{
	return w->core.draining && !yielding_has_left(w);
}

void worker_let_in(struct worker *w)
{
	list_each_safe (l, &w->visitors) {
		struct visitor *v = container_of(l, struct visitor, link);

		if (v->http)
			http_visitor_resume(v);
		else if (visitor_is_https(v))
			https_visitor_resume(v);
		else if (v->state == VISITOR_HEAD)
			adoption_look(v);
	}
}

void worker_visitor_gone(struct worker *w)
{
	const struct server *s = w->server;

	/* Clients are still on their way to the other one. */
	if (yielding_has_left(w) && atomic_load(&s->alone) < s->worker_count)
		return;
	/* The last worker's last visitor: all workers stop with this one. */
	if (atomic_load(&s->drained) == s->worker_count &&
		atomic_load(&s->visitors.used) == 0)
		core_stop(&w->core, 0);
}

static void worker_quit(struct core *core)
{
	log_warn("stopping at once");
	core_stop(core, 0);
}

static int worker_report(struct core *core, struct core_level *levels)
{
	struct worker *w = worker_of(core);
	const struct core_level rows[] = {
		{ "streams", pool_used(w->pools.streams) },
		{ "layers", pool_used(w->pools.layers) },
		{ "sessions", pool_used(w->pools.sessions) },
		{ "mux_streams", pool_used(w->pools.mux_streams) },
		{ "listeners", pool_used(w->pools.listeners) },
		{ "greetings", pool_used(w->pools.greetings) },
		{ "controls", pool_used(w->pools.controls) },
		{ "proxies", pool_used(w->pools.proxies) },
		{ "works", pool_used(w->pools.works) },
		{ "carriers", pool_used(w->pools.carriers) },
		{ "offers", pool_used(w->pools.offers) },
		{ "wishes", pool_used(w->pools.wishes) },
		{ "visitors", pool_used(w->pools.visitors) },
		{ "parked", pool_used(w->pools.parked) },
		{ "services", pool_used(w->pools.services) },
		{ "farewells", w->farewells.count },
	};

	/* The main thread cannot count; one of us does. */
	if (w->access && w->index == 0)
		count_add(&core->counters, access_dropped,
			access_log_unwritten(w->server->access_log));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		levels[i] = rows[i];
	return ARRAY_SIZE(rows);
}

/* Everything is closed; true when nothing is left. */
static bool worker_join(struct core *core)
{
	struct worker *w = worker_of(core);
	bool gently = core->draining && !core->at_once;

	loop_cancel_timer(core->loop, &w->drain_timer);
	loop_cancel_timer(core->loop, &w->admit_timer);
	yielding_stop(w);
	seeing_off_stop(w);
	if (w->index == 0)
		arrival_stop(w);
	listener_close(&w->control_port);
	listener_close(&w->http_port);
	listener_close(&w->https_port);
	directory_each(&w->directory, close_listener, NULL);
	greetings_cut(w);
	list_each_safe (l, &w->controls)
		control_close(container_of(l, struct control, link),
			REASON_shutdown, "the server is stopping");
	list_each_safe (l, &w->works)
		work_close(container_of(l, struct work, link));
	list_each_safe (l, &w->visitors)
		visitor_close(
			container_of(l, struct visitor, link), REASON_shutdown);
	parking_cut(&w->parking);
	services_close(w);
	/* What a visitor or a service was sent last may still be on its way. */
	if (!farewells_finish(&w->farewells, gently))
		return false;
	list_each_safe (l, &w->sessions)
		session_close(container_of(l, struct session, place));
	if (!carriers_finish(&w->carriers, gently))
		return false;
	layers_cut(w->pools.layers);
	return pool_used(w->pools.streams) == 0 && visitors(w) == 0 &&
	       pool_used(w->pools.layers) == 0 &&
	       pool_used(w->pools.sessions) == 0 &&
	       pool_used(w->pools.mux_streams) == 0 &&
	       pool_used(w->pools.controls) == 0 &&
	       pool_used(w->pools.listeners) == 0;
}

static const struct core_ops worker_ops = {
	.start = worker_start,
	.drain = worker_drain,
	.quit = worker_quit,
	.report = worker_report,
	.join = worker_join,
};
