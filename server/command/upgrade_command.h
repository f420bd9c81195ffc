/* SPDX-License-Identifier: Apache-2.0 */

/*
 * aditd upgrade: a process of its own becomes the server, and this one ends as
 * soon as that is so, or is not.
 */

#ifndef ADIT_SERVER_COMMAND_UPGRADE_COMMAND_H
#define ADIT_SERVER_COMMAND_UPGRADE_COMMAND_H

#include <stdbool.h>

/*
 * Returns in the process that is to be the server: the descriptor to tell it
 * by, or -1 after an error on stderr. The other one ends with exit code 0 once
 * it is told so, with 1 when the server has ended before.
 */
int upgrade_command_fork(void);

/* It is the server; `told` is closed. */
void upgrade_command_tell(int told);

#endif
