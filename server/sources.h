/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sources are what the settings name beside their own file: the users, the
 * page of errors, certificates. A start and a reload are refused without them,
 * and `aditd verify` looks at them.
 */

#ifndef ADIT_SERVER_SOURCES_H
#define ADIT_SERVER_SOURCES_H

#include "server/http/page.h"
#include "server/settings.h"
#include "server/users/users.h"

/* Those that a reload takes over; the keyring has the others. */
struct sources {
	struct page_file page;
	struct users_source users;
};

/*
 * Read them; what `old` (may be NULL) knows of the users' loads stays. 0, or
 * -errno with what is wrong in `errors`, or -ENOMEM. To be closed after each.
 */
int sources_open(struct sources *o, const struct settings *s,
	const struct users *old, struct conf_errors *errors) must_check;

void sources_close(struct sources *o);

/* Whether all can be used, certificates, too; returns as sources_open. */
int sources_check(
	const struct settings *s, struct conf_errors *errors) must_check;

#endif
