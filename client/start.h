/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A StartWorkConn as the client reads it: which of its proxies a visitor has
 * come for. On a work connection without TLS it is in a box, which the server
 * has sealed under the session's key (crypto/sealed_start.h).
 */

#ifndef ADIT_CLIENT_START_H
#define ADIT_CLIENT_START_H

#include "common/crypto/sealed_start.h"
#include "common/wire/message.h"

struct client;
struct proxy;

/*
 * Any worker: whose visitor it is; `plain`: the connection has no TLS. NULL,
 * and why in the log: nobody's that may come so.
 */
struct proxy *start_find_proxy(const struct client *c,
	const struct message_start_work_conn *s, bool plain) must_check;

/*
 * Take the message out of its box. True, and the caller calls message_clear
 * for *m_r; false, and why in the log: there is no box, or what is in it is
 * not the server's.
 */
bool start_unbox(struct message *m_r, const struct message_start_work_conn *box,
	const struct start_key *key) must_check;

#endif
