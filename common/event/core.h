/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A core is a thread with a loop, a mailbox and counters; both programs run
 * their work on cores, and their main thread in core_supervise, which writes
 * the log and turns signals into letters:
 *
 *   SIGTERM, SIGINT   the first drains, a second one quits
 *   SIGHUP            the program reads its configuration again; without
 *                     one, or when its terminal has gone, as SIGTERM
 *   SIGUSR1           the counters are logged, summed over the cores
 *   SIGUSR2           the log's file is opened again, and the program's
 */

#ifndef ADIT_EVENT_CORE_H
#define ADIT_EVENT_CORE_H

#include <pthread.h>

#include "common/base/backend_choice.h"
#include "common/event/loop.h"
#include "common/event/mailbox.h"

struct core;

#define CORE_LEVELS 20

/* How many objects of a kind there are; `name` is a literal. */
struct core_level {
	const char *name;
	uint64_t value;
};

/* What a program does on its cores; all are called on the core's thread. */
struct core_ops {
	/* Begin. 0, or -errno after saying why in the log: the core ends. */
	int (*start)(struct core *c);
	/* Take no new work; call core_stop when the running work is done. */
	void (*drain)(struct core *c);
	/* Stop at once: call core_stop, now or soon. */
	void (*quit)(struct core *c);
	/* Fill in the levels, the same names on all cores; how many. */
	int (*report)(struct core *c, struct core_level *levels);
	/* core_stop was called: close all; true when nothing is in flight. */
	bool (*join)(struct core *c);
};

/* What else the main thread does for its program. */
struct core_chores {
	int fd; /* wakes it when readable; -1: nothing does */
	/*
	 * Do what is due: called at the start, whenever the main thread wakes,
	 * and, with `last`, when the cores have stopped. Returns in how many
	 * ms there is more, -1: that is not known.
	 */
	int (*run)(struct core_chores *c, bool last);
	bool ending; /* a signal to end has come, or a core has stopped */
	bool woken;  /* `fd` was readable at this wake */
	bool drains; /* set by `run`: as if such a signal had come */
	bool sealed; /* the same: new directories stay closed to the program */
	/* SIGUSR2; NULL: nothing is to be done. */
	void (*reopen)(struct core_chores *c);
	/* SIGHUP; `run` comes behind it. NULL: it ends the program. */
	void (*reload)(struct core_chores *c);
};

struct core {
	const struct core_ops *ops;
	struct loop *loop;
	struct mailbox mailbox;
	struct counters counters;
	pthread_t thread;
	int end; /* eventfd of the supervisor: this core has stopped */
	int exit_code;
	bool stopping, draining;
	bool at_once; /* what is still under way is cut, not waited for */
};

/* What the cores of this process are built on; a line of the log names it. */
const struct backend *core_choose_backend(enum backend_choice choice);

/*
 * Make the core's loop and mailbox on the calling thread, so that a refusal
 * is seen before anything runs; 0 or -errno, after an error in the log that
 * says what the operator can do. From here on the process's signals are the
 * supervisor's: threads that should not take them are started later.
 */
int core_create(struct core *c, const struct core_ops *ops,
	const struct backend *backend, struct loop_params *params) must_check;

/* Free loop and mailbox, which nobody posts to any more; a zeroed core too. */
void core_destroy(struct core *c);

/*
 * Main thread: run each core on a thread of its own, write the log, serve
 * signals, do the chores (NULL: none), until the cores have stopped: when one
 * stops, all do. Returns the exit code of the program.
 */
int core_supervise(
	struct core *const *cores, int n, struct core_chores *chores);

/*
 * Core's thread: leave the loop after this turn; all other cores follow. The
 * program ends with the highest exit code.
 */
void core_stop(struct core *c, int exit_code);

#endif
