/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Memory that runs out: what asks malloc(3) gets some for so many times. The
 * test is linked with -Wl,--wrap=malloc; calloc(3) stays as it is.
 */

#ifndef ADIT_UNIT_SCARCE_H
#define ADIT_UNIT_SCARCE_H

#include <limits.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static int scarce_left = INT_MAX;

void *__wrap_malloc(size_t size)
{
	if (scarce_left == 0)
		return NULL;
	scarce_left--;
	return __real_malloc(size);
}

#endif
