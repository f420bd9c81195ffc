/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit's command line: either a configuration file, or a one-line form that
 * publishes one local service.
 */

#ifndef ADIT_CLIENT_COMMAND_H
#define ADIT_CLIENT_COMMAND_H

#include <stdio.h>

#include "client/bench.h"
#include "client/joined.h"
#include "client/settings.h"
#include "common/conf/command.h"

enum command_kind {
	COMMAND_RUN,        /* adit -c FILE */
	COMMAND_VERIFY,     /* adit verify -c FILE */
	COMMAND_DUMP,       /* adit --dump-config -c FILE, or of a line */
	COMMAND_ONE_LINE,   /* adit http 3000 ... */
	COMMAND_BENCH,      /* adit bench ... */
	COMMAND_JOIN,       /* adit join [STRING] */
	COMMAND_DOCTOR,     /* adit doctor ... */
	COMMAND_COMPLETION, /* adit completion SHELL */
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct client_command {
	enum command_kind kind;
	const char *config;        /* of RUN, VERIFY; DUMP, DOCTOR or NULL */
	struct settings *settings; /* of ONE_LINE, BENCH; DUMP, DOCTOR without
				       * a config; the caller's */
	char note[JOINED_ERROR_SIZE]; /* for the user, before all else; or "" */
	struct bench_params bench;    /* of BENCH */
	int shell;                    /* of COMPLETION (completion.h) */
	bool requests;                /* of RUN, ONE_LINE: are to be printed */
	char join[JOINED_INPUT_SIZE]; /* of JOIN; to be wiped; "": ask */
};

/*
 * Understand argv; a token or a join string in it is wiped there, and the join
 * string of --join is kept for later commands. 0; or -EINVAL with one line in
 * `error`; or -ENOMEM.
 */
int client_command_parse(struct client_command *c_r, int argc, char **argv,
	char error[static COMMAND_ERROR]) must_check;

void client_command_help(FILE *out);

/* Write config/man/adit.1. */
void client_command_manual(FILE *out);

/* Write config/completion/adit.SHELL. */
void client_command_completion(FILE *out, int shell);

#endif
