/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/stack.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "common/relay/layer.h"

/* The socket's stream; *rest_r: whether all layers can rest. */
static const struct stream *bottom(const struct stream *s, bool *rest_r)
{
	unsigned layers = 0;

	*rest_r = true;
	for (; layer_is(s); s = layer_below(s)) {
		*rest_r = *rest_r && layer_can_rest(s);
		layers++;
	}
	*rest_r = *rest_r && layers <= STACK_LAYERS;
	return s;
}

bool stack_can_rest(const struct stream *s)
{
	bool rest;

	s = bottom(s, &rest);
	return rest && raw_stream_can_rest(s);
}

bool stack_can_move(const struct stream *s)
{
	bool rest;

	s = bottom(s, &rest);
	return rest && raw_stream_can_move(s);
}

void stack_rest(struct stream **sp, struct stack_rest *r, op_fn *stirred)
{
	struct transform *down[STACK_LAYERS]; /* the highest first */
	struct stream *s = *sp;
	unsigned n = 0;

	*sp = NULL;
	while (layer_is(s)) {
		assert(n < STACK_LAYERS);
		s = layer_detach(s, &down[n++]);
	}
	memset(r, 0, sizeof(*r));
	raw_stream_rest(&s, &r->socket, stirred);
	while (n > 0)
		r->layers[r->count++] = down[--n];
}

struct stream *stack_wake(struct pool *streams, struct pool *layers,
	struct loop *l, struct stack_rest *r)
{
	struct stream *s = raw_stream_wake(streams, l, &r->socket);
	unsigned i = 0;

	if (!s)
		return NULL;
	while (s && i < r->count)
		s = layer_open(layers, s, r->layers[i++]);
	for (; i < r->count; i++)
		transform_free(&r->layers[i]);
	r->count = 0;
	return s;
}

void stack_stir(struct stream *s, int result)
{
	while (layer_is(s))
		s = layer_below(s);
	raw_stream_stir(s, result);
}

void stack_discard(struct stack_rest *r)
{
	assert(!op_in_flight(&r->socket.recv));
	while (r->count > 0)
		transform_free(&r->layers[--r->count]);
	if (r->socket.fd >= 0)
		close(r->socket.fd);
	r->socket.fd = -1;
}
