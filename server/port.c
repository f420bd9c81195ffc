/* SPDX-License-Identifier: Apache-2.0 */

#include "server/port.h"

#include <errno.h>

#include "common/crypto/random.h"
#include "server/proxy.h"
#include "server/worker.h"

/* Random ports tried, of a restricted set, before it is walked in order. */
#define RANDOM_TRIES 16

static bool is_allowed(const struct settings *s, int64_t port)
{
	if (port < 1 || port > UINT16_MAX)
		return false;
	for (size_t i = 0; i < s->allow_ports.n; i++)
		if (port >= s->allow_ports.v[i].start &&
			port <= s->allow_ports.v[i].end)
			return true;
	return s->allow_ports.n == 0;
}

/* Listen on the port, 0 for the kernel's choice; NULL or why not. */
static const char *listen_on(struct worker *w, struct proxy *p, uint16_t port,
	void (*accepted)(struct listener *l, int fd))
{
	struct address a;
	int rc;

	if (port && directory_find_port(&w->directory, port))
		return "port already used";
	if (address_parse(&a, w->settings->proxy_bind_addr, port) < 0)
		return "port unavailable";
	rc = listener_open(&p->listener, w, &a, p, accepted);
	if (rc < 0)
		return rc == -ENOBUFS ? "no available port"
				      : "port unavailable";
	p->port = p->listener->port;
	if (directory_claim_port(&w->directory, p->port, p) == 0)
		return NULL;
	listener_close(&p->listener);
	p->port = 0;
	return "port unavailable";
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

static const char *listen_anywhere(struct worker *w, struct proxy *p,
	void (*accepted)(struct listener *l, int fd))
{
	const struct conf_ranges *r = &w->settings->allow_ports;
	uint32_t n = count_allowed(r), at;

	if (r->n == 0)
		return listen_on(w, p, 0, accepted) ? "no available port"
						    : NULL;
	for (int i = 0; i < RANDOM_TRIES; i++) {
		random_bytes(&at, sizeof(at));
		if (!listen_on(w, p, nth_allowed(r, at % n), accepted))
			return NULL;
	}
	for (at = 0; at < n; at++)
		if (!listen_on(w, p, nth_allowed(r, at), accepted))
			return NULL;
	return "no available port";
}

const char *port_open(struct worker *w, struct proxy *p, int64_t asked,
	void (*accepted)(struct listener *l, int fd))
{
	struct directory *d = &w->directory;
	int64_t now = worker_loop(w)->now;
	const char *error;
	uint16_t before;

	if (asked != 0) {
		if (!is_allowed(w->settings, asked))
			return "port not allowed";
		error = listen_on(w, p, (uint16_t)asked, accepted);
	} else {
		before = directory_recall(d, p->name, now);
		error = "no memory of a port";
		if (is_allowed(w->settings, before))
			error = listen_on(w, p, before, accepted);
		if (error)
			error = listen_anywhere(w, p, accepted);
	}
	if (!error)
		directory_remember(d, p->name, p->port, now);
	return error;
}
