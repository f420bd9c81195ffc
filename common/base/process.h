/* SPDX-License-Identifier: Apache-2.0 */

/* What a program that holds secrets does for itself. */

#ifndef ADIT_BASE_PROCESS_H
#define ADIT_BASE_PROCESS_H

/* Leave no core dump when it crashes: tokens and keys would be in it. */
void process_forbid_dumps(void);

#endif
