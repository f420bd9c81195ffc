/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit's command line: its table, and what it is read into.
 */

#ifndef ADIT_CLIENT_OPTIONS_H
#define ADIT_CLIENT_OPTIONS_H

#include "common/conf/command.h"

struct options {
	const char *config, *server, *token, *token_file, *subdomain, *name,
		*json, *join, *join_file;
	int64_t seconds, connections;
	struct command_words domains;
	uint16_t remote_port;
	bool requests, no_requests;
	bool dump, help, version;
};

extern const struct command options_command;

#endif
