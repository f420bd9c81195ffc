/* SPDX-License-Identifier: Apache-2.0 */

/* Which backend: io_uring where it can be had. */

#include "common/event/backend.h"

/* Set up a loop on io_uring, as small as one can be, and see. */
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
	*error_r = choice == BACKEND_AUTO ? try_ring() : 0;
	if (choice == BACKEND_EPOLL)
		return &backend_epoll;
	return *error_r < 0 ? &backend_epoll : &backend_ring;
}
