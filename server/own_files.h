/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which files aditd opens while it runs: what is read again when it changes or
 * is asked to, logs that are opened again, the state.
 */

#ifndef ADIT_SERVER_OWN_FILES_H
#define ADIT_SERVER_OWN_FILES_H

#include "common/host/sandbox.h"
#include "server/settings.h"

/* Tell the sandbox of all of them; `state_dir`: NULL if there is none. */
void own_files_allow(struct sandbox *sandbox, const struct settings *s,
	const char *state_dir);

/* In the sandbox: warn of each that cannot be opened again as it is. */
void own_files_check(const struct settings *s, const char *state_dir);

#endif
