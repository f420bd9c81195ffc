/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and writing; certificate_make.c makes them. */

#include "common/crypto/certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/certificate_internal.h"
#include "common/crypto/pem.h"

static void *fail(char *error, const char *fmt, ...) printf_like(2, 3);

static void *fail(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, CERTIFICATE_ERROR_SIZE, fmt, ap);
	va_end(ap);
	ERR_clear_error();
	return NULL;
}

int certificate_append(struct certificate *c, const uint8_t *der, size_t size)
{
	if (c->n == CERTIFICATE_CHAIN_MAX)
		return -E2BIG;
	if (c->n == 0 && pin_of_certificate(&c->pin, der, size) < 0)
		return -EINVAL;
	c->chain[c->n] = CRYPTO_BUFFER_new(der, size, NULL);
	if (!c->chain[c->n])
		return -ENOMEM;
	c->n++;
	return 0;
}

static int append(void *arg, const uint8_t *der, size_t size)
{
	return certificate_append(arg, der, size);
}

/* A key with a password: there is nobody to ask for it. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing;
	*(bool *)arg = true;
	return -1;
}

static EVP_PKEY *read_key(const struct pem *p, char *error)
{
	BIO *bio = BIO_new_mem_buf(p->text, (int)p->size);
	bool locked = false;
	EVP_PKEY *key = NULL;

	ERR_clear_error();
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &locked);
	BIO_free(bio);
	if (key)
		return key;
	if (locked)
		return fail(error,
			"%s: the key has a password: write it without one "
			"(openssl pkey -in OLD -out NEW)",
			p->name);
	return fail(error,
		"%s: no private key is in it: give the PEM file that has "
		"a line -----BEGIN PRIVATE KEY-----",
		p->name);
}

static bool is_p256(const EVP_PKEY *key)
{
	const EC_KEY *ec = EVP_PKEY_id(key) == EVP_PKEY_EC
				   ? EVP_PKEY_get0_EC_KEY(key)
				   : NULL;

	return ec && EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) ==
			     NID_X9_62_prime256v1;
}

/* What TLS can sign with here; Ed25519 is not verified by default. */
static bool is_usable(const EVP_PKEY *key)
{
	return EVP_PKEY_id(key) == EVP_PKEY_EC ||
	       EVP_PKEY_id(key) == EVP_PKEY_RSA;
}

struct certificate *certificate_read_key(
	const struct pem *key, char error[static CERTIFICATE_ERROR_SIZE])
{
	struct certificate *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(error, "%s: no memory", key->name);
	c->key = read_key(key, error);
	if (c->key && !is_p256(c->key))
		fail(error, "%s: not a key that was made here (ECDSA P-256)",
			key->name);
	else if (c->key && certificate_sign(c, NULL, 0) < 0)
		fail(error, "%s: no memory", key->name);
	if (c->n == 0)
		certificate_free(&c);
	return c;
}

/* Read the chain; 0, or -errno with a sentence. */
static int read_chain(struct certificate *c, const struct pem *p, char *error)
{
	int n = pem_certificates(p, append, c);

	if (n > 0)
		return 0;
	if (n == 0)
		fail(error,
			"%s: no certificate is in it: give the PEM file that "
			"has a line -----BEGIN CERTIFICATE-----",
			p->name);
	else if (n == -E2BIG)
		fail(error,
			"%s: more than %d certificates: leave out those "
			"that do not lead to the authority",
			p->name, CERTIFICATE_CHAIN_MAX);
	else if (n == -ENOMEM)
		fail(error, "%s: no memory", p->name);
	else
		fail(error,
			"%s: a certificate in it is damaged: copy the "
			"file anew",
			p->name);
	return -EINVAL;
}

/* Whether the first certificate is for our key; -EINVAL with a sentence. */
static int match(const struct certificate *c, const struct pem *chain,
	const struct pem *key, char *error)
{
	X509 *first = X509_parse_from_buffer(c->chain[0]);
	int result = -EINVAL;

	if (!first)
		fail(error,
			"%s: a certificate in it is damaged: copy the "
			"file anew",
			chain->name);
	else if (!X509_check_private_key(first, c->key))
		fail(error,
			"%s: not the key of the first certificate in %s: "
			"give the two that were made together",
			key->name, chain->name);
	else if (!is_usable(c->key))
		fail(error,
			"%s: TLS here takes ECDSA and RSA keys: make one "
			"of these",
			key->name);
	else
		result = 0;
	X509_free(first);
	return result;
}

struct certificate *certificate_read(const struct pem *chain,
	const struct pem *key, char error[static CERTIFICATE_ERROR_SIZE])
{
	struct certificate *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(error, "%s: no memory", chain->name);
	if (read_chain(c, chain, error) < 0)
		goto failed;
	c->key = read_key(key, error);
	if (!c->key || match(c, chain, key, error) < 0)
		goto failed;
	return c;
failed:
	certificate_free(&c);
	return NULL;
}

struct certificate *certificate_load(const char *chain_file,
	const char *key_file, char error[static CERTIFICATE_ERROR_SIZE])
{
	struct certificate *c = NULL;
	struct pem chain, key;

	if (pem_load(&chain, chain_file, error) < 0)
		return NULL;
	if (pem_load(&key, key_file, error) == 0) {
		c = certificate_read(&chain, &key, error);
		pem_free(&key);
	}
	pem_free(&chain);
	return c;
}

void certificate_free(struct certificate **c)
{
	if (!*c)
		return;
	EVP_PKEY_free((*c)->key);
	for (size_t i = 0; i < (*c)->n; i++)
		CRYPTO_BUFFER_free((*c)->chain[i]);
	free(*c);
	*c = NULL;
}

/* What was written into memory becomes the caller's text. */
static ssize_t copy_text(BIO *bio, char *out, size_t size)
{
	const uint8_t *text;
	size_t n;

	if (!BIO_mem_contents(bio, &text, &n))
		return -ENOMEM;
	if (n >= size)
		return -ENOSPC;
	memcpy(out, text, n);
	out[n] = '\0';
	return (ssize_t)n;
}

ssize_t certificate_write(const struct certificate *c, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	ssize_t result = -ENOMEM;
	bool ok = bio;

	for (size_t i = 0; ok && i < c->n; i++)
		ok = PEM_write_bio(bio, PEM_STRING_X509, "",
			CRYPTO_BUFFER_data(c->chain[i]),
			(long)CRYPTO_BUFFER_len(c->chain[i]));
	if (ok)
		result = copy_text(bio, out, size);
	BIO_free(bio);
	return result;
}

ssize_t certificate_write_key(
	const struct certificate *c, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	ssize_t result = -ENOMEM;

	if (bio && PEM_write_bio_PKCS8PrivateKey(
			   bio, c->key, NULL, NULL, 0, NULL, NULL))
		result = copy_text(bio, out, size);
	BIO_free(bio);
	return result;
}

void certificate_pin(const struct certificate *c, struct pin *p)
{
	*p = c->pin;
}
