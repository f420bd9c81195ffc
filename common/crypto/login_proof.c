/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/login_proof.h"

#include <openssl/curve25519.h>
#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <string.h>

#include "common/crypto/base64.h"

#define SEED_SIZE 32
#define SALT "adit token v1"
#define INFO "ed25519"

/* As in TLS 1.3 (RFC 8446 section 4.4.3): no other protocol signs this. */
#define PAD 64
#define LABEL "adit login v1 client"

/* The padding, the label with its NUL, the binding, both names. */
#define SIGNED_MAX \
	(PAD + sizeof(LABEL) + PROOF_BINDING_SIZE + 2 * (1 + PROOF_NAME_MAX))

void proof_key_derive(struct proof_key *key, const char *token, size_t n)
{
	uint8_t seed[SEED_SIZE];

	/* Fails without memory only; there is nothing to go on with then. */
	if (!HKDF(seed, sizeof(seed), EVP_sha256(), (const uint8_t *)token, n,
		    (const uint8_t *)SALT, strlen(SALT), (const uint8_t *)INFO,
		    strlen(INFO)))
		never_reached();
	ED25519_keypair_from_seed(key->public, key->private, seed);
	OPENSSL_cleanse(seed, sizeof(seed));
}

void proof_key_wipe(struct proof_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* A length of one byte, and the name. */
static uint8_t *put_name(uint8_t *to, const char *name, size_t n)
{
	*to++ = (uint8_t)n;
	memcpy(to, name, n);
	return to + n;
}

/* What is signed; 0: a name is too long. */
static size_t put_login(
	uint8_t text[static SIGNED_MAX], const struct proof_login *login)
{
	size_t user = strlen(login->user), id = strlen(login->client_id);
	uint8_t *to = text;

	if (user > PROOF_NAME_MAX || id > PROOF_NAME_MAX)
		return 0;
	memset(to, ' ', PAD);
	to += PAD;
	memcpy(to, LABEL, sizeof(LABEL));
	to += sizeof(LABEL);
	memcpy(to, login->binding, PROOF_BINDING_SIZE);
	to += PROOF_BINDING_SIZE;
	to = put_name(to, login->user, user);
	to = put_name(to, login->client_id, id);
	return (size_t)(to - text);
}

bool proof_sign(uint8_t signature[static PROOF_SIGNATURE_SIZE],
	const struct proof_key *key, const struct proof_login *login)
{
	uint8_t text[SIGNED_MAX];
	size_t n = put_login(text, login);

	return n > 0 && ED25519_sign(signature, text, n, key->private);
}

bool proof_verify(const uint8_t signature[static PROOF_SIGNATURE_SIZE],
	const uint8_t public[static PROOF_PUBLIC_SIZE],
	const struct proof_login *login)
{
	uint8_t text[SIGNED_MAX];
	size_t n = put_login(text, login);

	return n > 0 && ED25519_verify(text, n, signature, public);
}

void proof_public_write(char text[static PROOF_PUBLIC_TEXT],
	const uint8_t public[static PROOF_PUBLIC_SIZE])
{
	_Static_assert(BASE64URL_SIZE(PROOF_PUBLIC_SIZE) == PROOF_PUBLIC_TEXT,
		"as the header says");
	base64url_encode(text, public, PROOF_PUBLIC_SIZE);
}

bool proof_public_read(
	uint8_t public[static PROOF_PUBLIC_SIZE], const char *text)
{
	return strlen(text) == PROOF_PUBLIC_TEXT - 1 &&
	       base64url_decode(public, text, PROOF_PUBLIC_TEXT - 1) ==
		       PROOF_PUBLIC_SIZE;
}

void proof_signature_write(char text[static PROOF_SIGNATURE_TEXT],
	const uint8_t signature[static PROOF_SIGNATURE_SIZE])
{
	base64url_encode(text, signature, PROOF_SIGNATURE_SIZE);
}

bool proof_signature_read(
	uint8_t signature[static PROOF_SIGNATURE_SIZE], const char *text)
{
	return strlen(text) == PROOF_SIGNATURE_TEXT - 1 &&
	       base64url_decode(signature, text, PROOF_SIGNATURE_TEXT - 1) ==
		       PROOF_SIGNATURE_SIZE;
}
