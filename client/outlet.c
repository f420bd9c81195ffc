/* SPDX-License-Identifier: Apache-2.0 */

#include "client/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool outlet_add(struct outlet *o, const char *text, size_t n)
{
	if (n > OUTLET_SIZE - o->size)
		return false;
	memcpy(o->text + o->size, text, n);
	o->size += n;
	return true;
}

bool outlet_has_room(const struct outlet *o, int timeout)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	return poll(&p, 1, timeout) > 0;
}

/* How many bytes were taken; 0 when it is stuck or dead. */
static size_t write_some(struct outlet *o, const char *text, size_t n)
{
	ssize_t done;

	do
		done = write(o->fd, text, n);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno != EAGAIN)
		o->dead = true;
	return done > 0 ? (size_t)done : 0;
}

void outlet_write(struct outlet *o, const char *text, size_t n)
{
	while (n > 0 && !o->dead) {
		size_t done = write_some(o, text, n);

		/* Somebody has made the descriptor non-blocking. */
		if (done == 0)
			outlet_has_room(o, -1);
		text += done;
		n -= done;
	}
}

void outlet_pour(struct outlet *o)
{
	outlet_write(o, o->text, o->size);
	o->size = 0;
}

/* The first lines, of which a pipe takes all or none: pipe(7). */
static size_t piece_of(const struct outlet *o)
{
	if (o->size <= PIPE_BUF)
		return o->size;
	for (size_t n = PIPE_BUF; n > 0; n--)
		if (o->text[n - 1] == '\n')
			return n;
	return PIPE_BUF;
}

void outlet_print(struct outlet *o, int timeout)
{
	while (o->size > 0 && !o->dead && outlet_has_room(o, timeout)) {
		size_t done = write_some(o, o->text, piece_of(o));

		o->size -= done;
		memmove(o->text, o->text + done, o->size);
		if (done == 0)
			break;
	}
	if (o->dead)
		o->size = 0;
}
