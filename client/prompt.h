/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Asks for a secret on the terminal, which does not show it. For the main
 * thread, before there are others.
 */

#ifndef ADIT_CLIENT_PROMPT_H
#define ADIT_CLIENT_PROMPT_H

#include <stddef.h>

#include "common/base/compiler.h"

/*
 * Ask on standard error, and read a line of standard input into `text`: "" if
 * it ends there. A signal that ends the program does so once the terminal is
 * as it was. 0, or -ENOTTY: standard input is none; or another -errno.
 */
int prompt_secret(const char *question, char *text, size_t size) must_check;

#endif
