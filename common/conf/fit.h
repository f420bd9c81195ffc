/* SPDX-License-Identifier: Apache-2.0 */

/* Limits that the file does not give, lowered to what memory there is. */

#ifndef ADIT_CONF_FIT_H
#define ADIT_CONF_FIT_H

#include <stddef.h>
#include <stdint.h>

struct conf;

/* A key that says how many there may be of something. */
struct conf_fit {
	const char *key;
	int64_t *count;
	int64_t least; /* it is not made smaller than this */
	int64_t each;  /* bytes that one takes */
};

/* Keys of one program. */
#define CONF_FITS 8

/*
 * Lower those of the counts whose keys were not given, all by one factor, so
 * that together, and with `more` bytes, they take half of `memory` (bytes; 0:
 * no limit, nothing is done) at most: the other half is for the kernel's
 * buffers, and for what blocks. The log tells what was changed, and warns of
 * what does not fit.
 */
void conf_fit(const struct conf *conf, const struct conf_fit *fits, size_t n,
	int64_t more, int64_t memory);

#endif
