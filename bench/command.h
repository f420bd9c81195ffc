/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit-load's command line: its table, and what it is read into.
 */

#ifndef ADIT_BENCH_COMMAND_H
#define ADIT_BENCH_COMMAND_H

#include <stdio.h>

#include "common/conf/command.h"

struct load_options {
	int64_t connections, seconds, rate, size, idle, slow, sources;
	const char *host, *json;
	bool close, quiet, help, version;
};

extern const struct command load_command;

/* Write config/man/adit-load.1. */
void load_command_manual(FILE *out);

#endif
