/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names to addresses by one DNS server that is asked instead of the system's
 * (c-ares; /etc/hosts is still read first, as frp does). It blocks: for a
 * thread of the resolver.
 */

#ifndef ADIT_EVENT_NAME_SERVER_H
#define ADIT_EVENT_NAME_SERVER_H

#include "common/base/address.h"

struct name_server;

/* `server`: ADDRESS or ADDRESS:PORT. 0, -EINVAL or -ENOMEM. */
int name_server_create(struct name_server **n_r, const char *server) must_check;

/* NULL is accepted. */
void name_server_destroy(struct name_server **n);

/*
 * Look the host up: up to `max` addresses without a port; how many there are,
 * or 0 with the reason in *error_r (static). At most about 6 s.
 */
int name_server_ask(struct name_server *n, const char *host,
	struct address *addresses, int max, const char **error_r);

#endif
