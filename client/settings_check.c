/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The rules between keys of adit's settings, most of them on proxies.
 */

#include "client/gateway.h"
#include "client/include.h"
#include "common/base/bandwidth.h"
#include "common/crypto/pin.h"
#include "common/wire/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN_MAX 253

/* A proxy to be checked, and where it stands in its file. */
struct subject {
	struct conf *conf;
	struct conf_errors *errors;
	const struct client_proxy *proxy;
	size_t index;
};

static void path_of(
	const struct subject *p, const char *key, char *out, size_t size)
{
	snprintf(out, size, "proxies[%zu].%s", p->index, key);
}

static void fault(const struct subject *p, const char *key, const char *text)
{
	char path[64];

	path_of(p, key, path, sizeof(path));
	conf_fault(p->conf, p->errors, path, "%s", text);
}

/* A value that the key needs is absent; not said twice of a wrong one. */
static void missing(const struct subject *p, const char *key, const char *text)
{
	char path[64];

	path_of(p, key, path, sizeof(path));
	if (!conf_given(p->conf, path) || conf_emptied(p->conf, path))
		conf_fault(p->conf, p->errors, path, "no value; %s", text);
}

/* Printable, so that a log line stays a line; bytes above ASCII pass. */
static bool printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/*
 * A value that is to be looked up: what only looks like an address, or holds
 * more than a host, would be told when somebody waits for it.
 */
static void check_host(struct conf *conf, struct conf_errors *errors,
	const char *path, const char *host, const char *port_key)
{
	char bare[ADDRESS_HOST_SIZE], quoted[CONF_QUOTED];
	struct in6_addr v6;
	bool good = printable(host) && !host[strcspn(host, " /[]")];

	if (good && strchr(host, ':')) {
		snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(host, "%"),
			host);
		good = inet_pton(AF_INET6, bare, &v6) == 1;
	}
	if (!good || strlen(host) >= ADDRESS_HOST_SIZE)
		conf_fault(conf, errors, path,
			"%s; an address without brackets or a host name is "
			"allowed, %s has the port",
			conf_quote(quoted, host), port_key);
}

static void check_name(const struct subject *p)
{
	const char *name = p->proxy->name;
	size_t length = strlen(name);

	if (length == 0)
		fault(p, "name", "no value; a name is allowed");
	else if (length > CLIENT_PROXY_NAME_MAX)
		fault(p, "name",
			"more than 4096 bytes; a shorter name is allowed");
	else if (!printable(name))
		fault(p, "name",
			"control characters; a name without them is allowed");
}

static bool is_domain(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= DOMAIN_MAX && printable(text) &&
	       !text[strcspn(text, " /")];
}

/* A fault at one member of a list. */
static void fault_member(const struct subject *p, const char *key, size_t i,
	const char *value, const char *allowed)
{
	char quoted[CONF_QUOTED];
	char path[80];

	snprintf(path, sizeof(path), "proxies[%zu].%s[%zu]", p->index, key, i);
	conf_fault(p->conf, p->errors, path, "%s; %s",
		conf_quote(quoted, value), allowed);
}

static void check_lists(const struct subject *p)
{
	const struct conf_strings *domains = &p->proxy->custom_domains;
	const struct conf_strings *locations = &p->proxy->locations;

	for (size_t i = 0; i < domains->n; i++)
		if (!is_domain(domains->v[i]))
			fault_member(p, "customDomains", i, domains->v[i],
				"a host name is allowed");
	for (size_t i = 0; i < locations->n; i++)
		if (*locations->v[i] && (*locations->v[i] != '/' ||
						!printable(locations->v[i])))
			fault_member(p, "locations", i, locations->v[i],
				"a path that begins with a slash is allowed");
}

static void check_hosts(const struct subject *p, const char *type)
{
	const struct client_proxy *proxy = p->proxy;
	char text[128];

	snprintf(text, sizeof(text),
		"an %s proxy has customDomains or a subdomain", type);
	if (proxy->custom_domains.n == 0 && !*proxy->subdomain)
		missing(p, "customDomains", text);
	snprintf(text, sizeof(text),
		"a value in an %s proxy; tcp proxies have it", type);
	if (proxy->remote_port > 0)
		fault(p, "remotePort", text);
	if (proxy->subdomain[strcspn(proxy->subdomain, ".*")] ||
		(*proxy->subdomain && !is_domain(proxy->subdomain)))
		fault(p, "subdomain",
			"a name with dots, stars, blanks or slashes; one "
			"label is allowed");
	check_lists(p);
}

static void check_tcp(const struct subject *p)
{
	static const char text[] =
		"a value in a tcp proxy; http and https proxies have it";

	if (p->proxy->custom_domains.n > 0)
		fault(p, "customDomains", text);
	if (*p->proxy->subdomain)
		fault(p, "subdomain", text);
}

/* What only an http proxy has; `text` says so. */
static void check_no_http(const struct subject *p, const char *text)
{
	const struct client_proxy *proxy = p->proxy;
	const struct {
		const char *key;
		bool given;
	} keys[] = {
		{ "locations", proxy->locations.n > 0 },
		{ "httpUser", *proxy->http_user },
		{ "httpPassword", *proxy->http_password },
		{ "hostHeaderRewrite", *proxy->host_header_rewrite },
		{ "requestHeaders.set", proxy->request_headers.n > 0 },
		{ "responseHeaders.set", proxy->response_headers.n > 0 },
		{ "routeByHTTPUser", *proxy->route_by_http_user },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].given)
			fault(p, keys[i].key, text);
}

static void check_no_group(const struct subject *p, const char *type)
{
	char text[80];

	snprintf(text, sizeof(text),
		"a group of %s proxies; not supported yet (allowed: leave it "
		"out)",
		type);
	if (*p->proxy->group)
		fault(p, "loadBalancer.group", text);
}

static void check_proxy_protocol(const struct subject *p)
{
	const char *text = p->proxy->proxy_protocol;
	char path[64], quoted[CONF_QUOTED];

	path_of(p, "transport.proxyProtocolVersion", path, sizeof(path));
	if (proxy_header_of(text) == PROXY_HEADER_UNKNOWN)
		conf_fault(p->conf, p->errors, path, "%s; v1 or v2 is allowed",
			conf_quote(quoted, text));
	else if (*text && p->proxy->type == CLIENT_PROXY_HTTP)
		conf_fault(p->conf, p->errors, path,
			"a value in an http proxy, whose connections serve "
			"many visitors; tcp and https proxies have it, http "
			"services read X-Forwarded-For");
}

static void check_bandwidth(const struct subject *p)
{
	char path[64], quoted[CONF_QUOTED];
	int64_t rate;

	if (bandwidth_parse(p->proxy->bandwidth, &rate))
		return;
	path_of(p, "transport.bandwidthLimit", path, sizeof(path));
	conf_fault(p->conf, p->errors, path, "%s; " BANDWIDTH_ALLOWED,
		conf_quote(quoted, p->proxy->bandwidth));
}

static void check_proxy(const struct subject *p)
{
	char path[64];

	check_name(p);
	path_of(p, "localIP", path, sizeof(path));
	check_host(p->conf, p->errors, path, p->proxy->local_ip, "localPort");
	check_proxy_protocol(p);
	check_bandwidth(p);
	if (p->proxy->local_port == 0)
		missing(p, "localPort", "a port from 1 to 65535 is allowed");
	switch ((enum client_proxy_type)p->proxy->type) {
	case CLIENT_PROXY_NONE:
		missing(p, "type", "one of tcp, http, https is allowed");
		break;
	case CLIENT_PROXY_TCP:
		check_tcp(p);
		check_no_http(
			p, "a value in a tcp proxy; http proxies have it");
		check_no_group(p, "tcp");
		break;
	case CLIENT_PROXY_HTTP:
		check_hosts(p, "http");
		break;
	case CLIENT_PROXY_HTTPS:
		check_hosts(p, "https");
		check_no_http(
			p, "a value in an https proxy; http proxies have it");
		check_no_group(p, "https");
		break;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct client_proxy *const *x = a;
	const struct client_proxy *const *y = b;
	int names = strcmp((*x)->name, (*y)->name);

	if (names != 0)
		return names;
	return *x < *y ? -1 : 1;
}

/* Sorted, so that a long list costs no square of it. */
static int check_unique(struct settings *s, struct conf_errors *errors)
{
	size_t n = s->proxies.n;
	const struct client_proxy **order = calloc(n + 1, sizeof(*order));
	char quoted[CONF_QUOTED];
	char path[64];
	struct conf *conf;
	size_t i, local;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		order[i] = &s->proxies.v[i];
	qsort(order, n, sizeof(*order), by_name);
	for (i = 1; i < n; i++) {
		if (!order[i]->name[0] ||
			strcmp(order[i]->name, order[i - 1]->name) != 0)
			continue;
		conf = include_source(
			s, (size_t)(order[i] - s->proxies.v), &local);
		snprintf(path, sizeof(path), "proxies[%zu].name", local);
		conf_fault(conf, errors, path,
			"%s, as proxy %zu of all is called; a name of its own "
			"is allowed",
			conf_quote(quoted, order[i]->name),
			(size_t)(order[i - 1] - s->proxies.v) + 1);
	}
	free(order);
	return 0;
}

static void check_dns_server(struct settings *s, struct conf_errors *errors)
{
	char host[ADDRESS_HOST_SIZE], quoted[CONF_QUOTED];
	struct address a;
	uint16_t port;

	if (*s->dns_server &&
		(address_split(s->dns_server, host, &port, 53) < 0 ||
			address_parse(&a, host, port) < 0))
		conf_fault(s->conf, errors, "dnsServer",
			"%s; ADDRESS or ADDRESS:PORT is allowed",
			conf_quote(quoted, s->dns_server));
}

/* As frp, the environment's http_proxy where the key says nothing. */
static int check_gateway(struct settings *s, struct conf_errors *errors)
{
	const char *env = getenv("http_proxy"), *reason;
	bool from_env = !*s->proxy_url && env && *env;
	struct gateway g;

	if (from_env && gateway_is_for(s->server_addr, getenv("no_proxy"))) {
		s->proxy_url = settings_copy(s, env);
		if (!s->proxy_url)
			return -ENOMEM;
	}
	if (*s->proxy_url && gateway_parse(&g, s->proxy_url, &reason) < 0)
		conf_fault(s->conf, errors, "transport.proxyURL", "%s; %s",
			from_env ? "the environment's http_proxy" : "***",
			reason);
	explicit_bzero(&g, sizeof(g));
	return 0;
}

static void check_pins(struct settings *s, struct conf_errors *errors)
{
	char path[64], quoted[CONF_QUOTED];
	struct pin pin;

	if (s->tls_pins.n > PINS_MAX)
		conf_fault(s->conf, errors, "transport.tls.pins",
			"%zu pins; one or two are allowed", s->tls_pins.n);
	if (s->tls_pins.n > 0 && (!s->tls_enable || !s->extensions))
		conf_fault(s->conf, errors, "transport.tls.pins",
			"without transport.tls.enable and "
			"transport.extensions; a pin needs both");
	for (size_t i = 0; i < s->tls_pins.n; i++) {
		const char *text = s->tls_pins.v[i];

		if (pin_parse(&pin, text, strlen(text)) == 0)
			continue;
		snprintf(path, sizeof(path), "transport.tls.pins[%zu]", i);
		conf_fault(s->conf, errors, path,
			"%s; the 43 characters that aditd tells are allowed",
			conf_quote(quoted, text));
	}
}

static void check_tls(struct settings *s, struct conf_errors *errors)
{
	check_pins(s, errors);
	conf_together(s->conf, errors, "transport.tls", "certFile",
		*s->tls_cert_file, "keyFile", *s->tls_key_file);
}

int settings_check(struct settings *s, struct conf_errors *errors)
{
	const char *local = s->connect_server_local_ip;
	struct subject p = { .errors = errors };
	struct in6_addr parsed;
	char quoted[CONF_QUOTED];
	size_t i;

	s->auth_heartbeats = s->auth_scopes & CONF_SCOPE_HEARTBEATS;
	s->auth_new_work_conns = s->auth_scopes & CONF_SCOPE_WORK_CONNS;
	if (*local && inet_pton(AF_INET, local, &parsed) != 1 &&
		inet_pton(AF_INET6, local, &parsed) != 1)
		conf_fault(s->conf, errors, "transport.connectServerLocalIP",
			"%s; an IPv4 or IPv6 address is allowed",
			conf_quote(quoted, local));
	s->heartbeats_given =
		conf_given(s->conf, "transport.heartbeatInterval");
	check_host(s->conf, errors, "serverAddr", s->server_addr, "serverPort");
	check_tls(s, errors);
	check_dns_server(s, errors);
	if (check_gateway(s, errors) < 0)
		return -ENOMEM;
	for (i = 0; i < s->proxies.n && errors->n < CONF_ERRORS_MAX; i++) {
		p.proxy = &s->proxies.v[i];
		p.conf = include_source(s, i, &p.index);
		check_proxy(&p);
	}
	if (check_unique(s, errors) < 0)
		return -ENOMEM;
	return errors->n > 0 ? -EINVAL : 0;
}
