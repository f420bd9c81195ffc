/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A token of ours: "adit_", 32 random bytes, and 4 bytes of a checksum, the
 * SHA-256 of the text before it; both as base64url. The prefix lets those who
 * look for leaked secrets find one; the checksum tells a typing error from a
 * token that is not known, without asking the server.
 */

#ifndef ADIT_CRYPTO_TOKEN_H
#define ADIT_CRYPTO_TOKEN_H

#include <stddef.h>

#include "common/base/compiler.h"

/* "adit_", 43 and 6 characters, and the NUL. */
#define TOKEN_SIZE 55

/* Make a new one. */
void token_make(char out[static TOKEN_SIZE]);

/*
 * What is wrong with `n` characters that should be a token, as the end of a
 * sentence ("has no ..."); NULL: nothing. Only the form can be checked here.
 */
const char *token_fault(const char *text, size_t n) must_check;

#endif
