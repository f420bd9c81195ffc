/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/drain.h"

#include <errno.h>

/* Throw away what is there; ask for more within the bound. */
static void drain_turn(struct drain *d)
{
	struct chunk *c;
	int n;

	while (d->left > 0 && (n = stream_take(d->source, &c)) != -EAGAIN) {
		if (n <= 0) {
			d->source = NULL;
			d->ended(d, n);
			return;
		}
		d->left -= d->left < (uint32_t)n ? d->left : (uint32_t)n;
		chunk_give(c);
	}
	if (d->left > 0)
		stream_read(d->source, &d->reader);
}

static void drain_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct drain *d = container_of(r, struct drain, reader);

	if (result > 0)
		stream_unread(d->source, c);
	drain_turn(d);
}

void drain_start(struct drain *d, struct stream *source,
	void (*ended)(struct drain *d, int result))
{
	d->source = source;
	d->reader.received = drain_received;
	d->left = DRAIN_MAX;
	d->ended = ended;
	drain_turn(d);
}

void drain_stop(struct drain *d)
{
	if (!d->source)
		return;
	if (d->source->reader == &d->reader)
		stream_leave_reading(d->source);
	d->source = NULL;
}
