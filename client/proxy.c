/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/crew.h"
#include "client/hint.h"
#include "client/proxy_table.h"
#include "common/base/bandwidth.h"
#include "common/base/log.h"

_Static_assert(sizeof(struct conf_pair) == sizeof(struct message_pair) &&
		       offsetof(struct conf_pair, value) ==
			       offsetof(struct message_pair, value),
	"proxy_map shares the pairs");

struct message_map proxy_map(const struct conf_map *m)
{
	return (struct message_map){ m->n, (void *)m->v };
}

static void proxy_set_state(struct proxy *p, enum proxy_state state)
{
	assert(state != PROXY_RUNNING || p->state == PROXY_ASKED);
	p->state = state;
}

/* What we have to keep it to, in bytes a second; 0: nothing. */
static int64_t own_rate(const struct client_proxy *s)
{
	int64_t rate;

	/* The settings have checked it. */
	if (s->bandwidth_mode != SETTINGS_AT_CLIENT ||
		!bandwidth_parse(s->bandwidth, &rate))
		return 0;
	return rate;
}

struct proxy *proxy_new(struct client *first, const struct settings *all,
	const struct client_proxy *settings)
{
	struct proxy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (asprintf(&p->name, "%s%s%s", all->user, *all->user ? "." : "",
		    settings->name) < 0) {
		free(p);
		return NULL;
	}
	p->holders = 1;
	p->client = first;
	p->all = settings_hold(all);
	p->settings = settings;
	throttle_set_rate(&p->throttle, own_rate(settings));
	return p;
}

struct proxy *proxy_hold(struct proxy *p)
{
	if (p)
		atomic_fetch_add(&p->holders, 1);
	return p;
}

void proxy_drop(struct proxy **pp)
{
	struct proxy *p = *pp;

	*pp = NULL;
	if (!p || atomic_fetch_sub(&p->holders, 1) != 1)
		return;
	free(p->name);
	settings_free(&p->all);
	free(p);
}

/* What the types are called, and how an address of one begins. */
static const char *const types[] = {
	[CLIENT_PROXY_TCP] = "tcp",
	[CLIENT_PROXY_HTTP] = "http",
	[CLIENT_PROXY_HTTPS] = "https",
};

/* Send NewProxy. False: the control was lost by it. */
static bool proxy_ask(struct proxy *p)
{
	const struct client_proxy *s = p->settings;
	struct message m = { .type = MESSAGE_NEW_PROXY };
	struct message_new_proxy *np = &m.new_proxy;

	np->proxy_name = p->name;
	np->metas = proxy_map(&s->metadatas);
	np->annotations = proxy_map(&s->annotations);
	np->proxy_type = types[s->type];
	np->custom_domains.items = s->custom_domains.v;
	np->custom_domains.count = s->custom_domains.n;
	np->subdomain = *p->subdomain ? p->subdomain : s->subdomain;
	np->use_encryption = s->use_encryption;
	np->use_compression = s->use_compression;
	np->bandwidth_limit = s->bandwidth;
	if (s->bandwidth_mode == SETTINGS_AT_SERVER)
		np->bandwidth_limit_mode = "server";
	if (s->type == CLIENT_PROXY_TCP)
		np->remote_port =
			s->remote_port ? s->remote_port : p->given_port;
	if (s->type == CLIENT_PROXY_HTTP) {
		np->http_user = s->http_user;
		np->http_pwd = s->http_password;
		np->host_header_rewrite = s->host_header_rewrite;
		np->locations.items = s->locations.v;
		np->locations.count = s->locations.n;
		np->route_by_http_user = s->route_by_http_user;
		np->group = s->group;
		np->group_key = s->group_key;
		np->headers = proxy_map(&s->request_headers);
		np->response_headers = proxy_map(&s->response_headers);
	}
	if (p->client->session.proven &&
		settings_proxy_may_be_plain(p->all, s)) {
		np->adit.present = true;
		np->adit.enc = PROXY_MEANS_PLAIN;
	}
	proxy_set_state(p, PROXY_ASKED);
	return control_send(p->client, &m);
}

static void proxy_retry(struct timer *t)
{
	proxy_ask(container_of(t, struct proxy, retry));
}

/* One of that name whose answer is awaited, though it is to be no more. */
static struct proxy *find_leaving(const struct client *c, const char *name)
{
	list_each (l, &c->leaving) {
		struct proxy *p = container_of(l, struct proxy, link);

		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

bool proxy_open(struct proxy *p)
{
	return find_leaving(p->client, p->name) || proxy_ask(p);
}

void proxy_lost(struct proxy *p)
{
	loop_cancel_timer(client_loop(p->client), &p->retry);
	proxy_set_state(p, PROXY_NEW);
}

static bool take_back(struct proxy *p)
{
	struct message m = { .type = MESSAGE_CLOSE_PROXY };

	m.close_proxy.proxy_name = p->name;
	return control_send(p->client, &m);
}

bool proxy_close(struct proxy *p)
{
	enum proxy_state state = (enum proxy_state)p->state;

	proxy_lost(p);
	if (state == PROXY_ASKED)
		list_append(&p->client->leaving, &proxy_hold(p)->link);
	return state != PROXY_RUNNING || take_back(p);
}

static void forget(struct proxy *p)
{
	list_remove(&p->link);
	proxy_drop(&p);
}

void proxies_unanswered(struct client *c)
{
	list_each_safe (l, &c->leaving)
		forget(container_of(l, struct proxy, link));
}

struct throttle *proxy_throttle(struct proxy *p)
{
	return p->throttle.rate > 0 ? &p->throttle : NULL;
}

/* The port in ":6000"; 0 when the text is something else. */
static uint16_t parse_given_port(const char *remote_addr)
{
	unsigned port = 0;

	if (sscanf(remote_addr, ":%5u", &port) != 1 || port > UINT16_MAX)
		return 0;
	return (uint16_t)port;
}

/* One-line commands: the public address, once. */
static void announce(struct proxy *p, const char *remote_addr)
{
	char text[ADDRESS_HOST_SIZE + 32];
	uint16_t port;
	const char *server = client_server(p->client, &port);
	const struct crew *crew = p->client->crew;
	size_t scheme = strlen("tcp://");

	if (!crew->announced || p->announced)
		return;
	p->announced = true;
	if (p->settings->type == CLIENT_PROXY_TCP) {
		strcpy(text, "tcp://");
		address_join(text + scheme, sizeof(text) - scheme, server,
			p->given_port);
	} else {
		snprintf(text, sizeof(text), "%s://%.*s",
			types[p->settings->type],
			(int)strcspn(remote_addr, ","), remote_addr);
	}
	crew->announced(crew->announced_arg, text);
	if (p->settings->type != CLIENT_PROXY_TCP)
		hint_name(remote_addr, server);
}

/* Whether another has the name: as servers say it, or say no more than no. */
static bool is_taken(const char *error)
{
	static const char *const texts[] = { "router config conflict",
		"belongs to another user", "is in use by another user",
		"] error" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strstr(error, texts[i]))
			return true;
	return false;
}

/* Nobody asked for the name that another has: a further one will do. */
static bool proxy_rename(struct proxy *p, const char *error)
{
	const struct client_proxy *s = p->settings;

	if (!s->from_words || p->announced || p->turn + 1 >= WORDS_TURNS ||
		!is_taken(error))
		return false;
	words_make(p->subdomain, p->client->settings->user, s->local_ip,
		s->local_port, ++p->turn);
	return true;
}

static void proxy_refused(struct proxy *p, const char *error)
{
	struct client *c = p->client;
	const char *help = hint_refused(error, c->crew->announced);

	log_warn("[%s] start error: %s", p->settings->name, error);
	if (p->given_port && !p->settings->remote_port) {
		/* Another has the port that it was given: take any. */
		p->given_port = 0;
		p->announced = false;
		proxy_ask(p);
		return;
	}
	if (proxy_rename(p, error)) {
		log_info("[%s] another name is tried: %s", p->settings->name,
			p->subdomain);
		proxy_ask(p);
		return;
	}
	/* Once, however often it is asked for again. */
	if (help && p->wait == 0)
		log_info("[%s] %s", p->settings->name, help);
	proxy_set_state(p, PROXY_REFUSED);
	if (c->crew->announced && !p->announced) {
		core_stop(&c->core, 1);
		return;
	}
	p->wait = p->wait ? 2 * p->wait : PROXY_RETRY_FIRST;
	if (p->wait > PROXY_RETRY_LAST)
		p->wait = PROXY_RETRY_LAST;
	loop_set_timer(client_loop(c), &p->retry, p->wait, proxy_retry);
}

/* Too late: it is no more, and another one may have waited for its name. */
static void answered_late(
	struct proxy *p, const struct message_new_proxy_resp *m)
{
	struct client *c = p->client;
	struct proxy *next = proxy_table_find(c->proxies, p->name);
	bool going = *m->error || take_back(p);

	/* Without a control nothing is awaited any more. */
	if (!going)
		return;
	forget(p);
	if (next && next->state == PROXY_NEW && !c->core.draining)
		proxy_ask(next);
}

void proxy_answered(struct client *c, const struct message_new_proxy_resp *m)
{
	struct proxy *p = find_leaving(c, m->proxy_name);

	if (p) {
		answered_late(p, m);
		return;
	}
	p = proxy_table_find(c->proxies, m->proxy_name);
	if (!p || p->state != PROXY_ASKED)
		return;
	if (*m->error) {
		proxy_refused(p, m->error);
		return;
	}
	proxy_set_state(p, PROXY_RUNNING);
	p->wait = 0;
	if (p->settings->type == CLIENT_PROXY_TCP)
		p->given_port = parse_given_port(m->remote_addr);
	log_write(LOG_INFO, LOG_PAIRS("remote_addr", m->remote_addr),
		"[%s] start proxy success", p->settings->name);
	announce(p, m->remote_addr);
}
