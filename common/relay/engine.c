/* SPDX-License-Identifier: Apache-2.0 */

#include "common/relay/engine.h"

struct engine engine_start(enum engine_mode mode)
{
	return (struct engine){ .mode = (uint8_t)mode,
		.kind = mode == ENGINE_ALWAYS_SPLICE ? ENGINE_SPLICE
						     : ENGINE_COPY };
}

struct engine engine_next(struct engine e, const struct engine_wake *w)
{
	if (e.mode != ENGINE_AUTO)
		return e;
	if (e.kind == ENGINE_COPY) {
		if (w->known >= ENGINE_BULK || (w->filled && w->backlog))
			e.kind = ENGINE_SPLICE;
		e.thin = 0;
		return e;
	}
	e.thin = w->bytes < ENGINE_THIN ? e.thin + 1 : 0;
	if (e.thin == ENGINE_THIN_WAKES) {
		e.kind = ENGINE_COPY;
		e.thin = 0;
	}
	return e;
}
