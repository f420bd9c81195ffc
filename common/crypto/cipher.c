/* SPDX-License-Identifier: Apache-2.0 */

/* CFB-128 over BoringSSL's AES. */

#include "common/crypto/cipher.h"

#include <openssl/aes.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <string.h>

#include "common/base/compiler.h"
#include "common/crypto/random.h"

#define ROUNDS 64

/* The header does not include BoringSSL's, so it spells the size out. */
_Static_assert(sizeof(AES_KEY) == sizeof(((struct cipher *)0)->schedule),
	"schedule has the size of an AES_KEY");

void cipher_key_derive(struct cipher_key *key, const char *password)
{
	static const uint8_t salt[] = { 'f', 'r', 'p' };

	/* Fails without memory only; there is nothing to go on with then. */
	if (!PKCS5_PBKDF2_HMAC(password, strlen(password), salt, sizeof(salt),
		    ROUNDS, EVP_sha1(), sizeof(key->bytes), key->bytes))
		never_reached();
}

/* CFB uses the forward cipher in both directions. */
static void cipher_init(struct cipher *c, const struct cipher_key *key)
{
	AES_KEY schedule;

	memset(c, 0, sizeof(*c));
	AES_set_encrypt_key(key->bytes, 8 * CIPHER_KEY_SIZE, &schedule);
	memcpy(c->schedule, &schedule, sizeof(schedule));
	OPENSSL_cleanse(&schedule, sizeof(schedule));
}

void cipher_init_seal_iv(struct cipher *c, const struct cipher_key *key,
	const uint8_t iv[static CIPHER_IV_SIZE])
{
	cipher_init(c, key);
	memcpy(c->iv, iv, CIPHER_IV_SIZE);
}

void cipher_init_seal(struct cipher *c, const struct cipher_key *key)
{
	uint8_t iv[CIPHER_IV_SIZE];

	random_bytes(iv, sizeof(iv));
	cipher_init_seal_iv(c, key, iv);
}

void cipher_init_open(struct cipher *c, const struct cipher_key *key)
{
	cipher_init(c, key);
}

static void crypt(
	struct cipher *c, const uint8_t *in, size_t n, uint8_t *out, int mode)
{
	AES_KEY schedule;

	memcpy(&schedule, c->schedule, sizeof(schedule));
	AES_cfb128_encrypt(in, out, n, &schedule, c->iv, &c->used, mode);
	OPENSSL_cleanse(&schedule, sizeof(schedule));
}

size_t cipher_seal(struct cipher *c, const uint8_t *in, size_t n, uint8_t *out)
{
	size_t iv = CIPHER_IV_SIZE - c->iv_done;

	memcpy(out, c->iv, iv);
	c->iv_done = CIPHER_IV_SIZE;
	crypt(c, in, n, out + iv, AES_ENCRYPT);
	return iv + n;
}

size_t cipher_open(struct cipher *c, uint8_t *data, size_t n)
{
	size_t iv = CIPHER_IV_SIZE - c->iv_done;

	if (iv > n)
		iv = n;
	memcpy(c->iv + c->iv_done, data, iv);
	memcpy(c->first + c->iv_done, data, iv);
	c->iv_done += (uint32_t)iv;
	n -= iv;
	if (iv > 0)
		memmove(data, data + iv, n);
	if (n > 0)
		crypt(c, data, n, data, AES_DECRYPT);
	return n;
}

const uint8_t *cipher_iv(const struct cipher *c)
{
	return c->first;
}

void cipher_wipe(struct cipher *c)
{
	OPENSSL_cleanse(c, sizeof(*c));
}

void cipher_key_wipe(struct cipher_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}
