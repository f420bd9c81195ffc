/* SPDX-License-Identifier: Apache-2.0 */

#include "client/lookout.h"

#include <time.h>

#include "client/client.h"
#include "client/journal.h"
#include "common/base/log.h"

typedef struct watch_step watch_fn(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now);

static void seen(struct watch *w, const struct watch_exchange *e)
{
	struct lookout *l = container_of(w, struct lookout, watch);
	struct journal_row row = {
		.proxy = l->proxy->name, .at = time(NULL), .exchange = *e
	};

	journal_put(l->client->journal, &row);
}

static struct inspection look(
	struct lookout *l, watch_fn *watch, const uint8_t *bytes, uint32_t size)
{
	int before = l->watch.count;
	bool followed = !l->watch.stopped;
	struct watch_step s = watch(&l->watch, bytes, size, clock_now());

	journal_open(l->client->journal, l->watch.count - before);
	if (s.count > 0)
		return (struct inspection){ .verdict = s.skip ? INSPECT_RUN
							      : INSPECT_PASS,
			.count = s.count };
	if (followed)
		log_debug("[%s] a connection's requests are not printed any "
			  "more: %s",
			l->proxy->name, l->watch.stopped);
	return (struct inspection){ .verdict = INSPECT_QUIT };
}

static struct inspection look_out(
	struct inspector *i, const uint8_t *bytes, uint32_t size)
{
	return look(container_of(i, struct lookout, out), watch_request, bytes,
		size);
}

static struct inspection look_back(
	struct inspector *i, const uint8_t *bytes, uint32_t size)
{
	return look(container_of(i, struct lookout, back), watch_response,
		bytes, size);
}

struct lookout *lookout_post(struct client *c, const struct client_proxy *proxy)
{
	struct lookout *l = NULL;

	if (c->journal && proxy && proxy->type == CLIENT_PROXY_HTTP)
		l = pool_take(c->pools.lookouts);
	if (!l)
		return NULL;
	l->out.step = look_out;
	l->back.step = look_back;
	l->client = c;
	l->proxy = proxy;
	watch_init(&l->watch, seen);
	return l;
}

void lookout_leave(struct lookout **l_p, bool clean)
{
	struct lookout *l = *l_p;

	if (!l)
		return;
	*l_p = NULL;
	journal_open(l->client->journal, -l->watch.count);
	watch_end(&l->watch, clean, clock_now());
	pool_give(l->client->pools.lookouts, l);
}
