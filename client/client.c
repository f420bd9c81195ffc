/* SPDX-License-Identifier: Apache-2.0 */

/* Sizes, start, drain and end of one worker of adit. */

#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/crew.h"
#include "client/link.h"
#include "client/lookout.h"
#include "client/parked.h"
#include "client/work.h"
#include "common/base/log.h"
#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"

static const struct core_ops client_ops;

static struct client *client_of(struct core *c)
{
	return container_of(c, struct client, core);
}

/* Work connections are spread over all, though never quite evenly. */
static bool make_pools(struct client *c, uint32_t count)
{
	uint32_t works = crew_work_limit(c->settings);

	if (count > 2)
		works = 2 * (works / count + 1);
	c->pools.streams =
		pool_create(sizeof(struct raw_stream), 3 * works + 2);
	c->pools.layers = pool_create(sizeof(struct layer), 3 * works + 2);
	c->pools.links = pool_create(sizeof(struct link), works + 1);
	/* One that is ending may still be there when the next one begins. */
	c->pools.muxes = pool_create(sizeof(struct mux), 16);
	c->pools.mux_streams =
		pool_create(sizeof(struct mux_stream), 2 * works + 2);
	c->pools.dials = pool_create(sizeof(struct dial), works + 1);
	/* Those of carriers that came back may not be buried yet. */
	c->pools.works = pool_create(sizeof(struct work), 2 * works);
	c->pools.carriers = pool_create(sizeof(struct work_carrier), 2 * works);
	c->pools.parked = pool_create(sizeof(struct parked_work), works);
	return c->pools.streams && c->pools.layers && c->pools.links &&
	       c->pools.muxes && c->pools.mux_streams && c->pools.dials &&
	       c->pools.works && c->pools.carriers && c->pools.parked;
}

/* As make_pools counts them. */
size_t client_visitor_records(void)
{
	return 3 * sizeof(struct raw_stream) + 3 * sizeof(struct layer) +
	       sizeof(struct link) + 2 * sizeof(struct mux_stream) +
	       sizeof(struct dial) + 2 * sizeof(struct work) +
	       2 * sizeof(struct work_carrier) + sizeof(struct parked_work);
}

int client_create(struct client *c, const struct settings *s, uint32_t count,
	const struct backend *backend)
{
	struct loop_params params = { .chunk_size = CLIENT_CHUNK_SIZE,
		.chunks_soft = (uint32_t)s->buffer_count,
		.pipes = (uint32_t)s->pipe_count,
		.pipe_size = (uint32_t)s->pipe_size };

	int rc;

	memset(c, 0, sizeof(*c));
	c->settings = settings_hold(s);
	list_init(&c->leaving);
	list_init(&c->works);
	cipher_key_derive(&c->token_key, s->auth_token);
	proof_key_derive(&c->proof_key, s->auth_token, strlen(s->auth_token));
	if (!make_pools(c, count)) {
		log_error("no memory for the pools");
		return -ENOMEM;
	}
	/* Two operations a stream, some a dial, and the mailbox's. */
	params.ops = 2 * pool_limit(c->pools.streams) +
		     DIAL_OPS * pool_limit(c->pools.dials) + 8;
	params.chunks_hard =
		params.chunks_soft + 512 + 2 * pool_limit(c->pools.streams);
	c->tls_sessions = tls_sessions_create();
	if (!c->tls_sessions)
		return -ENOMEM;
	rc = core_create(&c->core, &client_ops, backend, &params);
	control_init(c);
	work_init(c);
	parked_init(c);
	return rc;
}

int client_watch(struct client *c, struct journal *journal)
{
	c->journal = journal;
	c->pools.lookouts =
		pool_create(sizeof(struct lookout), pool_limit(c->pools.works));
	return c->pools.lookouts ? 0 : -ENOMEM;
}

void client_use(
	struct client *c, struct settings *s, struct proxy_table *proxies)
{
	struct settings *set = c->settings;
	struct proxy_table *table = c->proxies;

	c->settings = s;
	c->proxies = proxies;
	c->muxes.ping = s->mux_keepalive_s * CLOCK_SECOND;
	if (c->first) {
		control_use(c);
		proxy_table_change(table, proxies,
			c->control.state == CONTROL_RUNNING &&
				!c->core.draining);
	}
	proxy_table_drop(&table);
	settings_free(&set);
}

void client_destroy(struct client *c)
{
	core_destroy(&c->core);
	proxies_unanswered(c);
	proxy_table_drop(&c->proxies);
	settings_free(&c->settings);
	pool_destroy(&c->pools.streams);
	pool_destroy(&c->pools.layers);
	pool_destroy(&c->pools.links);
	pool_destroy(&c->pools.muxes);
	pool_destroy(&c->pools.mux_streams);
	tls_sessions_destroy(&c->tls_sessions);
	tls_context_unref(&c->tls);
	pool_destroy(&c->pools.dials);
	pool_destroy(&c->pools.works);
	pool_destroy(&c->pools.carriers);
	pool_destroy(&c->pools.parked);
	pool_destroy(&c->pools.lookouts);
	explicit_bzero(&c->token_key, sizeof(c->token_key));
	proof_key_wipe(&c->proof_key);
	session_keys_wipe(&c->session);
}

const char *client_server(const struct client *c, uint16_t *port_r)
{
	const struct settings *s = c->settings;

	if (s->server_count == 0) {
		*port_r = s->server_port;
		return s->server_addr;
	}
	*port_r = s->servers[c->session.at].port;
	return s->servers[c->session.at].host;
}

struct dial *client_dial_server(struct client *c, struct dial_owner *owner)
{
	const struct settings *s = c->settings;
	const struct session *at = &c->session;
	struct dial_params p = { .address = &at->server,
		.local = at->local.size ? &at->local : NULL,
		.gateway = c->crew->gateway.kind ? &c->crew->gateway : NULL,
		.timeout = s->dial_server_timeout_ms * CLOCK_MS,
		.to_server = true };

	p.host = client_server(c, &p.port);
	return dial_start(c, owner, &p);
}

static int client_start(struct core *core)
{
	struct client *c = client_of(core);

	if (!c->first)
		return 0;
	log_info("start frpc service: %zu proxies", c->proxies->count);
	control_start(c);
	return 0;
}

static void drain_late(struct timer *t)
{
	struct client *c = container_of(t, struct client, drain_timer);

	if (c->first)
		log_warn("drainTimeout has passed: %u visitors are cut",
			crew_busy(c->crew));
	c->core.at_once = true;
	core_stop(&c->core, 0);
}

void client_work_gone(struct client *c)
{
	if (c->core.draining && crew_busy(c->crew) == 0)
		core_stop(&c->core, 0);
}

/* The server sends nobody any more; who is here may finish. */
static void client_drain(struct core *core)
{
	struct client *c = client_of(core);

	if (c->first) {
		log_info("draining: %u visitors are being served",
			crew_busy(c->crew));
		proxy_table_withdraw(c->proxies);
	}
	loop_set_timer(core->loop, &c->drain_timer,
		c->settings->drain_timeout_ms * CLOCK_MS, drain_late);
	client_work_gone(c);
}

static void client_quit(struct core *core)
{
	if (client_of(core)->first)
		log_warn("stopping at once");
	core_stop(core, 0);
}

/* How many wait for a visitor. */
static uint32_t idle_works(const struct client *c)
{
	uint32_t n = 0;

	list_each (l, &c->works)
		n += container_of(l, struct work, link)->state == WORK_IDLE;
	return n;
}

static int client_report(struct core *core, struct core_level *levels)
{
	struct client *c = client_of(core);
	int n = 0;

	levels[n++] =
		(struct core_level){ "streams", pool_used(c->pools.streams) };
	levels[n++] =
		(struct core_level){ "layers", pool_used(c->pools.layers) };
	levels[n++] = (struct core_level){ "mux_streams",
		pool_used(c->pools.mux_streams) };
	levels[n++] = (struct core_level){ "dials", pool_used(c->pools.dials) };
	levels[n++] = (struct core_level){ "works", pool_used(c->pools.works) };
	levels[n++] = (struct core_level){ "idle", idle_works(c) };
	levels[n++] =
		(struct core_level){ "carriers", pool_used(c->pools.carriers) };
	levels[n++] =
		(struct core_level){ "parked", pool_used(c->pools.parked) };
	if (c->journal)
		levels[n++] = (struct core_level){ "lookouts",
			pool_used(c->pools.lookouts) };
	return n;
}

static bool client_join(struct core *core)
{
	struct client *c = client_of(core);

	loop_cancel_timer(core->loop, &c->drain_timer);
	if (c->first)
		control_stop(c);
	list_each_safe (l, &c->works)
		work_close(container_of(l, struct work, link), REASON_shutdown);
	parking_cut(&c->parking);
	/* What a visitor was sent last may still be on its way. */
	if (!carriers_finish(&c->carriers, core->draining && !core->at_once))
		return false;
	layers_cut(c->pools.layers);
	return pool_used(c->pools.streams) == 0 &&
	       pool_used(c->pools.layers) == 0 &&
	       pool_used(c->pools.muxes) == 0 &&
	       pool_used(c->pools.mux_streams) == 0 &&
	       pool_used(c->pools.works) == 0 &&
	       pool_used(c->pools.parked) == 0 &&
	       pool_used(c->pools.dials) == 0;
}

static const struct core_ops client_ops = {
	.start = client_start,
	.drain = client_drain,
	.quit = client_quit,
	.report = client_report,
	.join = client_join,
};
