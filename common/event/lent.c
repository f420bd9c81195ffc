/* SPDX-License-Identifier: Apache-2.0 */

/* Buffer ids on a stack, chunks by id. */

#include "common/event/lent.h"

#include <errno.h>
#include <unistd.h>

int lent_create(struct lent *l, struct io_uring *u)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = LENT_MAX * sizeof(struct io_uring_buf);
	struct io_uring_buf_reg reg = { .ring_entries = LENT_MAX,
		.bgid = LENT_GROUP };
	int rc;

	l->ring = aligned_alloc(page, (size + page - 1) / page * page);
	if (!l->ring)
		return -ENOMEM;
	io_uring_buf_ring_init(l->ring);
	for (int i = 0; i < LENT_MAX; i++)
		l->free[l->free_count++] = (uint16_t)(LENT_MAX - 1 - i);
	reg.ring_addr = (uintptr_t)l->ring;
	rc = io_uring_register_buf_ring(u, &reg, 0);
	if (rc < 0) {
		free(l->ring);
		l->ring = NULL;
	}
	return rc;
}

void lent_destroy(struct lent *l)
{
	for (int i = 0; i < LENT_MAX; i++) {
		if (!l->chunks[i])
			continue;
		chunk_claim(l->chunks[i]);
		chunk_give(l->chunks[i]);
	}
	free(l->ring);
}

uint32_t lent_fill(struct lent *l, struct chunk_pool *chunks)
{
	uint32_t most = chunk_pool_lendable(chunks);
	int added = 0;

	while (l->free_count > 0 && LENT_MAX - l->free_count < most) {
		struct chunk *c = chunk_lend(chunks);
		uint16_t id;

		if (!c)
			break;
		id = l->free[--l->free_count];
		l->chunks[id] = c;
		io_uring_buf_ring_add(l->ring, c->data, c->size, id,
			io_uring_buf_ring_mask(LENT_MAX), added++);
	}
	if (added > 0)
		io_uring_buf_ring_advance(l->ring, added);
	return LENT_MAX - l->free_count;
}

struct chunk *lent_claim(struct lent *l, const struct io_uring_cqe *cqe)
{
	uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
	struct chunk *c = l->chunks[id];

	l->chunks[id] = NULL;
	l->free[l->free_count++] = id;
	chunk_claim(c);
	c->from = 0;
	c->to = cqe->res > 0 ? (uint32_t)cqe->res : 0;
	return c;
}
