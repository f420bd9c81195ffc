/* SPDX-License-Identifier: Apache-2.0 */

/* Sizes, start, drain and end of the one object that holds all others. */

#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/relay/raw_stream.h"
#include "server/control.h"
#include "server/greeting.h"
#include "server/http_visitor.h"
#include "server/proxy.h"
#include "server/visitor.h"
#include "server/work.h"

/* How long start-up waits for the ports of a process that was killed. */
#define PORT_WAIT (2 * CLOCK_SECOND)

#define CHUNK_SIZE 16384
#define PAGE_404_MAX (1024 * 1024)

/* Descriptors that are neither visitors nor work connections. */
#define DESCRIPTORS_KEPT 24

/* Greetings beyond one for each work connection that may be asked for. */
#define GREETINGS 1024

static const struct core_ops worker_ops;

static struct worker *worker_of(struct core *c)
{
	return container_of(c, struct worker, core);
}

/*
 * Visitors that the descriptor limit allows: each needs one and one more for
 * its work connection.
 */
static uint32_t visitor_limit(const struct settings *s)
{
	struct rlimit r = { 0 };
	int64_t can;

	/* As many as we may have; nobody is asked for more. */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	can = r.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)r.rlim_cur;
	can = (can - DESCRIPTORS_KEPT) / 2;
	if (can >= s->max_visitors)
		return (uint32_t)s->max_visitors;
	if (can < 1)
		can = 1;
	log_warn("%lld visitors at once instead of limits.visitors = %lld: "
		 "the descriptor limit is %llu (raise ulimit -n)",
		(long long)can, (long long)s->max_visitors,
		(unsigned long long)r.rlim_cur);
	return (uint32_t)can;
}

static bool make_pools(struct worker *w, uint32_t visitors)
{
	const struct settings *s = w->settings;
	uint32_t works = (uint32_t)s->max_work_conns;
	uint32_t controls = (uint32_t)s->max_controls;
	uint32_t proxies = (uint32_t)s->max_proxies;
	uint32_t greetings = GREETINGS;

	w->pools.streams = pool_create(sizeof(struct raw_stream),
		2 * visitors + works + controls + 2 * greetings);
	w->pools.listeners = pool_create(sizeof(struct listener), proxies + 2);
	w->pools.greetings = pool_create(sizeof(struct greeting), greetings);
	w->pools.controls = pool_create(sizeof(struct control), controls);
	w->pools.proxies = pool_create(sizeof(struct proxy), proxies);
	w->pools.works = pool_create(sizeof(struct work), works);
	w->pools.visitors = pool_create(sizeof(struct visitor), visitors);
	return w->pools.streams && w->pools.listeners && w->pools.greetings &&
	       w->pools.controls && w->pools.proxies && w->pools.works &&
	       w->pools.visitors;
}

int worker_create(struct worker *w, const struct settings *s)
{
	uint32_t visitors = visitor_limit(s);
	struct loop_params params = { .chunk_size = CHUNK_SIZE,
		.chunks_soft = (uint32_t)s->buffer_count };
	int rc;

	memset(w, 0, sizeof(*w));
	w->settings = s;
	list_init(&w->controls);
	list_init(&w->greetings);
	list_init(&w->visitors);
	farewells_init(&w->farewells);
	cipher_key_derive(&w->token_key, s->auth_token);
	if (!make_pools(w, visitors)) {
		log_error("no memory for the pools");
		worker_destroy(w);
		return -ENOMEM;
	}
	/* Two operations a stream, one a listener, and the mailbox's. */
	params.ops = 2 * pool_limit(w->pools.streams) +
		     pool_limit(w->pools.listeners) + 8;
	/* Even when every stream blocks, each can hold its one chunk. */
	params.chunks_hard =
		params.chunks_soft + 512 + 2 * pool_limit(w->pools.streams);
	rc = core_create(&w->core, &worker_ops, &params);
	if (rc < 0)
		worker_destroy(w);
	return rc;
}

void worker_destroy(struct worker *w)
{
	core_destroy(&w->core);
	pool_destroy(&w->pools.streams);
	pool_destroy(&w->pools.listeners);
	pool_destroy(&w->pools.greetings);
	pool_destroy(&w->pools.controls);
	pool_destroy(&w->pools.proxies);
	pool_destroy(&w->pools.works);
	pool_destroy(&w->pools.visitors);
	directory_clear(&w->directory);
	free(w->page_404);
	explicit_bzero(&w->token_key, sizeof(w->token_key));
}

static int read_page_404(struct worker *w)
{
	const char *path = w->settings->custom_404_page;
	FILE *f;

	if (!*path)
		return 0;
	f = fopen(path, "re");
	w->page_404 = malloc(PAGE_404_MAX);
	if (!f || !w->page_404) {
		log_error("custom404Page %s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return -EINVAL;
	}
	w->page_404_size = fread(w->page_404, 1, PAGE_404_MAX, f);
	fclose(f);
	return 0;
}

/*
 * Listen, before anything is served. The kernel ends the ring of a killed
 * process some time after the process, and the ring holds its ports: a port
 * that no living process holds is waited for.
 */
static int open_listener(struct worker *w, struct listener **l_r,
	const struct address *a, void (*accepted)(struct listener *l, int fd))
{
	static const struct timespec pause = { .tv_nsec = 20 * CLOCK_MS };
	int64_t end = clock_now() + PORT_WAIT;
	char owner[128];
	int rc;

	for (;;) {
		rc = listener_open(l_r, w, a, NULL, accepted);
		if (rc != -EADDRINUSE || clock_now() > end ||
			socket_find_owner(a, owner, sizeof(owner)))
			return rc;
		nanosleep(&pause, NULL);
	}
}

static int open_port(struct worker *w, struct listener **l_r, const char *key,
	const char *ip, uint16_t port,
	void (*accepted)(struct listener *l, int fd))
{
	char owner[128], text[ADDRESS_TEXT_SIZE];
	struct address a;
	int rc = address_parse(&a, ip, port);

	if (rc == 0)
		rc = open_listener(w, l_r, &a, accepted);
	address_join(text, sizeof(text), ip, port);
	if (rc == -EADDRINUSE) {
		socket_find_owner(&a, owner, sizeof(owner));
		log_error("%s: %s is taken by %s: stop it, or choose another "
			  "port",
			key, text, owner);
	} else if (rc == -EACCES) {
		log_error("%s: %s may not be bound: ports below 1024 need "
			  "CAP_NET_BIND_SERVICE",
			key, text);
	} else if (rc < 0) {
		log_error("%s: cannot listen on %s: %s", key, text,
			strerror(-rc));
	}
	return rc;
}

static int worker_start(struct core *core)
{
	struct worker *w = worker_of(core);
	const struct settings *s = w->settings;

	if (read_page_404(w) < 0 ||
		open_port(w, &w->control_port, "bindPort", s->bind_addr,
			s->bind_port, greeting_accept) < 0)
		return -EINVAL;
	log_info("frps tcp listen on %s:%u", s->bind_addr, s->bind_port);
	if (s->vhost_http_port) {
		if (open_port(w, &w->http_port, "vhostHTTPPort",
			    s->proxy_bind_addr, s->vhost_http_port,
			    http_visitor_accept) < 0)
			return -EINVAL;
		log_info("http service listen on %s:%u", s->proxy_bind_addr,
			s->vhost_http_port);
	}
	if (!*s->auth_token)
		log_warn("auth.token is not set: anyone who reaches bindPort "
			 "may publish services");
	log_info("frps started successfully");
	return 0;
}

static void drain_late(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, drain_timer);

	log_warn("drainTimeout has passed: %u visitors are cut",
		pool_used(w->pools.visitors));
	core_stop(&w->core, 0);
}

/* The public ports close; work connections still come for who waits. */
static void worker_drain(struct core *core)
{
	struct worker *w = worker_of(core);

	log_info("draining: %u visitors are being served",
		pool_used(w->pools.visitors));
	listener_close(&w->http_port);
	list_each (l, &w->controls) {
		struct control *c = container_of(l, struct control, link);

		list_each (k, &c->proxies)
			listener_close(
				&container_of(k, struct proxy, link)->listener);
	}
	loop_set_timer(core->loop, &w->drain_timer,
		w->settings->drain_timeout_ms * CLOCK_MS, drain_late);
	worker_visitor_gone(w);
}

void worker_visitor_gone(struct worker *w)
{
	if (w->core.draining && pool_used(w->pools.visitors) == 0)
		core_stop(&w->core, 0);
}

static void worker_quit(struct core *core)
{
	log_warn("stopping at once");
	core_stop(core, 0);
}

static void worker_report(struct core *core, FILE *out)
{
	struct worker *w = worker_of(core);
	const struct {
		const char *name;
		struct pool *pool;
	} rows[] = {
		{ "streams", w->pools.streams },
		{ "listeners", w->pools.listeners },
		{ "greetings", w->pools.greetings },
		{ "controls", w->pools.controls },
		{ "proxies", w->pools.proxies },
		{ "works", w->pools.works },
		{ "visitors", w->pools.visitors },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, " pool_%s=%u", rows[i].name,
			pool_used(rows[i].pool));
	fprintf(out, " pool_farewells=%u", w->farewells.count);
}

/* Everything is closed; true when nothing is left. */
static bool worker_join(struct core *core)
{
	struct worker *w = worker_of(core);

	loop_cancel_timer(core->loop, &w->drain_timer);
	listener_close(&w->control_port);
	listener_close(&w->http_port);
	list_each_safe (l, &w->greetings)
		greeting_close(container_of(l, struct greeting, link),
			REASON_shutdown);
	list_each_safe (l, &w->controls)
		control_close(container_of(l, struct control, link),
			REASON_shutdown, "the server is stopping");
	list_each_safe (l, &w->visitors)
		visitor_close(
			container_of(l, struct visitor, link), REASON_shutdown);
	farewells_cut(&w->farewells);
	return pool_used(w->pools.streams) == 0 &&
	       pool_used(w->pools.visitors) == 0 &&
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
