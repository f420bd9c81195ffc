/* SPDX-License-Identifier: Apache-2.0 */

/* The key is found by walking the certificate (RFC 5280 section 4.1). */

#include "common/crypto/pin.h"

#include <errno.h>
#include <openssl/bytestring.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/crypto/base64.h"

_Static_assert(PIN_BYTES == SHA256_DIGEST_LENGTH, "a pin is a SHA-256");
_Static_assert(PIN_SIZE == BASE64URL_SIZE(PIN_BYTES), "43 characters, a NUL");

/* The fields of a certificate before its key: the version, which may be
 * absent, serial number, algorithm, issuer, validity and subject. */
static int find_key(CBS *key, const uint8_t *der, size_t size)
{
	static const unsigned before[] = { CBS_ASN1_INTEGER, CBS_ASN1_SEQUENCE,
		CBS_ASN1_SEQUENCE, CBS_ASN1_SEQUENCE, CBS_ASN1_SEQUENCE };
	const unsigned version =
		CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
	CBS all, certificate, body;

	CBS_init(&all, der, size);
	if (!CBS_get_asn1(&all, &certificate, CBS_ASN1_SEQUENCE) ||
		!CBS_get_asn1(&certificate, &body, CBS_ASN1_SEQUENCE) ||
		!CBS_get_optional_asn1(&body, NULL, NULL, version))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (!CBS_get_asn1(&body, NULL, before[i]))
			return -EINVAL;
	return CBS_get_asn1_element(&body, key, CBS_ASN1_SEQUENCE) ? 0
								   : -EINVAL;
}

int pin_of_certificate(struct pin *p, const uint8_t *der, size_t size)
{
	CBS key;

	if (find_key(&key, der, size) < 0)
		return -EINVAL;
	SHA256(CBS_data(&key), CBS_len(&key), p->bytes);
	return 0;
}

void pin_write(char out[static PIN_SIZE], const struct pin *p)
{
	base64url_encode(out, p->bytes, PIN_BYTES);
}

int pin_parse(struct pin *p, const char *text, size_t n)
{
	if (n != PIN_SIZE - 1)
		return -EINVAL;
	return base64url_decode(p->bytes, text, n) == PIN_BYTES ? 0 : -EINVAL;
}

bool pin_equal(const struct pin *a, const struct pin *b)
{
	return memcmp(a->bytes, b->bytes, PIN_BYTES) == 0;
}

bool pin_listed(const struct pin *list, size_t n, const struct pin *p)
{
	for (size_t i = 0; i < n; i++)
		if (pin_equal(&list[i], p))
			return true;
	return false;
}
