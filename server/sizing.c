/* SPDX-License-Identifier: Apache-2.0 */

#include "server/sizing.h"

#include <sys/resource.h>

#include "common/base/cpus.h"
#include "common/base/log.h"
#include "common/conf/fit.h"
#include "common/event/loop.h"
#include "server/worker.h"

/* Descriptors that are neither visitors nor work connections. */
#define DESCRIPTORS_KEPT 20
#define DESCRIPTORS_OF_WORKER 5

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

uint32_t sizing_visitors(const struct settings *s, uint32_t workers)
{
	struct rlimit r = { 0 };
	int64_t can;

	/* As many as we may have; nobody is asked for more. */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	can = r.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)r.rlim_cur;
	can -= DESCRIPTORS_KEPT + DESCRIPTORS_OF_WORKER * (int64_t)workers;
	can /= 2;
	if (can >= s->max_visitors)
		return (uint32_t)s->max_visitors;
	if (can < 1) {
		log_error("the descriptor limit of %llu is too low for %u "
			  "workers: raise ulimit -n",
			(unsigned long long)r.rlim_cur, workers);
		return 0;
	}
	log_warn("%lld visitors at once instead of limits.visitors = %lld: "
		 "the descriptor limit is %llu (raise ulimit -n)",
		(long long)can, (long long)s->max_visitors,
		(unsigned long long)r.rlim_cur);
	return (uint32_t)can;
}
