/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/port.h"

#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/socket.h"
#include "common/crypto/random.h"
#include "server/registry/port_memory.h"
#include "server/registry/registration.h"
#include "server/users/policy.h"
#include "server/worker.h"

/* Random ports tried, of a restricted set, before it is walked in order. */
#define RANDOM_TRIES 16

static const char *name_of(const struct port_request *r)
{
	return claim_name(r->claim);
}

static const struct user *user_of(const struct port_request *r)
{
	return users_find_by_proxy(r->worker->users, name_of(r));
}

static int count_workers(const struct port_request *r)
{
	return (int)r->worker->server->worker_count;
}

/* What the name had; 0: nothing. */
static uint16_t port_before(const struct port_request *r)
{
	return port_recall(r->memory, name_of(r), worker_loop(r->worker)->now);
}

static bool is_allowed(const struct port_request *r, int64_t port)
{
	const struct settings *s = r->worker->settings;

	if (port < 1 || port > UINT16_MAX ||
		!policy_allows_port(
			r->worker->users, user_of(r), (uint16_t)port))
		return false;
	for (size_t i = 0; i < s->allow_ports.n; i++)
		if (port >= s->allow_ports.v[i].start &&
			port <= s->allow_ports.v[i].end)
			return true;
	return s->allow_ports.n == 0;
}

/* One of our own proxies has it, or will have it again. */
static bool is_taken(const struct port_request *r, uint16_t port)
{
	const struct awaited *a = &r->worker->server->arrival.awaited;
	const char *owner = awaited_owner(a, port);
	char text[8];

	return (owner && strcmp(owner, name_of(r)) != 0) ||
	       names_find(
		       r->names, NAME_OF_PORT, registration_port(text, port));
}

bool port_is_leaving(const struct port_request *r)
{
	int64_t port = r->claim->port ? r->claim->port : port_before(r);
	char text[8];

	return port >= 1 && port <= UINT16_MAX &&
	       registration_look(r->names, NAME_OF_PORT,
		       registration_port(text, (uint16_t)port)) == VERDICT_WAIT;
}

/* Listen on the port, 0 for the kernel's choice; NULL or why not. */
static const char *listen_on(
	const struct port_request *r, uint16_t port, int *fds, uint16_t *port_r)
{
	struct inherited *given = &r->worker->server->inherited;
	struct address a;

	if (port && is_taken(r, port))
		return "port already used";
	if (address_parse(&a, r->worker->settings->proxy_bind_addr, port) < 0)
		return "port unavailable";
	if (inherited_take(given, &a, fds, count_workers(r))) {
		if (fds[0] < 0)
			return "port unavailable";
	} else if (socket_listen_shared(&a, fds, count_workers(r)) < 0) {
		return "port unavailable";
	}
	address_of_self(&a, fds[0]);
	*port_r = address_port(&a);
	return NULL;
}

/* Which ports there are to choose from; empty: all. */
static const struct conf_ranges *choice_of(const struct port_request *r)
{
	const struct user *u = user_of(r);

	return u && u->says->ports.n > 0 ? &u->says->ports
					 : &r->worker->settings->allow_ports;
}

/* How many ports allowPorts has, and the n-th of them. */
static uint32_t count_allowed(const struct conf_ranges *r)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += (uint32_t)(r->v[i].end - r->v[i].start) + 1;
	return n;
}

static uint16_t nth_allowed(const struct conf_ranges *r, uint32_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		uint32_t size = (uint32_t)(r->v[i].end - r->v[i].start) + 1;

		if (n < size)
			return (uint16_t)(r->v[i].start + n);
		n -= size;
	}
	return 0;
}

/* The kernel's choice, if it may be. */
static bool listen_on_any(
	const struct port_request *r, int *fds, uint16_t *port_r)
{
	if (listen_on(r, 0, fds, port_r))
		return false;
	if (is_allowed(r, *port_r))
		return true;
	for (int i = 0; i < count_workers(r); i++)
		close(fds[i]);
	return false;
}

/* The n-th of those to choose from, if it may be. */
static bool listen_on_nth(
	const struct port_request *r, uint32_t n, int *fds, uint16_t *port_r)
{
	uint16_t port = nth_allowed(choice_of(r), n);

	return is_allowed(r, port) && !listen_on(r, port, fds, port_r);
}

static const char *listen_anywhere(
	const struct port_request *r, int *fds, uint16_t *port_r)
{
	uint32_t n = count_allowed(choice_of(r)), at;

	for (int i = 0; i < RANDOM_TRIES; i++) {
		random_bytes(&at, sizeof(at));
		if (n == 0 ? listen_on_any(r, fds, port_r)
			   : listen_on_nth(r, at % n, fds, port_r))
			return NULL;
	}
	for (at = 0; at < n; at++)
		if (listen_on_nth(r, at, fds, port_r))
			return NULL;
	return "no available port";
}

const char *port_open(const struct port_request *r, int *fds, uint16_t *port_r)
{
	int64_t asked = r->claim->port;
	uint16_t before = port_before(r);

	if (asked != 0) {
		if (!is_allowed(r, asked))
			return "port not allowed";
		return listen_on(r, (uint16_t)asked, fds, port_r);
	}
	if (is_allowed(r, before) && !listen_on(r, before, fds, port_r))
		return NULL;
	return listen_anywhere(r, fds, port_r);
}
