/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/sealed_start.h"

#include <openssl/aead.h>
#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <string.h>

#define LABEL "adit start v1"
#define NONCE_SIZE 12

void start_key_derive(struct start_key *key, const struct session_key *k,
	const uint8_t ticket[static TICKET_SIZE])
{
	uint8_t info[sizeof(LABEL) + TICKET_SIZE]; /* the label with its NUL */

	memcpy(info, LABEL, sizeof(LABEL));
	memcpy(info + sizeof(LABEL), ticket, TICKET_SIZE);
	memcpy(key->ticket, ticket, TICKET_SIZE);
	/* Fails without memory only; there is nothing to go on with then. */
	if (!HKDF_expand(key->bytes, sizeof(key->bytes), EVP_sha256(), k->bytes,
		    sizeof(k->bytes), info, sizeof(info)))
		never_reached();
}

void start_key_wipe(struct start_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* Four zero bytes, then the number, big-endian. */
static void write_nonce(uint8_t nonce[static NONCE_SIZE], uint64_t number)
{
	memset(nonce, 0, NONCE_SIZE);
	for (int i = NONCE_SIZE - 1; number > 0; i--, number >>= 8)
		nonce[i] = (uint8_t)number;
}

static void open_cipher(EVP_AEAD_CTX *ctx, const struct start_key *key)
{
	if (!EVP_AEAD_CTX_init(ctx, EVP_aead_chacha20_poly1305(), key->bytes,
		    sizeof(key->bytes), START_SEAL_SIZE, NULL))
		never_reached();
}

void start_seal(uint8_t *out, const struct start_key *key, uint64_t number,
	const void *in, size_t n)
{
	uint8_t nonce[NONCE_SIZE];
	EVP_AEAD_CTX ctx;
	size_t size;

	write_nonce(nonce, number);
	open_cipher(&ctx, key);
	if (!EVP_AEAD_CTX_seal(&ctx, out, &size, n + START_SEAL_SIZE, nonce,
		    sizeof(nonce), in, n, key->ticket, sizeof(key->ticket)))
		never_reached();
	EVP_AEAD_CTX_cleanup(&ctx);
}

ssize_t start_open(uint8_t *out, const struct start_key *key, uint64_t number,
	const void *box, size_t n)
{
	uint8_t nonce[NONCE_SIZE];
	EVP_AEAD_CTX ctx;
	size_t size;
	int good;

	write_nonce(nonce, number);
	open_cipher(&ctx, key);
	good = EVP_AEAD_CTX_open(&ctx, out, &size, n, nonce, sizeof(nonce), box,
		n, key->ticket, sizeof(key->ticket));
	EVP_AEAD_CTX_cleanup(&ctx);
	return good ? (ssize_t)size : -1;
}
