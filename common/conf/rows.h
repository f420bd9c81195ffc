/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the rows of auth.def, log.def, process.def, transport.def and web.def
 * need: the words that their values are made of. Those files hold the rows that
 * both programs have word for word; a program includes them into its array of
 * rows, with DEF(type, field) defined as CONF_DEF for its struct.
 */

#ifndef ADIT_CONF_ROWS_H
#define ADIT_CONF_ROWS_H

#include "common/base/log.h"
#include "common/conf/table.h"

enum conf_token_source {
	CONF_TOKEN_INLINE,
	CONF_TOKEN_FILE
};

/* Values of auth_scopes, or-ed. */
enum conf_auth_scope {
	CONF_SCOPE_HEARTBEATS = 1,
	CONF_SCOPE_WORK_CONNS = 2
};

enum conf_relay {
	CONF_RELAY_AUTO,
	CONF_RELAY_COPY,
	CONF_RELAY_SPLICE
};

/* How far what visitors send is encrypted on the way to the client. */
enum conf_encryption {
	CONF_ENCRYPTION_UNSET, /* of a proxy: as the client's */
	CONF_ENCRYPTION_AUTO,
	CONF_ENCRYPTION_ALWAYS,
	CONF_ENCRYPTION_NEVER
};

extern const struct conf_choices conf_token_sources;
extern const struct conf_choices conf_auth_scopes;
extern const struct conf_choices conf_log_levels;
extern const struct conf_choices conf_log_formats;
extern const struct conf_choices conf_relays;
extern const struct conf_choices conf_encryptions;
extern const struct conf_choices conf_backends;
extern const struct conf_choices conf_workers;

#endif
