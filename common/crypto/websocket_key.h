/* SPDX-License-Identifier: Apache-2.0 */

/* The keys of WebSocket's handshake (RFC 6455 section 4.2.2). Any thread. */

#ifndef ADIT_CRYPTO_WEBSOCKET_KEY_H
#define ADIT_CRYPTO_WEBSOCKET_KEY_H

/* 16 random bytes as Base64, and a NUL. */
void websocket_key_make(char out[static 25]);

/* What a server answers to the key, and a NUL. */
void websocket_key_accept(char out[static 29], const char *key);

#endif
