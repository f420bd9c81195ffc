/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which files adit opens while it runs: its configuration and what that names,
 * the log, the join string, which is kept anew when the server's identity
 * changes.
 */

#ifndef ADIT_CLIENT_OWN_FILES_H
#define ADIT_CLIENT_OWN_FILES_H

#include "client/settings.h"
#include "common/host/sandbox.h"

/* Tell the sandbox of all of them. */
void own_files_allow(struct sandbox *sandbox, const struct settings *s);

#endif
