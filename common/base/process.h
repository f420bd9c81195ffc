/* SPDX-License-Identifier: Apache-2.0 */

/* What a program that holds secrets does for itself. */

#ifndef ADIT_BASE_PROCESS_H
#define ADIT_BASE_PROCESS_H

#include <stdbool.h>

#include "common/base/compiler.h"

/*
 * First of all: what is closed of the descriptors 0 to 2 is /dev/null from now
 * on, so that nothing that is opened later gets what is meant for them. False:
 * it is not, and said as far as there is anybody to hear it.
 */
bool process_keep_standard(const char *program) must_check;

/*
 * Leave no core dump when it crashes: tokens and keys would be in it; nor may
 * others of this user look into its memory (PR_SET_DUMPABLE of prctl(2)).
 * A build with sanitizers looks for leaks that way, and may.
 */
void process_forbid_dumps(void);

/* As it was before: somebody looks for an error. */
void process_allow_dumps(void);

/* Whether this is a build with sanitizers. */
bool process_is_sanitized(void);

#endif
