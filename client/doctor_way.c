/* SPDX-License-Identifier: Apache-2.0 */

/* The way to the server: its name, a connection, how large its packets are. */

#include "client/doctor_internal.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/socket.h"
#include "common/event/name_server.h"

/* Packets of less than this are a sign of a way that is not well. */
#define SEGMENT_LEAST 1200

static void set_port(struct address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

static int ask_system(
	const char *host, struct address *addresses, const char **error_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int n = 0, rc = getaddrinfo(host, NULL, &hints, &list);

	if (rc != 0) {
		*error_r = gai_strerror(rc);
		return 0;
	}
	for (struct addrinfo *i = list; i && n < DOCTOR_ADDRESSES;
		i = i->ai_next) {
		if (i->ai_addrlen > sizeof(addresses->v6))
			continue;
		memcpy(&addresses[n].any, i->ai_addr, i->ai_addrlen);
		addresses[n++].size = i->ai_addrlen;
	}
	freeaddrinfo(list);
	return n;
}

int doctor_resolve(const struct doctor *d, const char *host, uint16_t port,
	struct address *addresses, const char **error_r)
{
	struct name_server *server;
	int n = 0;

	*error_r = "no address";
	if (address_parse(&addresses[0], host, port) == 0)
		return 1;
	n = address_localhost(addresses, host, port);
	if (n > 0)
		return n;
	if (!*d->settings->dns_server) {
		n = ask_system(host, addresses, error_r);
	} else if (name_server_create(&server, d->settings->dns_server) == 0) {
		n = name_server_ask(
			server, host, addresses, DOCTOR_ADDRESSES, error_r);
		name_server_destroy(&server);
	}
	for (int i = 0; i < n; i++)
		set_port(&addresses[i], port);
	return n;
}

static bool find_name(struct doctor *d, const char *host, uint16_t port)
{
	char text[DOCTOR_ADDRESSES * ADDRESS_TEXT_SIZE] = "";
	struct address literal;
	const char *error;
	size_t n = 0;

	d->count = doctor_resolve(d, host, port, d->addresses, &error);
	if (d->count == 0) {
		doctor_say(d, DOCTOR_FAIL, "name",
			"is it spelled right (serverAddr), and is there a way "
			"to a DNS server? `getent hosts NAME` asks the system",
			"%s: %s%s%s", host, error,
			*d->settings->dns_server ? ", says " : "",
			d->settings->dns_server);
		return false;
	}
	if (address_parse(&literal, host, port) == 0) {
		doctor_say(
			d, DOCTOR_OK, "name", NULL, "%s is an address", host);
		return true;
	}
	for (int i = 0; i < d->count; i++) {
		char ip[ADDRESS_TEXT_SIZE];

		address_ip(&d->addresses[i], ip);
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%s", i ? ", " : "", ip);
	}
	doctor_say(d, DOCTOR_OK, "name", NULL, "%s is %s", host, text);
	return true;
}

/* --- connections --- */

/* Through the gateway to the server; 0, or -errno and `why`. */
static int pass_gateway(struct doctor *d)
{
	struct gateway_talk *t = malloc(sizeof(*t));
	enum gateway_step step = GATEWAY_SEND;
	ssize_t rc = t ? 0 : -ENOMEM;
	uint8_t bytes[512];

	if (t)
		gateway_begin(t, &d->gateway, d->host, d->port);
	while (rc >= 0 && step != GATEWAY_THROUGH) {
		if (step == GATEWAY_SEND)
			rc = dialogue_send(&d->talk, t->out, t->out_size);
		if (rc >= 0)
			rc = dialogue_receive(&d->talk, bytes, sizeof(bytes));
		if (rc == 0)
			rc = -ECONNRESET;
		if (rc > 0)
			step = gateway_received(t, bytes, (size_t)rc);
		if (step == GATEWAY_REFUSED)
			rc = -ECONNREFUSED;
	}
	if (rc < 0)
		doctor_blame(d, (int)rc);
	if (step == GATEWAY_REFUSED)
		snprintf(d->why, sizeof(d->why), "%s", t->error);
	if (t)
		explicit_bzero(t, sizeof(*t));
	free(t);
	return rc < 0 ? (int)rc : 0;
}

static int connect_to(struct doctor *d, const struct address *a)
{
	const char *from = d->settings->connect_server_local_ip;
	struct address local;
	int rc;

	dialogue_close(&d->talk);
	d->adit = false;
	rc = dialogue_connect(&d->talk, a,
		address_parse(&local, from, 0) == 0 ? &local : NULL,
		clock_now() + DOCTOR_TIME);
	if (rc < 0)
		doctor_blame(d, rc);
	return rc;
}

int doctor_dial(struct doctor *d)
{
	int rc = connect_to(d, &d->at);

	return rc == 0 && d->gateway.kind ? pass_gateway(d) : rc;
}

/* --- the route --- */

static const char *route_advice(const struct doctor *d, int rc)
{
	switch (rc) {
	case -ECONNREFUSED:
		if (d->gateway.kind)
			return "nobody listens there: does the proxy run that "
			       "transport.proxyURL, or http_proxy in the "
			       "environment, names?";
		return "nobody listens there: does aditd run, and is this its "
		       "bindPort?";
	case -ETIMEDOUT:
		return "a firewall may drop it: open the port on the server, "
		       "and ask who runs the networks between";
	case -EHOSTUNREACH:
		return "there is no such machine, or a firewall on the way "
		       "rejects it: is the address right, is the port open on "
		       "the server?";
	case -EINVAL:
	case -EACCES:
	case -EPERM:
		return "a route or the firewall of this machine forbids it: "
		       "`ip route get ADDRESS`, and the rules for what goes "
		       "out";
	case -ENETUNREACH:
		return "this machine has no way there: look at its network "
		       "(`ip route get ADDRESS`)";
	case -EADDRNOTAVAIL:
		return "transport.connectServerLocalIP has to be an address "
		       "of this machine";
	default:
		return "look at the network of this machine";
	}
}

/* The first address that answers is where all else goes. */
static bool find_route(struct doctor *d, const char *whose)
{
	char where[ADDRESS_TEXT_SIZE] = "";
	int rc = -EADDRNOTAVAIL;
	int64_t begin = 0;

	for (int i = 0; i < d->count && rc < 0; i++) {
		d->at = d->addresses[i];
		address_text(&d->at, where);
		begin = clock_now();
		rc = connect_to(d, &d->at);
		if (rc < 0 && i + 1 < d->count)
			doctor_say(d, DOCTOR_WARN, "route", NULL,
				"%s%s: %s; the next address is tried", whose,
				where, d->why);
	}
	if (rc < 0)
		doctor_say(d, DOCTOR_FAIL, "route", route_advice(d, rc),
			"%s%s: %s", whose, where, d->why);
	else
		doctor_say(d, DOCTOR_OK, "route", NULL,
			"%s%s takes connections, in %.1f ms", whose, where,
			(double)(clock_now() - begin) / CLOCK_MS);
	return rc == 0;
}

bool doctor_find(struct doctor *d)
{
	const struct settings *s = d->settings;
	const struct gateway *g = &d->gateway;
	char shown[GATEWAY_URL_SIZE], where[ADDRESS_HOST_SIZE + 16];

	if (!g->kind)
		return find_name(d, d->host, d->port) && find_route(d, "");
	gateway_show(s->proxy_url, shown);
	if (!find_name(d, g->host, g->port) ||
		!find_route(d, "transport.proxyURL: "))
		return false;
	if (pass_gateway(d) == 0) {
		address_join(where, sizeof(where), d->host, d->port);
		doctor_say(d, DOCTOR_OK, "proxy", NULL, "%s lets through to %s",
			shown, where);
		return true;
	}
	doctor_say(d, DOCTOR_FAIL, "proxy",
		"transport.proxyURL (or http_proxy in the environment) names "
		"it: its rules have to allow this server and port",
		"%s: %s", shown, d->why);
	return false;
}

void doctor_measure(struct doctor *d)
{
	int segment = socket_segment(d->talk.fd);

	if (segment < 0)
		doctor_say(d, DOCTOR_UNKNOWN, "mtu", NULL, "not known");
	else if (segment < SEGMENT_LEAST)
		doctor_say(d, DOCTOR_WARN, "mtu",
			"a VPN or tunnel on the way makes packets small; if "
			"bulk stalls, lower the MTU here (`ip link set DEV mtu "
			"1280`)",
			"segments of %d bytes only", segment);
	else
		doctor_say(d, DOCTOR_OK, "mtu", NULL, "segments of %d bytes",
			segment);
}
