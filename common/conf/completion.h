/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a shell completes on the command line of a program: a script from the
 * table of its options and words.
 */

#ifndef ADIT_CONF_COMPLETION_H
#define ADIT_CONF_COMPLETION_H

#include <stdio.h>

#include "common/conf/command.h"

/* The shell of this name: a number for completion_write; -1: there is none. */
int completion_shell(const char *name);

/* The names, as a message has them: "bash, zsh or fish". */
#define COMPLETION_SHELLS "bash, zsh or fish"

/* Rows for the word `completion` in a table of words. */
#define COMPLETION_WORDS                                              \
	{ "completion", "", "print a script for a shell" },           \
		{ "bash", "completion", "source it in ~/.bashrc" },   \
		{ "zsh", "completion", "a file _PROGRAM in $fpath" }, \
	{                                                             \
		"fish", "completion", "source it in config.fish"      \
	}

/* Write the script of `program` for the shell. */
void completion_write(
	FILE *out, int shell, const char *program, const struct command *c);

#endif
