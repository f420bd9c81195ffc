/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What to do when the public name of a service does not lead to the server.
 */

#ifndef ADIT_CLIENT_HINT_H
#define ADIT_CLIENT_HINT_H

/* Log it; `host` may have a port. `server` is what the server is called. */
void hint_name(const char *host, const char *server);

#endif
