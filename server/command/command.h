/* SPDX-License-Identifier: Apache-2.0 */

/*
 * aditd's command line: its table, and what it is read into.
 */

#ifndef ADIT_SERVER_COMMAND_COMMAND_H
#define ADIT_SERVER_COMMAND_COMMAND_H

#include <stdio.h>

#include "common/conf/command.h"

struct server_options {
	const char *config;
	bool dump, frpc, help, version;
};

extern const struct command server_command;

/* Write config/man/aditd.8. */
void server_command_manual(FILE *out);

#endif
