/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What malloc has freed and keeps. Any thread; it takes some ten microseconds,
 * and the locks of all heaps one after the other.
 */

#ifndef ADIT_BASE_HEAP_H
#define ADIT_BASE_HEAP_H

#include <features.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/*
 * Let the system have it, where the C library can (malloc_trim(3)). The first
 * call of a program belongs before its threads: where malloc is another one
 * than the C library's (preloaded, or a sanitizer's), it sets up that
 * library's heap, and two threads that did so at once would meet it half made.
 */
static inline void heap_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

#endif
