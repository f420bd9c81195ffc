/* SPDX-License-Identifier: Apache-2.0 */

/*
 * frp's stream cipher: AES-128 in full-block cipher feedback (NIST SP 800-38A,
 * CFB-128), one endless stream a direction, the IV in clear before the first
 * byte. It has no authentication: whoever is on the path can flip bits; that
 * is why adit's own links use TLS.
 */

#ifndef ADIT_CRYPTO_CIPHER_H
#define ADIT_CRYPTO_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#define CIPHER_KEY_SIZE 16
#define CIPHER_IV_SIZE 16

struct cipher_key {
	uint8_t bytes[CIPHER_KEY_SIZE];
};

/* One direction; all of it is private. Wipe it when done. */
struct cipher {
	uint32_t schedule[61]; /* an AES_KEY: 60 words and the rounds */
	uint8_t iv[CIPHER_IV_SIZE];
	uint8_t first[CIPHER_IV_SIZE]; /* the same, as it was sent */
	uint32_t iv_done; /* bytes of the IV that are sent or received */
	int used;         /* bytes of the current block of key stream */
};

/* PBKDF2-HMAC-SHA1 of the password, salt "frp", 64 rounds. "" is legal. */
void cipher_key_derive(struct cipher_key *key, const char *password);

/* Ready a direction for writing, with a random IV, or for reading. */
void cipher_init_seal(struct cipher *c, const struct cipher_key *key);
void cipher_init_open(struct cipher *c, const struct cipher_key *key);

/* As cipher_init_seal() with a given IV: for known answers. */
void cipher_init_seal_iv(struct cipher *c, const struct cipher_key *key,
	const uint8_t iv[static CIPHER_IV_SIZE]);

/*
 * Encrypt n > 0 bytes. `out` has room for n + CIPHER_IV_SIZE bytes and does
 * not overlap `in`. Returns the bytes written: n, and the IV the first time.
 */
size_t cipher_seal(struct cipher *c, const uint8_t *in, size_t n, uint8_t *out);

/*
 * Decrypt n bytes in place; the first bytes of a stream are its IV and are
 * taken away. Returns how many bytes of plaintext `data` begins with.
 */
size_t cipher_open(struct cipher *c, uint8_t *data, size_t n);

/* The IV of a stream that is read, once it has come. */
const uint8_t *cipher_iv(const struct cipher *c);

/* Forget the keys. */
void cipher_wipe(struct cipher *c);
void cipher_key_wipe(struct cipher_key *key);

#endif
