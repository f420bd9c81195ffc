/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A transform for tests of layers, made of everything that one may have:
 *
 *     d SIZE BYTES   data, at most TOY_FRAME bytes, flipped
 *     h              the handshake: once each way
 *     e              the end of a direction
 *     p, o           a question, and its answer
 *     a              the last word after a failure
 *
 * A plain one only flips the bytes.
 */

#ifndef ADIT_TESTS_DOUBLE_TOY_H
#define ADIT_TESTS_DOUBLE_TOY_H

#include "common/base/transform.h"

#define TOY_FRAME 64
#define TOY_FLIP 0x55

enum toy_kind {
	TOY_PLAIN,  /* flips */
	TOY_FRAMES, /* without a handshake, and an end of its own */
	TOY_FIRST,  /* says h at once */
	TOY_SECOND, /* says it in answer */
};

struct transform *toy_new(enum toy_kind kind);

/* How many there are that were not freed. */
extern int toys;

/* The next call of seal fails. */
extern bool toy_seal_fails;

#endif
