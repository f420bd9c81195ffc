/* SPDX-License-Identifier: Apache-2.0 */

/* The rules between aditd's keys, and what follows from them. */

#include "server/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/address.h"
#include "common/http/host.h"

static void check_address(struct settings *s, struct conf_errors *errors,
	const char *key, const char *address)
{
	struct in6_addr parsed;
	char quoted[CONF_QUOTED];

	if (inet_pton(AF_INET, address, &parsed) != 1 &&
		inet_pton(AF_INET6, address, &parsed) != 1)
		conf_fault(s->conf, errors, key,
			"%s; an IPv4 or IPv6 address is allowed",
			conf_quote(quoted, address));
}

/* One of publicAddr; only what can stand in a join string. */
static bool read_public(struct settings *s, const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.:";
	char host[ADDRESS_HOST_SIZE];
	struct join_server *to = &s->publics[s->public_count];

	if (s->public_count == JOIN_SERVERS ||
		address_split(text, host, &to->port, s->bind_port) < 0 ||
		strlen(host) >= sizeof(to->host) ||
		host[strspn(host, allowed)] != '\0')
		return false;
	for (size_t i = 0; i <= strlen(host); i++)
		to->host[i] = (char)tolower((unsigned char)host[i]);
	s->public_count++;
	return true;
}

static void check_public(struct settings *s, struct conf_errors *errors)
{
	const char *text = s->public_addr + strspn(s->public_addr, " ");
	char quoted[CONF_QUOTED], one[ADDRESS_HOST_SIZE + 16];
	bool good = true;

	s->public_count = 0;
	while (good && *text) {
		size_t n = strcspn(text, ", ");

		snprintf(one, sizeof(one), "%.*s", (int)n, text);
		good = n < sizeof(one) && read_public(s, one);
		text += n + strspn(text + n, " ");
		good = good && (!*text || *text == ',');
		text += strspn(text, ", ");
	}
	if (!good)
		conf_fault(s->conf, errors, "publicAddr",
			"%s; up to four of HOST or HOST:PORT are allowed, "
			"with commas between",
			conf_quote(quoted, s->public_addr));
}

/* Names of clients are put before it: what is none would refuse them all. */
static void check_sub_domain(struct settings *s, struct conf_errors *errors)
{
	const char *text = s->subdomain_host;
	char quoted[CONF_QUOTED], host[HTTP_HOST_MAX];

	/* An address in brackets is a host, but has no names below it. */
	if (*text && (*text == '[' || !host_normalise(text, false, host)))
		conf_fault(s->conf, errors, "subDomainHost",
			"%s; a domain such as tunnel.example.com is allowed",
			conf_quote(quoted, text));
}

static int check_trusted(struct settings *s, struct conf_errors *errors)
{
	const struct conf_strings *list = &s->trusted_proxies;
	char path[64], quoted[CONF_QUOTED];

	s->trusted = conf_alloc(s->conf, list->n + 1, sizeof(*s->trusted));
	if (!s->trusted)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		if (network_parse(&s->trusted[i], list->v[i]) == 0)
			continue;
		snprintf(path, sizeof(path), "trustedProxies[%zu]", i);
		conf_fault(s->conf, errors, path,
			"%s; an address or a network such as 10.0.0.0/8 is "
			"allowed",
			conf_quote(quoted, list->v[i]));
	}
	return 0;
}

static void check_tls(struct settings *s, struct conf_errors *errors)
{
	conf_together(s->conf, errors, "transport.tls", "certFile",
		*s->tls_cert_file, "keyFile", *s->tls_key_file);
	if (*s->tls_ca_file)
		s->tls_force = true;
	if (s->tls_force && s->data_encryption == CONF_ENCRYPTION_NEVER)
		conf_fault(s->conf, errors, "transport.dataEncryption",
			"\"never\" beside transport.tls.force or "
			"trustedCaFile, which let in TLS only; auto or always "
			"is allowed");
}

/* Which public ports are bindPort as well: the first bytes tell. */
static void check_vhosts(struct settings *s, struct conf_errors *errors)
{
	bool together = !strcmp(s->proxy_bind_addr, s->bind_addr);

	s->http_shares_port = together && s->vhost_http_port == s->bind_port;
	s->https_shares_port = together && s->vhost_https_port == s->bind_port;
	if (s->vhost_https_port != 0 && !s->https_shares_port &&
		s->vhost_https_port == s->vhost_http_port)
		conf_fault(s->conf, errors, "vhostHTTPSPort",
			"\"%u\", which is vhostHTTPPort; another port is "
			"allowed",
			s->vhost_https_port);
}

/* It speaks to who watches over aditd, so it is no port of others. */
static void check_web(struct settings *s, struct conf_errors *errors)
{
	const struct {
		const char *key;
		uint16_t port;
	} others[] = {
		{ "bindPort", s->bind_port },
		{ "vhostHTTPPort", s->vhost_http_port },
		{ "vhostHTTPSPort", s->vhost_https_port },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (s->web_port != 0 && s->web_port == others[i].port)
			conf_fault(s->conf, errors, "webServer.port",
				"\"%u\", which is %s; another port is "
				"allowed",
				s->web_port, others[i].key);
}

int settings_check(struct settings *s, struct conf_errors *errors)
{
	if (s->proxy_bind_addr[0] == '\0')
		s->proxy_bind_addr = s->bind_addr;
	s->auth_heartbeats = s->auth_scopes & CONF_SCOPE_HEARTBEATS;
	s->auth_new_work_conns = s->auth_scopes & CONF_SCOPE_WORK_CONNS;
	check_address(s, errors, "bindAddr", s->bind_addr);
	if (s->proxy_bind_addr != s->bind_addr)
		check_address(s, errors, "proxyBindAddr", s->proxy_bind_addr);
	check_address(s, errors, "webServer.addr", s->web_addr);
	if (s->work_pool_min > s->work_pool_max)
		conf_fault(s->conf, errors, "transport.workPool.min",
			"\"%lld\", which is more than transport.workPool.max",
			(long long)s->work_pool_min);
	if (s->vhost_http_error_status != 0 &&
		s->vhost_http_error_status != 404)
		conf_fault(s->conf, errors, "vhostHTTPErrorStatus",
			"\"%lld\"; 0 or 404 is allowed",
			(long long)s->vhost_http_error_status);
	check_vhosts(s, errors);
	check_web(s, errors);
	check_public(s, errors);
	check_sub_domain(s, errors);
	check_tls(s, errors);
	if (s->users.n > 0 && *s->users_file)
		conf_fault(s->conf, errors, "usersFile",
			"given beside users; one of the two is allowed");
	settings_users_check(s->conf, errors, &s->users);
	if (check_trusted(s, errors) < 0)
		return -ENOMEM;
	return errors->n > 0 ? -EINVAL : 0;
}
