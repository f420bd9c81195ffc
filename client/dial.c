/* SPDX-License-Identifier: Apache-2.0 */

#include "client/dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "common/base/socket.h"

static void dial_polled(struct op *op, int result);

/* Free the dial once nothing is in flight. */
static void dial_join(struct dial *d)
{
	d->state = DIAL_ENDED;
	loop_cancel_timer(client_loop(d->client), &d->timer);
	if (op_in_flight(&d->poll)) {
		op_cancel(client_loop(d->client), &d->poll);
		return;
	}
	if (d->fd >= 0)
		close(d->fd);
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

/* Try addresses until one is pending. True: the dial is over. */
static bool dial_try(struct dial *d)
{
	bool pending;

	while (d->next < d->count) {
		struct address *a = &d->addresses[d->next++];
		int fd = socket_connect(a, d->local, &pending);

		if (fd < 0) {
			d->error = -fd;
			continue;
		}
		d->fd = fd;
		if (!pending) {
			dial_end(d, fd, NULL);
			return true;
		}
		op_poll(client_loop(d->client), &d->poll, fd, POLLOUT,
			dial_polled);
		return false;
	}
	dial_end(d, -1, strerror(d->error ? d->error : EADDRNOTAVAIL));
	return true;
}

static void dial_polled(struct op *op, int result)
{
	struct dial *d = container_of(op, struct dial, poll);
	int rc = result < 0 ? result : socket_error(d->fd);

	if (d->state == DIAL_ENDED) {
		dial_join(d);
		return;
	}
	if (rc == 0) {
		dial_end(d, d->fd, NULL);
		return;
	}
	d->error = -rc;
	close(d->fd);
	d->fd = -1;
	dial_try(d);
}

static void dial_late(struct timer *t)
{
	dial_end(container_of(t, struct dial, timer), -1,
		"i/o timeout: no answer in time");
}

static void dial_resolved(struct mailbox *m, struct letter *letter)
{
	struct core *core = container_of(m, struct core, mailbox);
	struct client *c = container_of(core, struct client, core);
	struct resolution *r = container_of(letter, struct resolution, letter);
	struct dial *d = pool_find(c->pools.dials, r->asker);

	if (!d || d->state != DIAL_RESOLVING)
		return;
	if (r->error) {
		dial_end(d, -1, gai_strerror(r->error));
		return;
	}
	d->state = DIAL_CONNECTING;
	d->count = r->count;
	memcpy(d->addresses, r->addresses, sizeof(d->addresses));
	dial_try(d);
}

struct dial *dial_start(struct client *c, struct dial_owner *owner,
	const char *host, uint16_t port, const struct address *address,
	const struct address *local, int64_t timeout)
{
	struct dial *d = pool_take(c->pools.dials);
	int rc;

	if (!d) {
		owner->done(owner, -1, "too many connections are being made");
		return NULL;
	}
	d->client = c;
	d->owner = owner;
	d->local = local;
	d->fd = -1;
	d->count = 1;
	if (address && address->size) {
		d->addresses[0] = *address;
		d->state = DIAL_CONNECTING;
	} else if (address_parse(&d->addresses[0], host, port) == 0) {
		d->state = DIAL_CONNECTING;
	}
	loop_set_timer(client_loop(c), &d->timer, timeout, dial_late);
	if (d->state == DIAL_CONNECTING)
		return dial_try(d) ? NULL : d;
	rc = resolver_ask(c->resolver, host, port, &c->core.mailbox,
		dial_resolved, pool_handle(d));
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
