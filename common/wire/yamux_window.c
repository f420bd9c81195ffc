/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/yamux_window.h"

#include "common/wire/yamux.h"

void yamux_window_init(struct yamux_window *w)
{
	w->size = w->credit = YAMUX_WINDOW;
}

bool yamux_window_take(struct yamux_window *w, uint32_t n)
{
	if (n > w->credit)
		return false;
	w->credit -= n;
	return true;
}

/* What may be granted within the size. */
static uint32_t room(const struct yamux_window *w, uint32_t held)
{
	uint32_t taken = w->credit + held;

	return taken < w->size ? w->size - taken : 0;
}

bool yamux_window_is_due(const struct yamux_window *w, uint32_t held)
{
	return room(w, held) >= w->size / 2;
}

static uint32_t next_size(uint32_t size, uint32_t held, uint32_t max)
{
	if (held > size / 4)
		return size / 2 > YAMUX_WINDOW ? size / 2 : YAMUX_WINDOW;
	if (max <= size)
		return size;
	return max / 2 < size ? max : 2 * size;
}

uint32_t yamux_window_grant(struct yamux_window *w, uint32_t held, uint32_t max)
{
	uint32_t delta;

	if (!yamux_window_is_due(w, held))
		return 0;
	w->size = next_size(w->size, held, max);
	delta = room(w, held);
	w->credit += delta;
	return delta;
}
