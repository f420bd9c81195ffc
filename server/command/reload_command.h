/* SPDX-License-Identifier: Apache-2.0 */

/* aditd reload: has the aditd that runs read its configuration again. */

#ifndef ADIT_SERVER_COMMAND_RELOAD_COMMAND_H
#define ADIT_SERVER_COMMAND_RELOAD_COMMAND_H

#include "common/conf/command.h"
#include "server/settings.h"

/*
 * Ask the one whose stateDir the settings name, and print what has changed, or
 * why nothing has. The program's exit code: 0, 1, or 2 for words that it does
 * not know.
 */
int reload_command(const struct settings *s, const struct command_words *words);

#endif
