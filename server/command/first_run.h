/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A start without any configuration: a state directory with an identity and a
 * user, made the first time and used from then on, and settings that suit it.
 * Who starts it is told what is public and how to publish something.
 */

#ifndef ADIT_SERVER_COMMAND_FIRST_RUN_H
#define ADIT_SERVER_COMMAND_FIRST_RUN_H

#include <limits.h>
#include <stdbool.h>

#include "common/conf/join.h"
#include "server/settings.h"

/* Wipe it when done. */
struct first_run {
	char directory[PATH_MAX];  /* the state directory */
	char join_file[PATH_MAX];  /* its join.txt */
	char join[JOIN_TEXT_SIZE]; /* what that says; "": nothing of use */
	char user[JOIN_NAME_SIZE]; /* whose it is */
};

/*
 * Make, or read again, what is in the state directory; *s_r are the settings.
 * False: the reason is on stderr. It may take some milliseconds.
 */
bool first_run_prepare(struct first_run *f, struct settings **s_r) must_check;

/*
 * The server listens: tell so on standard output, with the join string only if
 * that is a terminal.
 */
void first_run_tell(const struct first_run *f, const struct settings *s);

#endif
