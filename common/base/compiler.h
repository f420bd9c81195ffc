/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The few words that the compiler understands and C11 does not spell.
 */

#ifndef ADIT_BASE_COMPILER_H
#define ADIT_BASE_COMPILER_H

#include <stddef.h>
#include <stdlib.h>

/* The caller must look at the result. */
#define must_check __attribute__((warn_unused_result))

/* The arguments from `first` on are checked against the format `fmt`. */
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))

/* The struct of the given type that embeds `member` at `ptr`. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A branch that no input can reach: dies loudly when the design is wrong. */
#define never_reached() abort()

#endif
