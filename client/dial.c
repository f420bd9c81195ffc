/* SPDX-License-Identifier: Apache-2.0 */

#include "client/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/crew.h"
#include "client/gateway.h"
#include "common/base/socket.h"

/*
 * An address that does not answer is given so long before the next one is
 * tried as well (RFC 8305).
 */
#define DIAL_PATIENCE (300 * CLOCK_MS)

static void dial_polled(struct op *op, int result);

/* What is still being tried is not wanted any more; whether something is. */
static bool dial_stop_tries(struct dial *d)
{
	bool any = false;

	loop_cancel_timer(client_loop(d->client), &d->patience);
	for (int i = 0; i < d->next; i++) {
		any |= op_in_flight(&d->tries[i].poll);
		op_cancel(client_loop(d->client), &d->tries[i].poll);
	}
	return any;
}

/* Free the dial once nothing is in flight. */
static void dial_join(struct dial *d)
{
	bool tries = dial_stop_tries(d);

	d->state = DIAL_ENDED;
	loop_cancel_timer(client_loop(d->client), &d->timer);
	op_cancel(client_loop(d->client), &d->talking);
	if (tries || op_in_flight(&d->talking))
		return;
	if (d->talk)
		explicit_bzero(d->talk, sizeof(*d->talk));
	free(d->talk);
	if (d->fd >= 0)
		loop_close(client_loop(d->client), d->fd);
	pool_give(d->client->pools.dials, d);
}

static void dial_end(struct dial *d, int fd, const char *error)
{
	struct dial_owner *o = d->owner;

	if (fd >= 0)
		d->fd = -1;
	dial_join(d);
	o->done(o, fd, error);
}

/* --- the gateway --- */

/* Go on with the conversation. */
static void dial_step(struct dial *d, enum gateway_step step);

static void dial_said(struct op *op, int result)
{
	struct dial *d = container_of(op, struct dial, talking);
	struct gateway_talk *t = d->talk;

	if (d->state == DIAL_ENDED) {
		dial_join(d);
		return;
	}
	if (result <= 0) {
		dial_end(d, -1, strerror(-result));
		return;
	}
	/* The rest, if it was taken in part. */
	t->out_size -= (size_t)result;
	memmove(t->out, t->out + result, t->out_size);
	dial_step(d, t->out_size > 0 ? GATEWAY_SEND : GATEWAY_AWAIT);
}

static void dial_heard(struct op *op, int result)
{
	struct dial *d = container_of(op, struct dial, talking);
	struct chunk *c = op->chunk;
	enum gateway_step step;

	op->chunk = NULL;
	if (d->state == DIAL_ENDED) {
		chunk_give(c);
		dial_join(d);
		return;
	}
	if (result <= 0) {
		dial_end(d, -1,
			result < 0 ? strerror(-result)
				   : "transport.proxyURL: the proxy closed the "
				     "connection");
		return;
	}
	step = gateway_received(d->talk, chunk_bytes(c), chunk_length(c));
	chunk_give(c);
	dial_step(d, step);
}

static void dial_step(struct dial *d, enum gateway_step step)
{
	struct loop *l = client_loop(d->client);
	struct gateway_talk *t = d->talk;
	char why[sizeof(t->error)];

	switch (step) {
	case GATEWAY_SEND:
		op_send(l, &d->talking, d->fd, t->out, (uint32_t)t->out_size,
			false, dial_said);
		break;
	case GATEWAY_AWAIT:
		op_recv(l, &d->talking, d->fd, dial_heard);
		break;
	case GATEWAY_THROUGH:
		dial_end(d, d->fd, NULL);
		break;
	case GATEWAY_REFUSED:
		/* The talk is freed before the owner reads it. */
		memcpy(why, t->error, sizeof(why));
		dial_end(d, -1, why);
		break;
	}
}

/* Connected: to whom was asked for, or to the gateway. True: over. */
static bool dial_connected(struct dial *d, int fd)
{
	const struct dial_params *p = &d->params;

	d->fd = fd;
	dial_stop_tries(d);
	if (!p->gateway) {
		dial_end(d, d->fd, NULL);
		return true;
	}
	d->talk = malloc(sizeof(*d->talk));
	if (!d->talk) {
		dial_end(d, -1, strerror(ENOMEM));
		return true;
	}
	d->state = DIAL_TALKING;
	gateway_begin(d->talk, p->gateway, p->host, p->port);
	dial_step(d, GATEWAY_SEND);
	return false;
}

/* --- connecting --- */

static bool dial_is_trying(const struct dial *d)
{
	bool any = false;

	for (int i = 0; i < d->next; i++)
		any |= op_in_flight(&d->tries[i].poll);
	return any;
}

static void dial_impatient(struct timer *t);

/* A refusal says more than that another address cannot be reached. */
static void dial_failed(struct dial *d, int error)
{
	if (d->error != ECONNREFUSED)
		d->error = error;
}

/* Try addresses until one is pending. True: the dial is over. */
static bool dial_next(struct dial *d)
{
	struct loop *l = client_loop(d->client);
	bool pending;

	loop_cancel_timer(l, &d->patience);
	while (d->next < d->count) {
		struct dial_try *t = &d->tries[d->next];
		int fd = socket_connect(
			&d->addresses[d->next++], d->params.local, &pending);

		if (fd < 0) {
			dial_failed(d, -fd);
			continue;
		}
		if (!pending)
			return dial_connected(d, fd);
		t->dial = d;
		t->fd = fd;
		op_poll(l, &t->poll, fd, POLLOUT, dial_polled);
		if (d->next < d->count)
			loop_set_timer(
				l, &d->patience, DIAL_PATIENCE, dial_impatient);
		return false;
	}
	if (dial_is_trying(d))
		return false;
	dial_end(d, -1, strerror(d->error ? d->error : EADDRNOTAVAIL));
	return true;
}

static void dial_impatient(struct timer *t)
{
	dial_next(container_of(t, struct dial, patience));
}

static void dial_polled(struct op *op, int result)
{
	struct dial_try *t = container_of(op, struct dial_try, poll);
	struct dial *d = t->dial;
	int rc = result < 0 ? result : socket_error(t->fd);

	if (rc == 0 && d->state == DIAL_CONNECTING) {
		dial_connected(d, t->fd);
		return;
	}
	loop_close(client_loop(d->client), t->fd);
	if (d->state == DIAL_ENDED) {
		dial_join(d);
	} else if (d->state == DIAL_CONNECTING) {
		dial_failed(d, -rc);
		dial_next(d);
	}
}

static void dial_late(struct timer *t)
{
	dial_end(container_of(t, struct dial, timer), -1,
		"i/o timeout: no answer in time");
}

static void dial_resolved(struct mailbox *m, struct letter *letter)
{
	struct client *c = client_of_mailbox(m);
	struct resolution *r = container_of(letter, struct resolution, letter);
	struct dial *d = pool_find(c->pools.dials, r->asker);

	if (!d || d->state != DIAL_RESOLVING)
		return;
	if (r->answer.error) {
		dial_end(d, -1, r->answer.error);
		return;
	}
	d->state = DIAL_CONNECTING;
	d->count = r->answer.count;
	memcpy(d->addresses, r->answer.addresses, sizeof(d->addresses));
	dial_next(d);
}

static int dial_resolve(struct dial *d, const char *host, uint16_t port)
{
	struct client *c = d->client;
	struct resolver_question q = { .host = host,
		.port = port,
		.urgent = d->params.to_server,
		.until = client_loop(c)->now + d->params.timeout,
		.reply_to = &c->core.mailbox,
		.deliver = dial_resolved,
		.asker = pool_handle(d) };

	return resolver_ask(c->crew->resolver, &q);
}

struct dial *dial_start(
	struct client *c, struct dial_owner *owner, const struct dial_params *p)
{
	const char *host = p->gateway ? p->gateway->host : p->host;
	uint16_t port = p->gateway ? p->gateway->port : p->port;
	struct dial *d = pool_take(c->pools.dials);
	int rc;

	if (!d) {
		owner->done(owner, -1, "too many connections are being made");
		return NULL;
	}
	d->client = c;
	d->owner = owner;
	d->params = *p;
	d->fd = -1;
	d->count = 1;
	if (!p->gateway && p->address && p->address->size) {
		d->addresses[0] = *p->address;
		d->state = DIAL_CONNECTING;
	} else if (address_parse(&d->addresses[0], host, port) == 0) {
		d->state = DIAL_CONNECTING;
	} else if (address_localhost(d->addresses, host, port) > 0) {
		d->count = 2;
		d->state = DIAL_CONNECTING;
	}
	loop_set_timer(client_loop(c), &d->timer, p->timeout, dial_late);
	if (d->state == DIAL_CONNECTING)
		return dial_next(d) ? NULL : d;
	rc = dial_resolve(d, host, port);
	if (rc == 0)
		return d;
	dial_end(d, -1, strerror(-rc));
	return NULL;
}

void dial_cancel(struct dial **dp)
{
	struct dial *d = *dp;

	if (!d)
		return;
	*dp = NULL;
	dial_join(d);
}
