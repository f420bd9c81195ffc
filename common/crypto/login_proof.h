/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The proof of a login between adit and aditd: an Ed25519 signature (RFC 8032)
 * over the channel binding of the TLS connection that it is sent on, so that
 * it is worth nothing on any other. The key pair comes from the token; the
 * server keeps the public half only.
 */

#ifndef ADIT_CRYPTO_LOGIN_PROOF_H
#define ADIT_CRYPTO_LOGIN_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

#define PROOF_PUBLIC_SIZE 32
#define PROOF_PRIVATE_SIZE 64
#define PROOF_SIGNATURE_SIZE 64
/* What the exporter of RFC 9266 gives. */
#define PROOF_BINDING_SIZE 32

/* A public key as base64url, and the NUL. */
#define PROOF_PUBLIC_TEXT 44

/* A signature as base64url, and the NUL. */
#define PROOF_SIGNATURE_TEXT 87

/* The longest user and client id, in bytes. */
#define PROOF_NAME_MAX 255

/* Wipe it when done. */
struct proof_key {
	uint8_t private[PROOF_PRIVATE_SIZE];
	uint8_t public[PROOF_PUBLIC_SIZE];
};

/* Who logs in, and on what connection. */
struct proof_login {
	const uint8_t *binding; /* PROOF_BINDING_SIZE bytes */
	const char *user;
	const char *client_id;
};

/*
 * The key pair of the `n` bytes of a token: HKDF-SHA256 (RFC 5869) gives its
 * seed. Any text has one, also auth.token.
 */
void proof_key_derive(struct proof_key *key, const char *token, size_t n);

void proof_key_wipe(struct proof_key *key);

/* False: a name is longer than PROOF_NAME_MAX. */
bool proof_sign(uint8_t signature[static PROOF_SIGNATURE_SIZE],
	const struct proof_key *key,
	const struct proof_login *login) must_check;

/* Whether the owner of the public key has signed just this login. */
bool proof_verify(const uint8_t signature[static PROOF_SIGNATURE_SIZE],
	const uint8_t public[static PROOF_PUBLIC_SIZE],
	const struct proof_login *login) must_check;

/* A public key as text, and back; false: the text is none. */
void proof_public_write(char text[static PROOF_PUBLIC_TEXT],
	const uint8_t public[static PROOF_PUBLIC_SIZE]);
bool proof_public_read(
	uint8_t public[static PROOF_PUBLIC_SIZE], const char *text) must_check;

/* The same for a signature. */
void proof_signature_write(char text[static PROOF_SIGNATURE_TEXT],
	const uint8_t signature[static PROOF_SIGNATURE_SIZE]);
bool proof_signature_read(uint8_t signature[static PROOF_SIGNATURE_SIZE],
	const char *text) must_check;

#endif
