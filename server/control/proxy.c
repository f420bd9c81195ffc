/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/proxy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "server/control/control.h"
#include "server/control/http_terms.h"
#include "server/users/policy.h"
#include "server/control/proxy_bandwidth.h"
#include "server/control/proxy_hosts.h"
#include "server/registry/registry.h"
#include "server/worker.h"

/*
 * What the types are called, claimed as, allowed by users' records, and known
 * by at the public side.
 */
static const struct {
	const char *name;
	enum claim_kind claim;
	enum settings_user_type right;
	uint16_t usual_port; /* goes without saying */
} types[PROXY_TYPES] = {
	[PROXY_TCP] = { "tcp", CLAIM_TCP, SETTINGS_TYPE_TCP, 0 },
	[PROXY_HTTP] = { "http", CLAIM_HTTP, SETTINGS_TYPE_HTTP, 80 },
	[PROXY_HTTPS] = { "https", CLAIM_HTTPS, SETTINGS_TYPE_HTTPS, 443 },
};

/* The port of all proxies of a type that has hosts. */
static uint16_t vhost_port(const struct proxy *p)
{
	const struct settings *s = p->control->worker->settings;

	return p->type == PROXY_HTTPS ? s->vhost_https_port
				      : s->vhost_http_port;
}

int proxy_fault(char *error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, PROXY_ERROR_SIZE, fmt, args);
	va_end(args);
	return -1;
}

/*
 * What frp has and we do not build yet. Ignoring any of these would publish
 * something else than was asked for, a password left out at the worst.
 */
static int check_supported(
	const struct message_new_proxy *m, uint8_t type, char *error)
{
	const struct {
		const char *name;
		bool asked;
	} features[] = {
		{ "group of a tcp proxy", *m->group && type == PROXY_TCP },
		{ "group of an https proxy", *m->group && type == PROXY_HTTPS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].asked)
			return proxy_fault(error, "%s is not supported yet",
				features[i].name);
	return 0;
}

static int check_name(const char *name, char *error)
{
	size_t n = strlen(name);

	if (n == 0)
		return proxy_fault(error, "proxy name is empty");
	if (n > PROXY_NAME_MAX)
		return proxy_fault(error, "proxy name is longer than %d bytes",
			PROXY_NAME_MAX);
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return proxy_fault(
				error, "proxy name has control characters");
	return 0;
}

static int parse_type(const char *text, uint8_t *type_r, char *error)
{
	static const char *const later[] = { "udp", "tcpmux", "stcp", "sudp",
		"xtcp" };

	for (uint8_t i = 0; i < PROXY_TYPES; i++)
		if (!strcmp(*text ? text : "tcp", types[i].name)) {
			*type_r = i;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(text, later[i]))
			return proxy_fault(error,
				"proxy type [%s] is not "
				"supported yet",
				text);
	return proxy_fault(error, "unknown proxy type: %.64s", text);
}

static int check_tcp(struct proxy *p, char *error)
{
	struct control *c = p->control;
	int64_t max = c->worker->settings->max_ports_per_client;

	if (max > 0 && c->ports >= max)
		return proxy_fault(error, "exceed the max_ports_per_client");
	return 0;
}

static int check_hosts(
	struct proxy *p, const struct message_new_proxy *m, char *error)
{
	const char *type = types[p->type].name;

	if (vhost_port(p) == 0)
		return proxy_fault(error,
			"type [%s] not supported when vhost %s port is not set",
			type, type);
	if (m->custom_domains.count == 0 && !*m->subdomain)
		return proxy_fault(error,
			"custom domain and subdomain should not "
			"be both empty");
	if (proxy_hosts_read(p, m, error) < 0)
		return -1;
	/* As in frp, a group has one place. */
	if (*m->group && (p->host_count > 1 || m->locations.count > 1))
		return proxy_fault(error, "group params invalid");
	return 0;
}

static bool is_allowed(const struct proxy *p, int64_t port, char *error)
{
	const struct control *c = p->control;
	const struct policy_wish wish = { .name = p->name,
		.type = types[p->type].right,
		.hosts = p->hosts,
		.host_count = p->host_count,
		.port = port };

	return policy_allows(c->users, c->record, &wish, error);
}

bool proxy_is_allowed(const struct proxy *p)
{
	char error[PROXY_ERROR_SIZE];

	return is_allowed(p, p->port, error);
}

/* What its user may have of it, and whether it may have one more. */
static int check_user(
	struct proxy *p, const struct message_new_proxy *m, char *error)
{
	const struct user *u = p->control->record;

	if (!is_allowed(p, p->type == PROXY_TCP ? m->remote_port : 0, error))
		return -1;
	if (!u)
		return 0;
	if (!user_take_proxy(u))
		return proxy_fault(error,
			"this user may not have more than %lld proxies",
			(long long)u->says->max_proxies);
	p->load = user_load_hold(u->load);
	return 0;
}

/*
 * Whether its work connections are to be without TLS: where they would need
 * tickets, nobody asks for a cipher, and both ends let them. What passes is
 * TLS of its visitors by itself, or the link is trusted.
 */
static bool is_plain(const struct proxy *p, const struct message_new_proxy *m)
{
	const struct control *c = p->control;
	const struct settings *set = c->worker->settings;

	if (!c->tickets || m->use_encryption || set->tls_force ||
		strcmp(m->adit.enc, PROXY_MEANS_PLAIN) != 0)
		return false;
	return set->data_encryption == CONF_ENCRYPTION_NEVER ||
	       (set->data_encryption == CONF_ENCRYPTION_AUTO &&
		       p->type == PROXY_HTTPS);
}

static void set_plain(struct proxy *p)
{
	struct control *c = p->control;

	p->work_kind = WORK_PLAIN;
	matchmaker_hold_plain(c);
}

static void proxy_free(struct proxy *p)
{
	struct control *c = p->control;

	if (p->work_kind == WORK_PLAIN)
		matchmaker_drop_plain(c);
	if (p->load)
		user_load_give_proxy(p->load);
	user_load_drop(&p->load);

	if (p->type == PROXY_TCP)
		c->ports--;
	c->undecided -= p->undecided;
	proxy_hosts_clear(p);
	list_remove(&p->link);
	free(p->name);
	pool_give(c->worker->pools.proxies, p);
}

/* A proxy that has its name and nothing else; NULL with the error. */
static struct proxy *proxy_new(
	struct control *c, const char *name, uint8_t type, char *error)
{
	struct proxy *p = pool_take(c->worker->pools.proxies);

	if (!p) {
		proxy_fault(error, "too many proxies");
		return NULL;
	}
	p->name = strdup(name);
	if (!p->name) {
		proxy_fault(error, "no memory");
		pool_give(c->worker->pools.proxies, p);
		return NULL;
	}
	p->control = c;
	p->type = type;
	list_append(&c->proxies, &p->link);
	return p;
}

/* Ask the registry for all that the proxy wants to be known by. */
static int proxy_claim(
	struct proxy *p, const struct message_new_proxy *m, char *error)
{
	struct control *c = p->control;
	struct claim_texts hosts = { p->host_count, p->hosts };
	struct http_terms terms = { 0 };
	struct claim *claim;
	int64_t rate;

	if (proxy_bandwidth_read(m, &rate, error) < 0)
		return -1;
	if (p->type == PROXY_HTTP && http_terms_read(&terms, m, error) < 0)
		return -1;
	claim = claim_new(types[p->type].claim, p->name, &hosts, &terms.texts);
	if (claim) {
		claim->locations = terms.locations;
		claim->set = terms.set;
	}
	http_terms_clear(&terms);
	if (claim && rate > 0)
		claim->throttle = throttle_new(rate);
	if (!claim || (rate > 0 && !claim->throttle)) {
		claim_free(claim);
		return proxy_fault(error, "no memory");
	}
	claim->load = user_load_hold(p->load);
	claim->listed = c->record && c->record->says->domains.n > 0;
	claim->owner = worker_ref(c->worker, p);
	claim->control = worker_ref(c->worker, c);
	claim->port = p->type == PROXY_TCP ? m->remote_port : 0;
	claim->pool = c->match[p->work_kind].pool;
	claim->caps = c->caps;
	claim->bound = control_is_bound(c);
	claim->compresses = m->use_compression;
	/* Inside TLS of ours there is nothing more to hide. */
	claim->encrypts = m->use_encryption && !c->proven;
	if (claim->encrypts)
		claim->key = *control_key(c);
	registry_claim(c->worker, claim);
	p->undecided = true;
	c->undecided++;
	return 0;
}

bool proxy_has_to_wait(struct control *c)
{
	int64_t ports = c->worker->settings->max_ports_per_client;
	const struct user *u = c->record;

	bool taken =
		(ports > 0 && c->ports >= ports) ||
		(u && u->says->max_proxies > 0 &&
			atomic_load(&u->load->proxies) >= u->says->max_proxies);

	c->waits = (taken && c->undecided > 0) ||
		   c->undecided == PROXIES_UNDECIDED ||
		   c->channel.unsent_size > CHANNEL_UNSENT_MAX / 2;
	return c->waits;
}

static int prepare(struct control *c, const struct message_new_proxy *m,
	struct proxy **p_r, char *error)
{
	uint8_t type = PROXY_TCP;
	struct proxy *p;
	int rc;

	*p_r = NULL;
	if (check_name(m->proxy_name, error) < 0 ||
		parse_type(m->proxy_type, &type, error) < 0 ||
		check_supported(m, type, error) < 0)
		return -1;
	p = proxy_new(c, m->proxy_name, type, error);
	if (!p)
		return -1;
	*p_r = p;
	if (is_plain(p, m))
		set_plain(p);
	rc = type == PROXY_TCP ? check_tcp(p, error) : check_hosts(p, m, error);
	if (type == PROXY_TCP)
		c->ports++;
	if (rc == 0)
		rc = check_user(p, m, error);
	return rc < 0 ? rc : proxy_claim(p, m, error);
}

/* NewProxyResp with the error, in full or in short. */
static bool answer_error(struct control *c, const char *name, const char *error)
{
	struct message answer = { .type = MESSAGE_NEW_PROXY_RESP };
	char summary[PROXY_ERROR_SIZE];

	count(&c->worker->core.counters, proxies_refused);
	log_warn("[%.64s] new proxy refused: %s", name, error);
	snprintf(summary, sizeof(summary), "new proxy [%.64s] error", name);
	answer.new_proxy_resp.proxy_name = name;
	answer.new_proxy_resp.error =
		c->worker->settings->detailed_errors ? error : summary;
	return control_send(c, &answer);
}

bool proxy_open(struct control *c, const struct message_new_proxy *m)
{
	char error[PROXY_ERROR_SIZE];
	struct proxy *p;

	if (prepare(c, m, &p, error) == 0)
		return true;
	if (p)
		proxy_free(p);
	return answer_error(c, m->proxy_name, error);
}

/* NewProxyResp with the address, as frp writes it. */
static void answer_success(struct proxy *p)
{
	struct message answer = { .type = MESSAGE_NEW_PROXY_RESP };
	struct control *c = p->control;
	char *remote;

	if (p->type == PROXY_TCP) {
		log_info("[%.4s] [%.64s] tcp proxy listen port [%u]", c->run_id,
			p->name, p->port);
		if (asprintf(&remote, ":%u", p->port) < 0)
			remote = NULL;
	} else {
		for (size_t i = 0; i < p->host_count; i++)
			log_info("[%.4s] [%.64s] %s proxy listen for host [%s]",
				c->run_id, p->name, types[p->type].name,
				p->hosts[i]);
		remote = proxy_hosts_describe(
			p, vhost_port(p), types[p->type].usual_port);
	}
	count(&c->worker->core.counters, proxies_started);
	log_info("[%.4s] new proxy [%.64s] type [%s] success", c->run_id,
		p->name, types[p->type].name);
	answer.new_proxy_resp.proxy_name = p->name;
	answer.new_proxy_resp.remote_addr = remote;
	if (p->work_kind == WORK_PLAIN) {
		answer.new_proxy_resp.adit.present = true;
		answer.new_proxy_resp.adit.enc = PROXY_MEANS_PLAIN;
	}
	/* Last: it may close the control, and the proxy with it. */
	if (!control_send(c, &answer))
		log_debug("[%.4s] closed while its proxies opened", c->run_id);
	free(remote);
}

/* The registry has said no. */
static void refused(struct proxy *p, const char *error)
{
	struct control *c = p->control;
	char *name = p->name;

	/* Workers that had published it may have had visitors of it. */
	matchmaker_lose_proxy(c, p, REASON_proxy_closed);
	p->name = NULL;
	proxy_free(p);
	if (!answer_error(c, name, error))
		log_debug("closed while its proxies opened");
	free(name);
}

static void granted(struct proxy *p, const struct decision *d)
{
	p->undecided = false;
	p->control->undecided--;
	p->state = PROXY_OPEN;
	p->entry = d->entry;
	p->port = d->port;
	/* The users may have become others meanwhile. */
	if (proxy_is_allowed(p))
		answer_success(p);
	else
		control_reconsider(p->control);
}

void proxy_decided(struct mailbox *m, struct letter *letter)
{
	const struct decision *d = (struct decision *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct proxy *p = pool_find(w->pools.proxies, d->owner.handle);
	struct control *c = p ? p->control : NULL;

	if (!p) {
		/* Closed meanwhile: what was granted goes back. */
		if (!*d->error)
			registry_release(w, d->entry);
		return;
	}
	if (*d->error)
		refused(p, d->error);
	else
		granted(p, d);
	/* It is freed with the next turn, if that has closed it. */
	control_go_on(c);
}

struct proxy *proxy_find(struct control *c, const char *name)
{
	list_each (l, &c->proxies) {
		struct proxy *p = container_of(l, struct proxy, link);

		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

void proxy_close(struct proxy *p, enum reason why)
{
	struct control *c = p->control;

	matchmaker_lose_proxy(c, p, why);
	/* Unanswered yet, the claim is released when the answer comes. */
	if (p->state == PROXY_OPEN && c->revoked)
		registry_revoke(c->worker, p->entry);
	else if (p->state == PROXY_OPEN)
		registry_release(c->worker, p->entry);
	log_info("[%.4s] [%.64s] proxy closed", c->run_id, p->name);
	proxy_free(p);
}
