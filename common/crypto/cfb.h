/* SPDX-License-Identifier: Apache-2.0 */

/*
 * frp's stream cipher (cipher.h) as a layer of a connection: `useEncryption`
 * of a proxy. It has no end of its own and cannot tell a changed byte; each
 * direction begins with its IV, together with its first byte.
 */

#ifndef ADIT_CRYPTO_CFB_H
#define ADIT_CRYPTO_CFB_H

#include "common/base/transform.h"
#include "common/crypto/cipher.h"

/*
 * The key is copied. `iv`: of what is sealed, for known answers; NULL: random.
 * NULL without memory.
 */
struct transform *cfb_new(
	const struct cipher_key *key, const uint8_t *iv) must_check;

#endif
