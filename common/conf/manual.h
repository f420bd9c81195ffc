/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manual pages (man(7)) from the tables: the options of a command line, and
 * the keys of a configuration.
 */

#ifndef ADIT_CONF_MANUAL_H
#define ADIT_CONF_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

#include "common/conf/command.h"
#include "common/conf/table.h"

/* What a page says beside its table. */
struct manual {
	const char *name; /* "adit" */
	int section;
	const char *what; /* one line, without a full stop */
	bool stays;       /* it runs until it is told to end, by signals */
	const char *more; /* man(7) lines for the end, or NULL */
};

/* The page of a program: synopsis, description, options, signals. */
void manual_command(FILE *out, const struct manual *m, const struct command *c);

/* The page of a configuration file: every key that has a field, and below it
 * the keys of frp's that are known and not supported yet. */
void manual_keys(FILE *out, const struct manual *m, const struct conf_table *t);

#endif
