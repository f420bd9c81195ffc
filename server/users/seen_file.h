/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was seen of logins (seen.h) outlives the process: `legacy-seen` in the
 * state directory, one line each. The registry's worker notes a login; the
 * main thread appends the notes within a second, and at the end. A login of the
 * second before a kill -9 can be lost.
 */

#ifndef ADIT_SERVER_USERS_SEEN_FILE_H
#define ADIT_SERVER_USERS_SEEN_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

struct registry;
struct seen_note;

struct seen_file {
	char *path; /* owned; NULL: nothing is kept */
	_Atomic(struct seen_note *) newest;
	int64_t due;  /* when to look again (clock.h) */
	int64_t size; /* of the file, about */
	bool warned;  /* that it cannot be written now */
};

/*
 * Main thread, before the workers run: tell the registry what the file in the
 * directory has. 0; or -errno after an error in the log: the file may be
 * another's.
 */
int seen_file_open(struct seen_file *f, const char *directory,
	struct registry *reg) must_check;

/* The registry's worker: a user's login of this time; until in Unix seconds. */
void seen_file_note(
	struct seen_file *f, const char *user, int64_t stamp, int64_t until);

/*
 * Main thread: write what was noted, if that is due or it is the `last` time.
 * Returns in how many ms to look again, -1: never.
 */
int seen_file_look(struct seen_file *f, bool last);

/* All threads have ended. */
void seen_file_close(struct seen_file *f);

#endif
