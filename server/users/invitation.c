/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/invitation.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/network.h"
#include "server/settings.h"

/* How well others may reach an address; the best first. */
enum rank {
	RANK_PUBLIC,
	RANK_PRIVATE,
	RANK_NONE,
};

/* Addresses that are of use in the network they are in (RFC 6890); and those
 * of one link only. */
static const char *const private_networks[] = { "10.0.0.0/8", "172.16.0.0/12",
	"192.168.0.0/16", "100.64.0.0/10", "fc00::/7" };
static const char *const link_networks[] = { "127.0.0.0/8", "169.254.0.0/16",
	"::1/128", "fe80::/10" };

static bool is_in(
	const char *const *networks, size_t n, const struct address *a)
{
	struct network network;

	for (size_t i = 0; i < n; i++)
		if (network_parse(&network, networks[i]) == 0 &&
			network_has(&network, a))
			return true;
	return false;
}

static enum rank rank(const struct address *a)
{
	if (is_in(link_networks, ARRAY_SIZE(link_networks), a))
		return RANK_NONE;
	if (is_in(private_networks, ARRAY_SIZE(private_networks), a))
		return RANK_PRIVATE;
	return RANK_PUBLIC;
}

static void add_server(struct join *j, const char *host, uint16_t port)
{
	struct join_server *s = &j->servers[j->server_count];

	if (j->server_count == JOIN_SERVERS)
		return;
	for (size_t i = 0; i < j->server_count; i++)
		if (!strcmp(j->servers[i].host, host) &&
			j->servers[i].port == port)
			return;
	snprintf(s->host, sizeof(s->host), "%s", host);
	s->port = port;
	j->server_count++;
}

/* The address of an interface that is up, if it is of this family. */
static bool address_of(
	struct address *a, const struct ifaddrs *i, sa_family_t family)
{
	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
		i->ifa_addr->sa_family != family)
		return false;
	a->size = family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
	memcpy(&a->any, i->ifa_addr, a->size);
	return true;
}

/* IPv4 first: what is said of it is more often true. */
static void add_interfaces(struct join *j, uint16_t port, bool v6)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	char text[ADDRESS_TEXT_SIZE];
	struct ifaddrs *all;
	struct address a;

	if (getifaddrs(&all) < 0)
		return;
	for (enum rank r = RANK_PUBLIC; r < RANK_NONE; r++)
		for (size_t f = 0; f < (v6 ? 2 : 1); f++)
			for (struct ifaddrs *i = all; i; i = i->ifa_next) {
				if (!address_of(&a, i, families[f]) ||
					rank(&a) != r)
					continue;
				address_ip(&a, text);
				add_server(j, text, port);
			}
	freeifaddrs(all);
}

void invitation_set_servers(struct join *j, const struct settings *s)
{
	bool v6 = !strcmp(s->bind_addr, "::");

	j->server_count = 0;
	for (size_t i = 0; i < s->public_count; i++)
		add_server(j, s->publics[i].host, s->publics[i].port);
	if (j->server_count > 0)
		return;
	if (!v6 && strcmp(s->bind_addr, "0.0.0.0") != 0)
		add_server(j, s->bind_addr, s->bind_port);
	else
		add_interfaces(j, s->bind_port, v6);
	if (j->server_count == 0)
		add_server(j, "127.0.0.1", s->bind_port);
}

void invitation_set_pins(struct join *j, const struct pin_list *pins)
{
	j->pin_count = pins->n;
	for (size_t i = 0; i < pins->n; i++)
		pin_write(j->pins[i], &pins->v[i]);
}

int invitation_write(char out[static JOIN_TEXT_SIZE], const struct settings *s,
	const char *name, const char *token, const struct pin_list *pins,
	char error[static JOIN_ERROR_SIZE])
{
	struct join j = { 0 };
	int rc;

	snprintf(j.name, sizeof(j.name), "%s", name);
	snprintf(j.token, sizeof(j.token), "%s", token);
	invitation_set_servers(&j, s);
	invitation_set_pins(&j, pins);
	join_write(out, &j);
	/* A host that cannot stand in one is found here. */
	rc = join_parse(&j, out, strlen(out), error);
	join_wipe(&j);
	if (rc < 0)
		explicit_bzero(out, JOIN_TEXT_SIZE);
	return rc;
}
