/* SPDX-License-Identifier: Apache-2.0 */

/* `runAs`: the user that aditd, and each of its commands, becomes. */

#ifndef ADIT_SERVER_RUN_AS_H
#define ADIT_SERVER_RUN_AS_H

#include "server/settings.h"

/*
 * Become the user of s->run_as, if there is one, before any file of the state
 * or the log is opened. The state directory, whose place s->state_dir then has,
 * is made for that user where it is missing. 0, or -errno after a line on
 * stderr.
 */
int run_as(struct settings *s) must_check;

/*
 * For who only looks at files: the same where that can be, but nothing is
 * made. Else it looks as who it is.
 */
void run_as_to_look(struct settings *s);

#endif
