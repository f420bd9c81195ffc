/* SPDX-License-Identifier: Apache-2.0 */

/* What NewProxy says of the bandwidth of a proxy. */

#ifndef ADIT_SERVER_CONTROL_PROXY_BANDWIDTH_H
#define ADIT_SERVER_CONTROL_PROXY_BANDWIDTH_H

#include "common/wire/message.h"

/*
 * What aditd has to keep the proxy to, in bytes a second; 0: nothing, or the
 * client does. 0; or -1 with the error, which goes to the client and has room
 * for PROXY_ERROR_SIZE bytes.
 */
int proxy_bandwidth_read(const struct message_new_proxy *m, int64_t *rate_r,
	char *error) must_check;

#endif
