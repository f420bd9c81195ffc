/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The login key of frp's `auth.method = token`: MD5 over the token and the
 * decimal timestamp, in hex. It proves the token, not freshness: without TLS
 * it can be replayed, as frp's can.
 */

#ifndef ADIT_CRYPTO_LOGIN_H
#define ADIT_CRYPTO_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* 32 hex digits and the NUL. */
#define LOGIN_KEY_SIZE 33

/* Write the key for a token (may be "") and a time in Unix seconds. */
void login_key(
	char out[static LOGIN_KEY_SIZE], const char *token, int64_t timestamp);

/* Whether `key` is that key. Takes as long for a wrong one as for the right. */
bool login_key_verify(
	const char *key, const char *token, int64_t timestamp) must_check;

#endif
