/* SPDX-License-Identifier: Apache-2.0 */

/* What a work connection says of itself, to the server and to the service. */

#ifndef ADIT_CLIENT_WORK_BYTES_H
#define ADIT_CLIENT_WORK_BYTES_H

#include "client/work.h"
#include "common/wire/proxy_header.h"

/*
 * NewWorkConn, its first bytes; NULL: no memory. `binding`: what names its TLS
 * session to both ends (TLS_EXPORT_SIZE bytes), for a ticket.
 */
struct chunk *work_make_greeting(
	const struct work *k, const uint8_t *binding) must_check;

/* A header of the PROXY protocol for that visitor; NULL: no memory. */
struct chunk *work_make_header(const struct message_start_work_conn *s,
	enum proxy_header version) must_check;

#endif
