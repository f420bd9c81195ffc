/* SPDX-License-Identifier: Apache-2.0 */

#include "client/journal.h"

#include <stdlib.h>
#include <unistd.h>

/*
 * The reader says that it waits, then looks once more; a writer puts, then
 * looks whether it waits. Sequential consistency makes one see the other.
 */
void bell_ring(struct bell *b)
{
	uint64_t one = 1;

	if (!atomic_exchange(&b->awaited, false))
		return;
	/* It fails only when it is at its maximum, thus readable. */
	if (write(b->fd, &one, sizeof(one)) < 0)
		return;
}

void journal_put(struct journal *j, const struct journal_row *row)
{
	uint32_t head = atomic_load(&j->head);

	if (head - atomic_load(&j->tail) == JOURNAL_ROWS) {
		atomic_fetch_add(&j->lost, 1);
		return;
	}
	j->rows[head % JOURNAL_ROWS] = *row;
	atomic_store(&j->head, head + 1);
	bell_ring(j->bell);
}

void journal_open(struct journal *j, int change)
{
	if (change == 0)
		return;
	atomic_fetch_add(&j->open, (uint32_t)change);
	bell_ring(j->bell);
}

const struct journal_row *journal_first(struct journal *j)
{
	uint32_t tail = atomic_load(&j->tail);

	if (tail == atomic_load(&j->head))
		return NULL;
	return &j->rows[tail % JOURNAL_ROWS];
}

void journal_drop(struct journal *j)
{
	atomic_fetch_add(&j->tail, 1);
}
