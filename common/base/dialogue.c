/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/dialogue.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/socket.h"

/* Sealed at once, with what a transform may add. */
#define SEALED_SIZE (32 * 1024)

static size_t length_of(const struct dialogue_bytes *b)
{
	return b->to - b->from;
}

/* --- the socket --- */

/* Wait until the socket is ready for `events`. */
static int await(const struct dialogue *d, short events)
{
	struct pollfd p = { .fd = d->fd, .events = events };
	int64_t left = d->deadline - clock_now();
	int n;

	do {
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)(left / CLOCK_MS) + 1);
		left = d->deadline - clock_now();
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int send_bare(const struct dialogue *d, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		int rc = await(d, POLLOUT);
		ssize_t sent;

		if (rc < 0)
			return rc;
		sent = send(d->fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
		}
	}
	return 0;
}

static ssize_t receive_bare(
	const struct dialogue *d, uint8_t *buffer, size_t size)
{
	for (;;) {
		int rc = await(d, POLLIN);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = recv(d->fd, buffer, size, 0);
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

int dialogue_connect(struct dialogue *d, const struct address *a,
	const struct address *local, int64_t deadline)
{
	bool pending;
	int rc = 0;

	memset(d, 0, sizeof(*d));
	d->fd = socket_connect(a, local, &pending);
	if (d->fd < 0)
		return d->fd;
	d->connected = true;
	d->deadline = deadline;
	if (pending)
		rc = await(d, POLLOUT);
	if (rc == 0 && pending)
		rc = socket_error(d->fd);
	if (rc < 0)
		dialogue_close(d);
	return rc;
}

/* --- layers: the socket is level 0, layer[0] is level 1 --- */

/* Send bytes, or only what the transform has to say, by way of a level. */
static int send_by(
	struct dialogue *d, unsigned level, const uint8_t *bytes, size_t n)
{
	struct transform *t;

	if (level == 0)
		return send_bare(d, bytes, n);
	t = d->layer[level - 1].transform;
	while (n > 0 || t->has_words) {
		uint8_t out[SEALED_SIZE];
		size_t taken = n;
		ssize_t made = t->ops->seal(t, bytes, &taken, out, sizeof(out));
		int rc;

		if (made < 0)
			return (int)made;
		if (made == 0 && taken == 0)
			return n > 0 ? -EPROTO : 0;
		rc = send_by(d, level - 1, out, (size_t)made);
		if (rc < 0)
			return rc;
		/* Where it had only words there may be no pointer. */
		if (taken > 0)
			bytes += taken;
		n -= taken;
	}
	return 0;
}

static ssize_t receive_by(
	struct dialogue *d, unsigned level, uint8_t *buffer, size_t size);

/* Open what is there, and say what is to be said then. */
static int open_closed(struct dialogue *d, unsigned level)
{
	struct dialogue_layer *l = &d->layer[level - 1];
	struct transform *t = l->transform;
	size_t taken = length_of(&l->closed);
	ssize_t n = t->ops->open(t, l->closed.bytes + l->closed.from, &taken,
		l->opened.bytes, sizeof(l->opened.bytes));
	int rc;

	l->closed.from += taken;
	l->opened.from = 0;
	l->opened.to = n > 0 ? (size_t)n : 0;
	rc = send_by(d, level, NULL, 0);
	return n < 0 ? (int)n : rc;
}

/* More has come to a layer: 1; 0: nothing more will. */
static int fill(struct dialogue *d, unsigned level)
{
	struct dialogue_layer *l = &d->layer[level - 1];
	struct dialogue_bytes *closed = &l->closed;
	ssize_t n;

	if (l->transform->ended)
		return 0;
	n = receive_by(d, level - 1, closed->bytes, sizeof(closed->bytes));
	closed->from = 0;
	closed->to = n > 0 ? (size_t)n : 0;
	if (n == 0)
		n = l->transform->ops->below_ended(l->transform);
	return n > 0 ? 1 : (int)n;
}

static ssize_t receive_by(
	struct dialogue *d, unsigned level, uint8_t *buffer, size_t size)
{
	struct dialogue_layer *l = level ? &d->layer[level - 1] : NULL;
	size_t n;

	if (!l)
		return receive_bare(d, buffer, size);
	while (length_of(&l->opened) == 0) {
		int rc = open_closed(d, level);

		if (rc == 0 && length_of(&l->opened) == 0 &&
			length_of(&l->closed) == 0) {
			rc = fill(d, level);
			if (rc == 0)
				return 0;
		}
		if (rc < 0)
			return rc;
	}
	n = length_of(&l->opened) < size ? length_of(&l->opened) : size;
	memcpy(buffer, l->opened.bytes + l->opened.from, n);
	l->opened.from += n;
	return (ssize_t)n;
}

int dialogue_enter(struct dialogue *d, struct transform *t)
{
	struct dialogue_layer *l = &d->layer[d->layers];
	int rc;

	assert(d->layers < DIALOGUE_LAYERS);
	if (!t)
		return -ENOMEM;
	memset(l, 0, sizeof(*l));
	l->transform = t;
	d->layers++;
	rc = send_by(d, d->layers, NULL, 0);
	while (rc == 0 && t->shaking) {
		rc = fill(d, d->layers);
		if (rc == 0)
			return -ECONNRESET;
		rc = rc > 0 ? 0 : rc;
		while (rc == 0 && t->shaking && length_of(&l->closed) > 0)
			rc = open_closed(d, d->layers);
	}
	return rc;
}

int dialogue_send(struct dialogue *d, const void *bytes, size_t n)
{
	return send_by(d, d->layers, bytes, n);
}

ssize_t dialogue_receive(struct dialogue *d, void *buffer, size_t size)
{
	return receive_by(d, d->layers, buffer, size);
}

struct transform *dialogue_transform(const struct dialogue *d)
{
	return d->layers ? d->layer[d->layers - 1].transform : NULL;
}

void dialogue_close(struct dialogue *d)
{
	while (d->layers > 0)
		transform_free(&d->layer[--d->layers].transform);
	if (d->connected)
		close(d->fd);
	explicit_bzero(d, sizeof(*d));
}
