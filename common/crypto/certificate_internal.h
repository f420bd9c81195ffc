/* SPDX-License-Identifier: Apache-2.0 */

/* What a certificate is made of; for this room. */

#ifndef ADIT_CRYPTO_CERTIFICATE_INTERNAL_H
#define ADIT_CRYPTO_CERTIFICATE_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/pool.h>

#include "common/crypto/certificate.h"

/* Certificates of a chain, our own first. */
#define CERTIFICATE_CHAIN_MAX 10

struct certificate {
	EVP_PKEY *key;
	CRYPTO_BUFFER *chain[CERTIFICATE_CHAIN_MAX];
	size_t n;
	struct pin pin;
};

/* Add one to the chain, in DER; 0, -E2BIG, -EINVAL or -ENOMEM. */
int certificate_append(
	struct certificate *c, const uint8_t *der, size_t size) must_check;

/* Make the certificate of c->key, for these names; 0, -EINVAL or -ENOMEM. */
int certificate_sign(
	struct certificate *c, const char *const *names, size_t n) must_check;

#endif
