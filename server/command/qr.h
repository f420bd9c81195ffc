/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A QR code on a terminal: two modules a character, black on white whatever
 * the terminal's own colors are.
 */

#ifndef ADIT_SERVER_COMMAND_QR_H
#define ADIT_SERVER_COMMAND_QR_H

#include <stdio.h>

#include "common/base/compiler.h"

/*
 * Print the text in UTF-8, within so many columns. 0; or -EMSGSIZE, and
 * nothing is printed: it needs more of them; or -ENOMEM.
 */
int qr_print(FILE *out, const char *text, int columns) must_check;

#endif
