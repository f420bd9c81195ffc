/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hash tables are uthash's, whose macros end the process when memory runs out
 * unless told otherwise: here they leave out what they were to add. Whoever
 * adds asks table_has whether it is in.
 */

#ifndef ADIT_BASE_TABLE_H
#define ADIT_BASE_TABLE_H

#include <stdbool.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* After HASH_ADD; false: there was no memory, the element is still ours. */
static inline bool table_has(const UT_hash_handle *hh)
{
	return hh->tbl;
}

#endif
