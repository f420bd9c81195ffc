/* SPDX-License-Identifier: Apache-2.0 */

/* Keys and certificates of our own (RFC 5280, version 3). */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/ec_key.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/certificate_internal.h"
#include "common/crypto/random.h"

#define NAME_MAX_LENGTH 253

static EVP_PKEY *make_key(void)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	if (ec && key && EC_KEY_generate_key(ec) &&
		EVP_PKEY_assign_EC_KEY(key, ec))
		return key;
	EC_KEY_free(ec);
	EVP_PKEY_free(key);
	return NULL;
}

/* RFC 5280 wants UTCTime before 2050, GeneralizedTime for the endless. */
static bool set_times(X509 *x)
{
	ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();
	bool ok = from && to && ASN1_TIME_set_string(from, "000101000000Z") &&
		  ASN1_TIME_set_string(to, "99991231235959Z") &&
		  X509_set1_notBefore(x, from) && X509_set1_notAfter(x, to);

	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return ok;
}

/* 63 random bits, so that clients do not take one certificate for another. */
static bool set_serial(X509 *x)
{
	uint64_t serial;

	random_bytes(&serial, sizeof(serial));
	return ASN1_INTEGER_set_uint64(
		X509_get_serialNumber(x), serial >> 1 | 1);
}

static bool set_names(X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		       (const uint8_t *)"adit", -1, -1, 0) &&
	       X509_set_issuer_name(x, name);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* The address that a name is: how many bytes, or 0. */
static int read_address(const char *name, uint8_t out[16])
{
	if (inet_pton(AF_INET, name, out) == 1)
		return 4;
	return inet_pton(AF_INET6, name, out) == 1 ? 16 : 0;
}

/* NULL: no memory. */
static GENERAL_NAME *make_name(const char *name)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *value;
	uint8_t address[16];
	int n = read_address(name, address);

	value = n ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (!g || !value ||
		!ASN1_STRING_set(value, n ? (const char *)address : name,
			n ? n : (int)strlen(name))) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(g);
		return NULL;
	}
	GENERAL_NAME_set0_value(g, n ? GEN_IPADD : GEN_DNS, value);
	return g;
}

/* The names as subjectAltName; the subject says nothing of them. */
static bool add_alternatives(X509 *x, const char *const *names, size_t n)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool ok = all;

	for (size_t i = 0; ok && i < n; i++) {
		GENERAL_NAME *g = make_name(names[i]);

		ok = g && sk_GENERAL_NAME_push(all, g);
		if (!ok)
			GENERAL_NAME_free(g);
	}
	ok = ok && X509_add1_ext_i2d(
			   x, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT);
	GENERAL_NAMES_free(all);
	return ok;
}

static X509 *make_certificate(EVP_PKEY *key, const char *const *names, size_t n)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
		set_times(x) && set_names(x) && X509_set_pubkey(x, key) &&
		(n == 0 || add_alternatives(x, names, n)) &&
		X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

int certificate_sign(struct certificate *c, const char *const *names, size_t n)
{
	uint8_t *der = NULL;
	int size, result;
	X509 *x;

	for (size_t i = 0; i < n; i++)
		if (!*names[i] || strlen(names[i]) > NAME_MAX_LENGTH ||
			!is_ascii(names[i]))
			return -EINVAL;
	x = make_certificate(c->key, names, n);
	size = x ? i2d_X509(x, &der) : -1;
	result = size > 0 ? certificate_append(c, der, (size_t)size) : -ENOMEM;
	OPENSSL_free(der);
	X509_free(x);
	return result;
}

struct certificate *certificate_make(const char *const *names, size_t n)
{
	struct certificate *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->key = make_key();
	if (!c->key || certificate_sign(c, names, n) < 0)
		certificate_free(&c);
	return c;
}
