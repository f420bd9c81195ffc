/* SPDX-License-Identifier: Apache-2.0 */

#include "server/sizing.h"

#include "common/base/cpus.h"
#include "common/conf/fit.h"
#include "common/event/loop.h"
#include "server/worker.h"

void sizing_workers(struct settings *s)
{
	if (s->workers == 0)
		s->workers = cpus_available("");
	if (s->workers > SETTINGS_WORKERS_MAX)
		s->workers = SETTINGS_WORKERS_MAX;
}

void sizing_fit(struct settings *s, int64_t memory)
{
	const int64_t buffers =
		(int64_t)chunk_pool_usual(1) * WORKER_CHUNK_SIZE;
	const struct conf_fit fits[] = {
		{ "limits.visitors", &s->max_visitors, 64,
			(int64_t)worker_visitor_records() },
		{ "limits.workConnections", &s->max_work_conns, 64,
			(int64_t)worker_work_records() },
		{ "limits.buffers", &s->buffer_count, 16,
			buffers * s->workers },
		{ "transport.pipeCount", &s->pipe_count, 4,
			s->pipe_size * s->workers },
	};

	conf_fit(s->conf, fits, ARRAY_SIZE(fits),
		(int64_t)LOOP_BULK * LOOP_BULK_CHUNKS * s->workers, memory);
}
