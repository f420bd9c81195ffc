/* SPDX-License-Identifier: Apache-2.0 */

/* aditd health: asks the aditd that runs how it is. */

#ifndef ADIT_SERVER_COMMAND_HEALTH_COMMAND_H
#define ADIT_SERVER_COMMAND_HEALTH_COMMAND_H

#include "common/conf/command.h"
#include "server/settings.h"

/*
 * Where the settings say, webServer.port or else admin.sock in the state
 * directory. One line; 0: it is well, 1: it is not, or nobody answers, 2: the
 * words make no sense.
 */
int health_command(const struct settings *s, const struct command_words *words);

#endif
