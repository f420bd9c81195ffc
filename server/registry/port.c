/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/port.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/socket.h"
#include "common/crypto/random.h"

/* Random ports tried, of a restricted set, before it is walked in order. */
#define RANDOM_TRIES 16

static bool is_allowed(const struct port_request *r, int64_t port)
{
	const struct settings *s = r->settings;

	if (port < 1 || port > UINT16_MAX ||
		!r->is_open_to(r->arg, (uint16_t)port))
		return false;
	for (size_t i = 0; i < s->allow_ports.n; i++)
		if (port >= s->allow_ports.v[i].start &&
			port <= s->allow_ports.v[i].end)
			return true;
	return s->allow_ports.n == 0;
}

/* Listen on the port, 0 for the kernel's choice; NULL or why not. */
static const char *listen_on(
	const struct port_request *r, uint16_t port, int *fds, uint16_t *port_r)
{
	struct address a;

	if (port && r->is_taken(r->arg, port))
		return "port already used";
	if (address_parse(&a, r->settings->proxy_bind_addr, port) < 0)
		return "port unavailable";
	if (inherited_take(r->inherited, &a, fds, r->workers)) {
		if (fds[0] < 0)
			return "port unavailable";
	} else if (socket_listen_shared(&a, fds, r->workers) < 0) {
		return "port unavailable";
	}
	address_of_self(&a, fds[0]);
	*port_r = address_port(&a);
	return NULL;
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
	for (int i = 0; i < r->workers; i++)
		close(fds[i]);
	return false;
}

/* The n-th of those to choose from, if it may be. */
static bool listen_on_nth(
	const struct port_request *r, uint32_t n, int *fds, uint16_t *port_r)
{
	uint16_t port = nth_allowed(r->from, n);

	return is_allowed(r, port) && !listen_on(r, port, fds, port_r);
}

static const char *listen_anywhere(
	const struct port_request *r, int *fds, uint16_t *port_r)
{
	uint32_t n = count_allowed(r->from), at;

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
	if (r->asked != 0) {
		if (!is_allowed(r, r->asked))
			return "port not allowed";
		return listen_on(r, (uint16_t)r->asked, fds, port_r);
	}
	if (is_allowed(r, r->before) && !listen_on(r, r->before, fds, port_r))
		return NULL;
	return listen_anywhere(r, fds, port_r);
}
