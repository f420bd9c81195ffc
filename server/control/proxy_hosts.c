/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/proxy_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/host.h"
#include "server/control/control.h"
#include "server/control/proxy.h"
#include "server/worker.h"

/* Whether the host is the subdomain host or below it. */
static bool belongs_to(const char *host, const char *parent)
{
	size_t n = strlen(host), m = strlen(parent);

	return m > 0 && n >= m && !strcmp(host + n - m, parent) &&
	       (n == m || host[n - m - 1] == '.');
}

static int add_host(struct proxy *p, const char *host, char *error)
{
	p->hosts[p->host_count] = strdup(host);
	if (!p->hosts[p->host_count])
		return proxy_fault(error, "no memory");
	p->host_count++;
	return 0;
}

static int add_custom_domain(struct proxy *p, const char *domain, char *error)
{
	const char *parent = p->control->worker->settings->subdomain_host;
	char host[HTTP_HOST_MAX], above[HTTP_HOST_MAX];

	if (!host_normalise(domain, true, host))
		return proxy_fault(
			error, "custom domain [%.128s] is not valid", domain);
	if (*parent && host_normalise(parent, false, above) &&
		belongs_to(host, above))
		return proxy_fault(error,
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
		return proxy_fault(error,
			"subdomain is not supported because this "
			"feature is not enabled in server");
	if (strpbrk(sub, ".*"))
		return proxy_fault(
			error, "'.' and '*' are not supported in subdomain");
	if (snprintf(full, sizeof(full), "%s.%s", sub, parent) >=
			(int)sizeof(full) ||
		!host_normalise(full, false, host))
		return proxy_fault(
			error, "subdomain [%.128s] is not valid", sub);
	return add_host(p, host, error);
}

int proxy_hosts_read(
	struct proxy *p, const struct message_new_proxy *m, char *error)
{
	p->hosts = calloc(m->custom_domains.count + 1, sizeof(*p->hosts));
	if (!p->hosts)
		return proxy_fault(error, "no memory");
	for (size_t i = 0; i < m->custom_domains.count; i++)
		if (add_custom_domain(p, m->custom_domains.items[i], error) < 0)
			return -1;
	if (*m->subdomain && add_subdomain(p, m->subdomain, error) < 0)
		return -1;
	return 0;
}

void proxy_hosts_clear(struct proxy *p)
{
	for (size_t i = 0; i < p->host_count; i++)
		free(p->hosts[i]);
	free(p->hosts);
}

char *proxy_hosts_describe(const struct proxy *p, uint16_t port, uint16_t usual)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < p->host_count; i++) {
		fprintf(f, "%s%s", i ? "," : "", p->hosts[i]);
		if (port != usual)
			fprintf(f, ":%u", port);
	}
	return fclose(f) == 0 ? text : NULL;
}
