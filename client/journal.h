/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A journal takes what one worker has to say about requests to the one thread
 * that prints it: a bounded ring with one writer and one reader. The writer
 * never waits; a row that finds no room is lost and counted.
 */

#ifndef ADIT_CLIENT_JOURNAL_H
#define ADIT_CLIENT_JOURNAL_H

#include <stdatomic.h>

#include "common/base/address.h"
#include "common/http/watch.h"

#define JOURNAL_ROWS 1024

#define JOURNAL_ADDRESS (ADDRESS_HOST_SIZE + 32)

struct journal_row {
	const char *proxy; /* of the settings; NULL: it is an address */
	int64_t at;        /* time(2) */
	union {
		struct watch_exchange exchange;
		char address[JOURNAL_ADDRESS]; /* the public one */
	};
};

/* What wakes the reader, who may read several journals. */
struct bell {
	int fd; /* an eventfd, readable when it was rung */
	_Atomic bool awaited;
};

struct journal {
	struct bell *bell;
	/* Rows [tail, head) are there; both only grow, modulo 2^32. */
	_Atomic uint32_t head, tail;
	_Atomic uint32_t open; /* requests that are not answered */
	_Atomic uint64_t lost; /* rows */
	struct journal_row rows[JOURNAL_ROWS];
};

/* Any thread: the reader's wait ends, or its next one does. */
void bell_ring(struct bell *b);

/* Writer: put a copy of the row. */
void journal_put(struct journal *j, const struct journal_row *row);

/* Writer: so many more requests, or less, are not answered. */
void journal_open(struct journal *j, int change);

/* Reader: the oldest row, which stays until journal_drop; or NULL. */
const struct journal_row *journal_first(struct journal *j);
void journal_drop(struct journal *j);

#endif
