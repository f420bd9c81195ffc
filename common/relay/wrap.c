/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/wrap.h"

#include "common/crypto/cfb.h"
#include "common/relay/layer.h"
#include "common/wire/snappy.h"

static struct stream *put(
	struct pool *layers, struct stream *s, struct transform *t)
{
	if (t)
		return layer_open(layers, s, t);
	stream_close(&s, true);
	return NULL;
}

struct stream *wrap_open(
	struct pool *layers, struct stream *s, const struct wrap *w)
{
	if (w->key)
		s = put(layers, s, cfb_new(w->key, NULL));
	if (s && w->compresses)
		s = put(layers, s, snappy_new());
	return s;
}
