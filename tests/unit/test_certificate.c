/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates: made, written, read again, refused; and their pins. */
// links: common/crypto/certificate.c common/crypto/certificate_make.c common/crypto/pem.c common/crypto/pin.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/certificate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/certificates.h"

static char error[CERTIFICATE_ERROR_SIZE];

static struct pem pem(const char *text, const char *name)
{
	return (struct pem){ text, strlen(text), name };
}

static struct certificate *read_pair(const char *chain, const char *key)
{
	struct pem c = pem(chain, "/etc/c.pem"), k = pem(key, "/etc/k.pem");

	return certificate_read(&c, &k, error);
}

/* What was written is the same key, with the same pin. */
Test(certificate, written_and_read)
{
	static const char *const names[] = { "tunnel.example", "*.a.example",
		"192.0.2.1", "2001:db8::1" };
	struct certificate *made = certificate_make(names, 4), *again;
	char text[4096], key[1024], pin_text[PIN_SIZE];
	struct pin a, b;
	ssize_t n;

	cr_assert(made);
	n = certificate_write(made, text, sizeof(text));
	cr_assert_gt(n, 0);
	cr_assert_eq((size_t)n, strlen(text));
	cr_assert_gt(certificate_write_key(made, key, sizeof(key)), 0);
	again = read_pair(text, key);
	cr_assert(again, "%s", error);
	certificate_pin(made, &a);
	certificate_pin(again, &b);
	cr_assert(pin_equal(&a, &b));
	pin_write(pin_text, &a);
	cr_assert_eq(strlen(pin_text), 43);
	cr_assert_eq(pin_parse(&b, pin_text, 43), 0);
	cr_assert(pin_listed(&b, 1, &a));
	cr_assert_eq(certificate_write(made, text, (size_t)n), -ENOSPC);
	cr_assert_eq(certificate_write_key(made, key, 10), -ENOSPC);
	certificate_free(&again);
	certificate_free(&made);
	cr_assert_null(made);
	certificate_free(&made);
}

/* An identity is its key: each time a new certificate, one pin. */
Test(certificate, identity)
{
	struct certificate *made = certificate_make(NULL, 0), *again;
	char key[1024];
	struct pin a, b;
	struct pem p;

	cr_assert_gt(certificate_write_key(made, key, sizeof(key)), 0);
	p = pem(key, "identity.key");
	again = certificate_read_key(&p, error);
	cr_assert(again, "%s", error);
	certificate_pin(made, &a);
	certificate_pin(again, &b);
	cr_assert(pin_equal(&a, &b));
	certificate_free(&again);
	certificate_free(&made);
	p = pem(rsa_key, "identity.key");
	cr_assert_null(certificate_read_key(&p, error));
	cr_assert_str_eq(error,
		"identity.key: not a key that was made here (ECDSA P-256)");
}

/* The same as other programs say: openssl x509 -pubkey | openssl pkey
 * -pubin -outform der | openssl dgst -sha256 -binary | basenc --base64url. */
Test(certificate, pin_is_of_the_key)
{
	struct certificate *c = read_pair(rsa_pem, rsa_key);
	char text[PIN_SIZE];
	struct pin p;

	cr_assert(c, "%s", error);
	certificate_pin(c, &p);
	pin_write(text, &p);
	cr_assert_str_eq(text, "9lu-Revs6MIFvYiTPTCrnbERwaH487fv8HTbXa1p6PI");
	certificate_free(&c);
	cr_assert_eq(pin_of_certificate(&p, (const uint8_t *)"\x30\x00", 2),
		-EINVAL);
	cr_assert_eq(pin_of_certificate(&p, (const uint8_t *)"", 0), -EINVAL);
}

Test(certificate, pin_has_one_spelling)
{
	static const char text[] =
		"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
	char other[PIN_SIZE], again[PIN_SIZE];
	struct pin p;

	cr_assert_eq(pin_parse(&p, text, 43), 0);
	pin_write(again, &p);
	cr_assert_str_eq(again, text);
	cr_assert_eq(pin_parse(&p, text, 42), -EINVAL);
	cr_assert_eq(pin_parse(&p, text, 44), -EINVAL);
	/* The last character has two bits that say nothing. */
	for (int c = 'V'; c <= 'X'; c++) {
		strcpy(other, text);
		other[42] = (char)c;
		cr_assert_eq(pin_parse(&p, other, 43), -EINVAL);
	}
	strcpy(other, text);
	other[13] = '+';
	cr_assert_eq(pin_parse(&p, other, 43), -EINVAL);
}

Test(certificate, names_refused)
{
	char longest[255];
	const char *const rows[] = { "", "a b", "b\xc3\xbc", longest };

	memset(longest, 'a', 254);
	longest[254] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_null(certificate_make(&rows[i], 1));
}

Test(certificate, chains)
{
	char chain[16 * 1024] = "";
	struct certificate *c;

	strcat(strcat(chain, server_pem), middle_pem);
	c = read_pair(chain, server_key);
	cr_assert(c, "%s", error);
	cr_assert_gt(certificate_write(c, chain, sizeof(chain)), 0);
	cr_assert(strstr(chain + 1, "-----BEGIN"), "both are written");
	certificate_free(&c);
	/* The key's PEM file may hold the certificate as well. */
	strcat(strcpy(chain, client_key), client_pem);
	c = read_pair(chain, chain);
	cr_assert(c, "%s", error);
	certificate_free(&c);
	chain[0] = '\0';
	for (int i = 0; i < 11; i++)
		strcat(chain, i ? middle_pem : server_pem);
	cr_assert_null(read_pair(chain, server_key));
	cr_assert(strstr(error, "/etc/c.pem: more than 10 certificates"));
}

Test(certificate, errors_of_texts)
{
	static const struct {
		const char *chain, *key, *error;
	} rows[] = {
		{ "", server_key,
			"/etc/c.pem: no certificate is in it: give the PEM "
			"file that has a line -----BEGIN CERTIFICATE-----" },
		{ "\x30\x82\x01", server_key,
			"/etc/c.pem: no certificate is in it: give the PEM "
			"file that has a line -----BEGIN CERTIFICATE-----" },
		{ server_key, server_key,
			"/etc/c.pem: no certificate is in it: give the PEM "
			"file that has a line -----BEGIN CERTIFICATE-----" },
		{ "-----BEGIN CERTIFICATE-----\nMIIB\n"
		  "-----END CERTIFICATE-----\n",
			server_key,
			"/etc/c.pem: a certificate in it is damaged: copy the "
			"file anew" },
		{ "-----BEGIN CERTIFICATE-----\nMIIB*\n", server_key,
			"/etc/c.pem: a certificate in it is damaged: copy the "
			"file anew" },
		{ server_pem, server_pem,
			"/etc/k.pem: no private key is in it: give the PEM "
			"file that has a line -----BEGIN PRIVATE KEY-----" },
		{ server_pem, locked_key,
			"/etc/k.pem: the key has a password: write it without "
			"one (openssl pkey -in OLD -out NEW)" },
		{ server_pem, client_key,
			"/etc/k.pem: not the key of the first certificate in "
			"/etc/c.pem: give the two that were made together" },
		{ server_pem, rsa_key,
			"/etc/k.pem: not the key of the first certificate in "
			"/etc/c.pem: give the two that were made together" },
		{ ed_pem, ed_key,
			"/etc/k.pem: TLS here takes ECDSA and RSA keys: make "
			"one of these" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_null(read_pair(rows[i].chain, rows[i].key));
		cr_assert_str_eq(error, rows[i].error);
	}
}

static const char *file(char *name, const char *text)
{
	FILE *f;

	strcpy(name, "/tmp/adit-pem-XXXXXX");
	f = fdopen(mkstemp(name), "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
	return name;
}

Test(certificate, files)
{
	char chain[32], key[32], want[CERTIFICATE_ERROR_SIZE];
	struct certificate *c;

	c = certificate_load(
		file(chain, server_pem), file(key, server_key), error);
	cr_assert(c, "%s", error);
	certificate_free(&c);
	cr_assert_null(certificate_load("/nonexistent/c", key, error));
	cr_assert_str_eq(error,
		"/nonexistent/c: No such file or directory: correct the "
		"path, or put a PEM file there");
	cr_assert_null(certificate_load(chain, "/tmp", error));
	cr_assert_str_eq(error, "/tmp: Is a directory: give a PEM file that "
				"can be read");
	cr_assert_null(certificate_load(chain, chain, error));
	snprintf(want, sizeof(want),
		"%s: no private key is in it: give the PEM file that has a "
		"line -----BEGIN PRIVATE KEY-----",
		chain);
	cr_assert_str_eq(error, want);
	cr_assert_eq(truncate(key, 1024 * 1024 + 1), 0);
	cr_assert_null(certificate_load(chain, key, error));
	cr_assert(strstr(error, "of at most 1 MiB"));
	if (geteuid() != 0) {
		chmod(chain, 0);
		cr_assert_null(certificate_load(chain, key, error));
		cr_assert(strstr(error, "let this user read it"));
	}
	unlink(chain);
	unlink(key);
}
