/* SPDX-License-Identifier: Apache-2.0 */

/* What a command prints is written whole, or it has failed. */

#ifndef ADIT_BASE_OUTPUT_H
#define ADIT_BASE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "common/base/compiler.h"

/*
 * Close what was printed to. False: something of it is not written, and stderr
 * says so of `name`.
 */
bool output_close(FILE *f, const char *program, const char *name) must_check;

/* The same of standard output: nothing more is printed. */
bool output_end(const char *program) must_check;

#endif
