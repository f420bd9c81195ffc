/* SPDX-License-Identifier: Apache-2.0 */

#include "server/proxy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/http/host.h"
#include "server/control.h"
#include "server/port.h"
#include "server/visitor.h"
#include "server/worker.h"

/* Write the error and fail. */
static int refuse(char *error, const char *fmt, ...) printf_like(2, 3);

static int refuse(char *error, const char *fmt, ...)
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
static int check_supported(const struct message_new_proxy *m, char *error)
{
	const struct {
		const char *name;
		bool asked;
	} features[] = {
		{ "use_encryption", m->use_encryption },
		{ "use_compression", m->use_compression },
		{ "bandwidth_limit", *m->bandwidth_limit },
		{ "group", *m->group },
		{ "locations", m->locations.count },
		{ "http_user", *m->http_user },
		{ "http_pwd", *m->http_pwd },
		{ "route_by_http_user", *m->route_by_http_user },
		{ "host_header_rewrite", *m->host_header_rewrite },
		{ "headers", m->headers.count },
		{ "response_headers", m->response_headers.count },
	};

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].asked)
			return refuse(error, "%s is not supported yet",
				features[i].name);
	return 0;
}

static int check_name(const char *name, char *error)
{
	size_t n = strlen(name);

	if (n == 0)
		return refuse(error, "proxy name is empty");
	if (n > PROXY_NAME_MAX)
		return refuse(error, "proxy name is longer than %d bytes",
			PROXY_NAME_MAX);
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return refuse(
				error, "proxy name has control characters");
	return 0;
}

static int parse_type(const char *text, uint8_t *type_r, char *error)
{
	static const char *const later[] = { "udp", "https", "tcpmux", "stcp",
		"sudp", "xtcp" };

	if (!*text || !strcmp(text, "tcp")) {
		*type_r = PROXY_TCP;
		return 0;
	}
	if (!strcmp(text, "http")) {
		*type_r = PROXY_HTTP;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(text, later[i]))
			return refuse(error,
				"proxy type [%s] is not "
				"supported yet",
				text);
	return refuse(error, "unknown proxy type: %.64s", text);
}

static void accept_visitor(struct listener *l, int fd)
{
	visitor_accept_tcp(l->owner, l, fd);
}

static int open_tcp(struct proxy *p, const struct message_new_proxy *m,
	char **remote_r, char *error)
{
	struct control *c = p->control;
	struct worker *w = c->worker;
	int64_t max = w->settings->max_ports_per_client;
	const char *text;

	if (max > 0 && c->ports >= max)
		return refuse(error, "exceed the max_ports_per_client");
	text = port_open(w, p, m->remote_port, accept_visitor);
	if (text)
		return refuse(error, "%s", text);
	c->ports++;
	log_info("[%s] [%.64s] tcp proxy listen port [%u]", c->run_id, p->name,
		p->port);
	return asprintf(remote_r, ":%u", p->port) < 0
		       ? refuse(error, "no memory")
		       : 0;
}

/* Whether the host is the subdomain host or below it. */
static bool belongs_to(const char *host, const char *parent)
{
	size_t n = strlen(host), m = strlen(parent);

	return m > 0 && n >= m && !strcmp(host + n - m, parent) &&
	       (n == m || host[n - m - 1] == '.');
}

static int add_host(struct proxy *p, const char *host, char *error)
{
	int rc = directory_claim_host(&p->control->worker->directory, host, p);

	if (rc == -EEXIST)
		return refuse(error, "router config conflict");
	if (rc == 0)
		p->hosts[p->host_count] = strdup(host);
	if (rc < 0 || !p->hosts[p->host_count])
		return refuse(error, "no memory");
	p->host_count++;
	log_info("[%s] [%.64s] http proxy listen for host [%s]",
		p->control->run_id, p->name, host);
	return 0;
}

static int add_custom_domain(struct proxy *p, const char *domain, char *error)
{
	const char *parent = p->control->worker->settings->subdomain_host;
	char host[HTTP_HOST_MAX], above[HTTP_HOST_MAX];

	if (!host_normalise(domain, true, host))
		return refuse(
			error, "custom domain [%.128s] is not valid", domain);
	if (*parent && host_normalise(parent, false, above) &&
		belongs_to(host, above))
		return refuse(error,
			"custom domain [%.128s] should not belong to "
			"subdomain host [%.128s]",
			domain, parent);
	return add_host(p, host, error);
}

static int add_subdomain(struct proxy *p, const char *sub, char *error)
{
	const char *parent = p->control->worker->settings->subdomain_host;
	char full[HTTP_HOST_MAX * 2], host[HTTP_HOST_MAX];

	if (!*parent)
		return refuse(error, "subdomain is not supported because this "
				     "feature is not enabled in server");
	if (strpbrk(sub, ".*"))
		return refuse(
			error, "'.' and '*' are not supported in subdomain");
	if (snprintf(full, sizeof(full), "%s.%s", sub, parent) >=
			(int)sizeof(full) ||
		!host_normalise(full, false, host))
		return refuse(error, "subdomain [%.128s] is not valid", sub);
	return add_host(p, host, error);
}

/* "a.test:8080,b.test:8080"; port 80 goes without saying. */
static char *describe_hosts(const struct proxy *p)
{
	uint16_t port = p->control->worker->settings->vhost_http_port;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < p->host_count; i++) {
		fprintf(f, "%s%s", i ? "," : "", p->hosts[i]);
		if (port != 80)
			fprintf(f, ":%u", port);
	}
	return fclose(f) == 0 ? text : NULL;
}

static int open_http(struct proxy *p, const struct message_new_proxy *m,
	char **remote_r, char *error)
{
	if (p->control->worker->settings->vhost_http_port == 0)
		return refuse(error, "type [http] not supported when vhost "
				     "http port is not set");
	if (m->custom_domains.count == 0 && !*m->subdomain)
		return refuse(error, "custom domain and subdomain should not "
				     "be both empty");
	p->hosts = calloc(m->custom_domains.count + 1, sizeof(*p->hosts));
	if (!p->hosts)
		return refuse(error, "no memory");
	for (size_t i = 0; i < m->custom_domains.count; i++)
		if (add_custom_domain(p, m->custom_domains.items[i], error) < 0)
			return -1;
	if (*m->subdomain && add_subdomain(p, m->subdomain, error) < 0)
		return -1;
	*remote_r = describe_hosts(p);
	return *remote_r ? 0 : refuse(error, "no memory");
}

/* Undo whatever was opened, and free. */
static void proxy_free(struct proxy *p)
{
	struct worker *w = p->control->worker;

	if (p->port) {
		directory_drop_port(&w->directory, p->port, p);
		p->control->ports--;
	}
	listener_close(&p->listener);
	for (size_t i = 0; i < p->host_count; i++) {
		directory_drop_host(&w->directory, p->hosts[i], p);
		free(p->hosts[i]);
	}
	free(p->hosts);
	directory_drop_name(&w->directory, p->name, p);
	list_remove(&p->link);
	free(p->name);
	pool_give(w->pools.proxies, p);
}

/* A proxy that has its name and nothing else; NULL with the error. */
static struct proxy *proxy_new(struct control *c, const char *name, char *error)
{
	struct worker *w = c->worker;
	struct proxy *p;
	int rc = -ENOMEM;

	if (directory_find_name(&w->directory, name)) {
		refuse(error, "proxy [%.256s] already exists", name);
		return NULL;
	}
	p = pool_take(w->pools.proxies);
	if (!p) {
		refuse(error, "too many proxies");
		return NULL;
	}
	p->name = strdup(name);
	if (p->name)
		rc = directory_claim_name(&w->directory, name, p);
	if (rc < 0) {
		refuse(error, "no memory");
		free(p->name);
		pool_give(w->pools.proxies, p);
		return NULL;
	}
	p->control = c;
	list_init(&p->visitors);
	list_append(&c->proxies, &p->link);
	return p;
}

int proxy_open(struct control *c, const struct message_new_proxy *m,
	char **remote_r, char error[static PROXY_ERROR_SIZE])
{
	struct proxy *p;
	uint8_t type = PROXY_TCP;
	int rc;

	if (check_name(m->proxy_name, error) < 0 ||
		parse_type(m->proxy_type, &type, error) < 0 ||
		check_supported(m, error) < 0)
		return -1;
	p = proxy_new(c, m->proxy_name, error);
	if (!p)
		return -1;
	p->type = type;
	rc = type == PROXY_TCP ? open_tcp(p, m, remote_r, error)
			       : open_http(p, m, remote_r, error);
	if (rc < 0) {
		proxy_free(p);
		return rc;
	}
	count(&c->worker->core.counters, proxies_started);
	log_info("[%s] new proxy [%.64s] type [%s] success", c->run_id, p->name,
		type == PROXY_TCP ? "tcp" : "http");
	return 0;
}

void proxy_close(struct proxy *p, enum reason why)
{
	list_each_safe (l, &p->visitors)
		visitor_lose_proxy(
			container_of(l, struct visitor, of_proxy), why);
	log_info("[%s] [%.64s] proxy closed", p->control->run_id, p->name);
	proxy_free(p);
}
