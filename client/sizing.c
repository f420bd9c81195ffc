/* SPDX-License-Identifier: Apache-2.0 */

#include "client/sizing.h"

#include "client/client.h"
#include "common/base/cpus.h"
#include "common/conf/fit.h"
#include "common/event/loop.h"

uint32_t sizing_workers(const struct settings *s)
{
	return s->workers > 0 ? (uint32_t)s->workers
			      : (uint32_t)cpus_available("");
}

void sizing_fit(struct settings *s, uint32_t workers, int64_t memory)
{
	const int64_t buffers = chunk_pool_usual(CLIENT_CHUNK_SIZE);
	const struct conf_fit fits[] = {
		{ "limits.visitors", &s->max_visitors, 64,
			(int64_t)client_visitor_records() },
		{ "limits.buffers", &s->buffer_count, 16, buffers * workers },
		{ "transport.pipeCount", &s->pipe_count, 4,
			s->pipe_size * workers },
	};

	conf_fit(s->conf, fits, ARRAY_SIZE(fits),
		(int64_t)LOOP_BULK * LOOP_BULK_CHUNKS * workers, memory);
}
