/* SPDX-License-Identifier: Apache-2.0 */

#include "server/sizing.h"

#include "common/base/cpus.h"
#include "common/conf/fit.h"
#include "common/event/loop.h"
#include "server/worker.h"

uint32_t sizing_workers(const struct settings *s)
{
	uint32_t n = s->workers > 0 ? (uint32_t)s->workers
				    : (uint32_t)cpus_available("");

	return n < SETTINGS_WORKERS_MAX ? n : SETTINGS_WORKERS_MAX;
}

void sizing_fit(struct settings *s, uint32_t workers, int64_t memory)
{
	const int64_t buffers = chunk_pool_usual(WORKER_CHUNK_SIZE);
	const struct conf_fit fits[] = {
		{ "limits.visitors", &s->max_visitors, 64,
			(int64_t)worker_visitor_records() },
		{ "limits.workConnections", &s->max_work_conns, 64,
			(int64_t)worker_work_records() },
		{ "limits.buffers", &s->buffer_count, 16, buffers * workers },
		{ "transport.pipeCount", &s->pipe_count, 4,
			s->pipe_size * workers },
	};

	conf_fit(s->conf, fits, ARRAY_SIZE(fits),
		(int64_t)LOOP_BULK * LOOP_BULK_CHUNKS * workers, memory);
}
