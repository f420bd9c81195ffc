/* SPDX-License-Identifier: Apache-2.0 */

/* The other end of admin.sock, for commands beside the aditd that runs. */

#ifndef ADIT_SERVER_COMMAND_ADMIN_H
#define ADIT_SERVER_COMMAND_ADMIN_H

#include "common/host/question.h"
#include "server/settings.h"

/*
 * Ask the aditd whose state directory the settings name; as question_ask, or
 * -errno when there is no such directory.
 */
int admin_ask(const struct settings *s, const struct question *q, char *text,
	size_t size) must_check;

/* What its -errno says. */
const char *admin_why(int rc);

/* Whether an aditd has that directory. */
bool admin_is_there(const struct settings *s);

#endif
