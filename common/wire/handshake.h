/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The HTTP heads by which a connection becomes a WebSocket (RFC 6455 sections
 * 4.1 and 4.2), as frp's peers send and want them.
 */

#ifndef ADIT_WIRE_HANDSHAKE_H
#define ADIT_WIRE_HANDSHAKE_H

#include "common/wire/websocket.h"

/* What was made of a request. */
enum handshake_verdict {
	HANDSHAKE_DONE,
	HANDSHAKE_BAD,     /* 400 */
	HANDSHAKE_UNKNOWN, /* another path: 404 */
};

/*
 * Where the head ends, behind its empty line; 0: not yet. A head begins at
 * `text`, and `seen` of its bytes have been looked at before.
 */
size_t handshake_head_end(const char *text, size_t size, size_t seen);

/* The request, whole; its key, when the verdict is HANDSHAKE_DONE. */
enum handshake_verdict handshake_read_request(const char *head, size_t size,
	char key[static WEBSOCKET_KEY_SIZE]) must_check;

/* The answer, whole: NULL if it accepts with this text, or why it does not. */
const char *handshake_read_answer(
	const char *head, size_t size, const char *accept) must_check;

/* Longer than what the next two write, with the NUL. */
#define HANDSHAKE_TEXT_MAX (256 + 2 * WEBSOCKET_HOST_MAX)

/* The request; returns its length. */
size_t handshake_write_request(
	char out[static HANDSHAKE_TEXT_MAX], const char *host, const char *key);

/* The answer; `accept` for HANDSHAKE_DONE only. */
size_t handshake_write_answer(char out[static HANDSHAKE_TEXT_MAX],
	enum handshake_verdict verdict, const char *accept);

#endif
