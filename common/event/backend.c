/* SPDX-License-Identifier: Apache-2.0 */

/* Which backend: io_uring where it can be had. */

#include "common/event/backend.h"

/* Set up a loop on io_uring, whose ring is as large as any, and see. */
static int try_ring(void)
{
	static struct counters counters;
	struct loop_params params = { .ops = 1,
		.chunk_size = 1024,
		.chunks_soft = 1,
		.chunks_hard = 1,
		.counters = &counters };
	struct loop *l;
	int rc = loop_create(&l, &backend_ring, &params);

	if (rc < 0)
		return rc;
	rc = loop_enter(l);
	loop_destroy(&l);
	return rc;
}

const struct backend *backend_choose(enum backend_choice choice, int *error_r)
{
	int error = choice == BACKEND_AUTO ? try_ring() : 0;

	if (error_r)
		*error_r = error;
	if (choice == BACKEND_EPOLL || error < 0)
		return &backend_epoll;
	return &backend_ring;
}
