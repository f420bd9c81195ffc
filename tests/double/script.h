/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A backend that does what a test says: operations that were started wait
 * until the test completes them, in any order and with any result, and the
 * clock moves only when the loop waits for a timer. Nothing is random and
 * nothing is slow. One loop at a time.
 */

#ifndef ADIT_TESTS_DOUBLE_SCRIPT_H
#define ADIT_TESTS_DOUBLE_SCRIPT_H

#include "common/event/backend.h"

/* An operation that was started and has not come to its last result. */
struct script_op {
	struct op *op; /* NULL: this place is free */
	enum op_kind kind;
	struct op_args args;
	bool cancelled;
};

/* Operations in flight at most. */
#define SCRIPT_OPS 64

extern const struct backend backend_script;

/* A loop over it, entered, with that many chunks of 1,024 bytes, 2 pipes. */
struct loop *script_loop(struct counters *counters, uint32_t chunks);

/* The operation of that kind on the descriptor; NULL: there is none. */
struct script_op *script_find(enum op_kind kind, int fd);

/* Any operation in flight: the n-th, or NULL beyond the last one. */
struct script_op *script_nth(unsigned n);

/* Complete with a result; `last`: the operation is idle afterwards. */
void script_complete(struct script_op *s, int result, bool last);

/* Complete a receive with these bytes, at most a chunk. */
void script_receive(
	struct loop *l, struct script_op *s, const void *bytes, uint32_t size);

/* The same with the end of the stream in the same turn. */
void script_receive_last(
	struct loop *l, struct script_op *s, const void *bytes, uint32_t size);

/* By default a cancelled operation completes with -ECANCELED by itself. */
void script_hold_cancels(bool hold);

/*
 * Turns until nothing that was completed is left to deliver. A loop that has
 * nothing to wait for would hang: it is an error of the test.
 */
void script_run(struct loop *l);

/* Move the clock, firing what is due on the way. */
void script_pass(struct loop *l, int64_t time);

#endif
