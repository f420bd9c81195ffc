/* SPDX-License-Identifier: Apache-2.0 */

/* What is asked of a layer from outside; a quiet one, taken apart. */

#include "common/relay/layer.h"

#include <assert.h>

#include "common/event/loop.h"

const char *layer_trouble(const struct stream *s)
{
	return layer_of(s)->transform->trouble;
}

bool layer_is_reset(const struct stream *s)
{
	return stream_is_reset(layer_of(s)->below);
}

bool layer_can_rest(const struct stream *s)
{
	const struct layer *l = layer_of(s);

	return !l->transform->shaking && !l->transform->has_words &&
	       !l->transform->ended && !l->opening && !l->more &&
	       l->read_end == 1 && l->write_error == 0 &&
	       l->end == LAYER_OPEN && !s->unread.head && s->read_end == 1 &&
	       !stream_is_writing(s) && !stream_is_writing(l->below);
}

struct stream *layer_detach(struct stream *s, struct transform **t_r)
{
	struct layer *l = layer_of(s);
	struct stream *below = l->below;

	assert(layer_can_rest(s));
	loop_cancel_timer(s->loop, &l->timer);
	stream_leave_reading(below);
	*t_r = l->transform;
	pool_give(l->home, l);
	return below;
}
