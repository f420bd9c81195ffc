/* SPDX-License-Identifier: Apache-2.0 */

/* By which hosts visitors find an http or https proxy. */

#ifndef ADIT_SERVER_CONTROL_PROXY_HOSTS_H
#define ADIT_SERVER_CONTROL_PROXY_HOSTS_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/wire/message.h"

struct proxy;

/*
 * customDomains and the subdomain, normalised. 0; or -1 and why in `error`, of
 * PROXY_ERROR_SIZE bytes.
 */
int proxy_hosts_read(struct proxy *p, const struct message_new_proxy *m,
	char *error) must_check;

void proxy_hosts_clear(struct proxy *p);

/*
 * "a.test:8080,b.test:8080", to be freed; the usual port goes without saying.
 * NULL: no memory.
 */
char *proxy_hosts_describe(
	const struct proxy *p, uint16_t port, uint16_t usual) must_check;

#endif
