/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What to do when the public name of a service does not lead to the server,
 * and when the server refuses a proxy or a login, or is not reached.
 */

#ifndef ADIT_CLIENT_HINT_H
#define ADIT_CLIENT_HINT_H

#include <stdbool.h>
#include <stdint.h>

/* Log it; `host` may have a port. `server` is what the server is called. */
void hint_name(const char *host, const char *server);

/*
 * What may help when the server refuses a proxy with `error`, or NULL;
 * `one_line`: by options, else by keys of the file.
 */
const char *hint_refused(const char *error, bool one_line);

/* Log what to do when adit ends, as the server could not be logged in to. */
void hint_login(const char *server, uint16_t port, bool one_line);

/*
 * Log what to do when the server was reached and refuses a login with `error`
 * that is about the token, as the next ones will be; once, as `told` says.
 */
void hint_login_refused(const char *error, bool one_line, bool *told);

#endif
