/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What all TLS sessions of a role share: certificate, trust, versions, ticket
 * keys. Made once for all threads, and never changed; a reload makes a new one
 * and lets the old one go, whose sessions go on and whose tickets nobody takes
 * any more. Counted, so that any thread may let go last. TLS 1.2 has only the
 * six ECDHE cipher suites with AEAD; SHA-1, early data, renegotiation and the
 * server's session cache are off.
 */

#ifndef ADIT_CRYPTO_TLS_CONTEXT_H
#define ADIT_CRYPTO_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/crypto/certificate.h"

struct tls_context;

/* The protocol between adit and aditd, as ALPN (RFC 7301) calls it. */
#define TLS_ALPN_ADIT "adit/1"

/* What a client offers beside it who goes by an authority: it is to be shown a
 * certificate that one may vouch for. Never selected. */
#define TLS_ALPN_ADIT_CA "adit/1-ca"

enum tls_version {
	TLS_ANY_VERSION, /* 1.2 or 1.3 */
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304
};

/* What a client does about TLS_ALPN_ADIT. */
enum tls_alpn {
	TLS_ALPN_SILENT,     /* offers nothing */
	TLS_ALPN_OFFERED,    /* and asks tls_is_adit() */
	TLS_ALPN_OFFERED_CA, /* the same, with TLS_ALPN_ADIT_CA */
	TLS_ALPN_REQUIRED    /* and refuses a server that does not select it */
};

struct tls_server_terms {
	const struct certificate *certificate; /* the caller's, as before */
	/* A PEM file: clients must show a certificate that leads to one in it.
	 * NULL: none is asked for. */
	const char *trusted_ca;
	bool adit; /* only TLS 1.3 with TLS_ALPN_ADIT; else no ALPN at all */
};

/* With neither pins nor trusted_ca any server will do. */
struct tls_client_terms {
	/* Of the server's certificate only the key counts, and it must be one
	 * of these: no name, no date, no chain. Needs TLS 1.3. */
	const struct pin *pins;
	size_t pins_n; /* PINS_MAX at most */
	/* Else a PEM file: the certificate must lead to one in it, be valid
	 * now, and be for the name that tls_client() is given. */
	const char *trusted_ca;
	const struct certificate *certificate; /* shown if asked for, or NULL */
	enum tls_version min, max;
	enum tls_alpn alpn;
	uint64_t key_records; /* sealed with one key; 0: 2^23, as it should */
};

/* NULL: see `error`. May block: for the main thread. */
struct tls_context *tls_context_server(const struct tls_server_terms *terms,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;
struct tls_context *tls_context_client(const struct tls_client_terms *terms,
	char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/* One more owner; and one less. Any thread. */
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context **c);

#endif
