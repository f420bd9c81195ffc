/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/wrap.h"

#include "common/crypto/cfb.h"
#include "common/relay/layer.h"
#include "common/wire/snappy.h"

struct stream *wrap_open(
	struct pool *layers, struct stream *s, const struct wrap *w)
{
	if (w->key)
		s = layer_open(layers, s, cfb_new(w->key, NULL));
	if (s && w->compresses)
		s = layer_open(layers, s, snappy_new());
	return s;
}
