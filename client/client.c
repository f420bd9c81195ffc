/* SPDX-License-Identifier: Apache-2.0 */

/* Sizes, start, drain and end of adit's core. */

#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client/work.h"
#include "common/base/log.h"
#include "common/relay/raw_stream.h"

#define CHUNK_SIZE 16384

static const struct core_ops client_ops;

static struct client *client_of(struct core *c)
{
	return container_of(c, struct client, core);
}

/* As many descriptors as we may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static bool make_pools(struct client *c)
{
	uint32_t works = (uint32_t)c->settings->max_visitors +
			 (uint32_t)c->settings->pool_count;

	c->pools.streams =
		pool_create(sizeof(struct raw_stream), 2 * works + 2);
	c->pools.dials = pool_create(sizeof(struct dial), works + 1);
	c->pools.works = pool_create(sizeof(struct work), works);
	return c->pools.streams && c->pools.dials && c->pools.works;
}

int client_create(struct client *c, const struct settings *s, bool one_line)
{
	struct loop_params params = { .chunk_size = CHUNK_SIZE,
		.chunks_soft = (uint32_t)s->buffer_count };
	const char *reason;
	int rc = -ENOMEM;

	memset(c, 0, sizeof(*c));
	c->settings = s;
	c->one_line = one_line;
	list_init(&c->works);
	raise_descriptor_limit();
	cipher_key_derive(&c->token_key, s->auth_token);
	/* The settings have checked it. */
	if (*s->proxy_url && gateway_parse(&c->gateway, s->proxy_url, &reason))
		log_error("transport.proxyURL: %s", reason);
	else if (!make_pools(c) || proxies_create(c) < 0)
		log_error("no memory for the pools");
	else
		rc = 0;
	if (rc == 0) {
		/* Two operations a stream, one a dial, and the mailbox's. */
		params.ops = 2 * pool_limit(c->pools.streams) +
			     pool_limit(c->pools.dials) + 8;
		params.chunks_hard = params.chunks_soft + 512 +
				     2 * pool_limit(c->pools.streams);
		rc = core_create(&c->core, &client_ops, &params);
	}
	/* After the core, whose signals its thread must not take. */
	if (rc == 0)
		rc = resolver_create(&c->resolver, s->dns_server);
	if (rc < 0)
		client_destroy(c);
	return rc;
}

void client_destroy(struct client *c)
{
	/* It posts to the core's mailbox. */
	resolver_destroy(&c->resolver);
	core_destroy(&c->core);
	proxies_destroy(c);
	pool_destroy(&c->pools.streams);
	pool_destroy(&c->pools.dials);
	pool_destroy(&c->pools.works);
	explicit_bzero(&c->token_key, sizeof(c->token_key));
	explicit_bzero(&c->gateway, sizeof(c->gateway));
}

static int client_start(struct core *core)
{
	struct client *c = client_of(core);

	log_info("start frpc service: %zu proxies", c->proxy_count);
	control_start(c);
	return 0;
}

static void drain_late(struct timer *t)
{
	struct client *c = container_of(t, struct client, drain_timer);

	log_warn("drainTimeout has passed: %u visitors are cut", works_busy(c));
	core_stop(&c->core, 0);
}

void client_work_gone(struct client *c)
{
	if (c->core.draining && works_busy(c) == 0)
		core_stop(&c->core, 0);
}

/* The server sends nobody any more; who is here may finish. */
static void client_drain(struct core *core)
{
	struct client *c = client_of(core);

	log_info("draining: %u visitors are being served", works_busy(c));
	proxies_withdraw(c);
	loop_set_timer(core->loop, &c->drain_timer,
		c->settings->drain_timeout_ms * CLOCK_MS, drain_late);
	client_work_gone(c);
}

static void client_quit(struct core *core)
{
	log_warn("stopping at once");
	core_stop(core, 0);
}

static int client_report(struct core *core, struct core_level *levels)
{
	struct client *c = client_of(core);
	int n = 0;

	levels[n++] =
		(struct core_level){ "streams", pool_used(c->pools.streams) };
	levels[n++] = (struct core_level){ "dials", pool_used(c->pools.dials) };
	levels[n++] = (struct core_level){ "works", pool_used(c->pools.works) };
	return n;
}

static bool client_join(struct core *core)
{
	struct client *c = client_of(core);

	loop_cancel_timer(core->loop, &c->drain_timer);
	control_stop(c);
	list_each_safe (l, &c->works)
		work_close(container_of(l, struct work, link), REASON_shutdown);
	return pool_used(c->pools.streams) == 0 &&
	       pool_used(c->pools.works) == 0 && pool_used(c->pools.dials) == 0;
}

static const struct core_ops client_ops = {
	.start = client_start,
	.drain = client_drain,
	.quit = client_quit,
	.report = client_report,
	.join = client_join,
};
