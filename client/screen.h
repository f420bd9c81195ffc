/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The screen prints requests on standard output, on a thread of its own: what
 * has no room is left out and counted, and nobody else ever waits for it.
 *
 * Without a terminal it prints plain lines, and the sum at the end. On a
 * terminal, lines scroll above a block of address and sum that is drawn anew
 * in place, at most every SCREEN_PAUSE and only when something has changed;
 * the log's lines come above it, too. There the address is a line as well,
 * whole, when it is known.
 */

#ifndef ADIT_CLIENT_SCREEN_H
#define ADIT_CLIENT_SCREEN_H

#include "client/journal.h"
#include "common/base/clock.h"

#define SCREEN_PAUSE (250 * CLOCK_MS)

struct screen;

struct screen_params {
	int fd;     /* standard output */
	int log_fd; /* where the log is written */
	bool color; /* if it is a terminal, and the environment allows */
	bool names; /* lines name their proxy */
};

/* NULL without memory or descriptors. No thread runs yet. */
struct screen *screen_create(const struct screen_params *params) must_check;

/* Before the start: a journal for one more worker; NULL without memory. */
struct journal *screen_journal(struct screen *s) must_check;

/* After the cores are made, whose signals its thread must not take: 0, or
 * -errno. */
int screen_start(struct screen *s) must_check;

/* First worker: the public address; `arg` is the screen. */
void screen_announce(void *arg, const char *address);

/*
 * No worker runs any more: print the sum, end the thread. False if it hangs in
 * the output for two seconds: the thread still has the screen then, and what
 * its rows point to; the process is to end at once.
 */
bool screen_end(struct screen *s) must_check;

/* Not started, or ended. NULL is accepted. */
void screen_destroy(struct screen **s);

#endif
