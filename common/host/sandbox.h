/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a program gives up for good once it has what it needs, so that whoever
 * gets into it by an error gets little:
 *
 *   capabilities, new privileges   privileges.h
 *   files                          landlock.h, what is allowed is told here
 *   system calls                   syscalls.h
 *
 * In two steps, as the first is a thread's own and handed on to those that it
 * starts, and starting threads takes system calls that none needs later. Each
 * kernel gives what it can; a line of the log says what is in force.
 */

#ifndef ADIT_HOST_SANDBOX_H
#define ADIT_HOST_SANDBOX_H

#include <stdbool.h>

#include "common/host/landlock.h"
#include "common/host/privileges.h"
#include "common/host/syscalls.h"

enum sandbox_state {
	SANDBOX_NONE,    /* it was never opened, or is off */
	SANDBOX_OPEN,    /* being told what is allowed */
	SANDBOX_ENTERED, /* capabilities and files are given up */
	SANDBOX_CLOSED,  /* system calls, too */
};

struct sandbox {
	enum sandbox_state state;
	enum syscalls_of program;
	struct landlock landlock;
	int landlock_error; /* -errno: there is none; 0 */
};

/*
 * Main thread: what is told from here on is what the program may open later,
 * besides what is in paths.def. Not `wanted`, or in a build with sanitizers,
 * whose own work the sandbox forbids: a line of the log says so, and all that
 * follows does nothing.
 */
void sandbox_open(struct sandbox *s, enum syscalls_of program, bool wanted);

/* landlock_allow and landlock_allow_file; NULL and "" are nothing. */
void sandbox_allow(
	struct sandbox *s, const char *path, enum landlock_access access);
void sandbox_allow_file(
	struct sandbox *s, const char *path, enum landlock_access access);

/*
 * The only thread of the process, before it starts others: capabilities but
 * `keep` (privileges.h) and files that nobody told of are given up.
 */
void sandbox_enter(struct sandbox *s, int keep);

/*
 * Main thread, when all others run: system calls that syscalls.def does not
 * have are refused in all threads. Says in the log what is in force.
 */
void sandbox_close(struct sandbox *s);

#endif
