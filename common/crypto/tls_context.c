/* SPDX-License-Identifier: Apache-2.0 */

/* BoringSSL's contexts, with what its defaults lack or have too much of. */

#include "common/crypto/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/certificate_internal.h"
#include "common/crypto/pem.h"
#include "common/crypto/tls_internal.h"

#define CERTIFICATES_MAX (16 * 1024) /* bytes of a peer's chain */
#define RESUMABLE_SECONDS (12 * 60 * 60)
#define KEY_RECORDS (UINT64_C(1) << 23)

/* Those of TLS 1.2; the ones of 1.3 are all fine, and not to be chosen. */
#define CIPHERS                                                      \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

/* Those that we sign by, and verify: the library's, but for SHA-1. */
static const uint16_t signing[] = { SSL_SIGN_ED25519,
	SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256,
	SSL_SIGN_RSA_PKCS1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384,
	SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PKCS1_SHA384,
	SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512,
	SSL_SIGN_RSA_PKCS1_SHA512 };
static const uint16_t verified[] = { SSL_SIGN_ECDSA_SECP256R1_SHA256,
	SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256,
	SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384,
	SSL_SIGN_RSA_PKCS1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512,
	SSL_SIGN_RSA_PKCS1_SHA512 };

/* In the form of the extension: a length, then the name. */
static const uint8_t alpn_list[] = "\x06" TLS_ALPN_ADIT;
#define ALPN_LIST_SIZE (sizeof(alpn_list) - 1)
static const uint8_t alpn_list_ca[] =
	"\x06" TLS_ALPN_ADIT "\x09" TLS_ALPN_ADIT_CA;
#define ALPN_LIST_CA_SIZE (sizeof(alpn_list_ca) - 1)

_Static_assert(sizeof(TLS_ALPN_ADIT) - 1 == 6, "alpn_list has its length");
_Static_assert(sizeof(TLS_ALPN_ADIT_CA) - 1 == 9, "alpn_list_ca, too");

static void say_no_memory(char *error)
{
	snprintf(error, CERTIFICATE_ERROR_SIZE, "TLS: no memory");
}

/*
 * What servers show to clients, kept once for all who hold it; sessions may
 * outlive their context, so it is there for good. Servers do without: it has
 * a lock.
 */
static pthread_once_t shown_once = PTHREAD_ONCE_INIT;
static CRYPTO_BUFFER_POOL *shown;

static void make_shown(void)
{
	shown = CRYPTO_BUFFER_POOL_new();
}

static bool set_up(struct tls_context *c, uint16_t min, uint16_t max)
{
	/* Without objects of X509, which are large. */
	c->ctx = SSL_CTX_new(TLS_with_buffers_method());
	if (!c->ctx)
		return false;
	SSL_CTX_set_max_cert_list(c->ctx, CERTIFICATES_MAX);
	SSL_CTX_set_session_psk_dhe_timeout(c->ctx, RESUMABLE_SECONDS);
	SSL_CTX_set_early_data_enabled(c->ctx, 0);
	return SSL_CTX_set_min_proto_version(c->ctx, min) &&
	       SSL_CTX_set_max_proto_version(c->ctx, max) &&
	       SSL_CTX_set_strict_cipher_list(c->ctx, CIPHERS) &&
	       SSL_CTX_set_signing_algorithm_prefs(
		       c->ctx, signing, ARRAY_SIZE(signing)) &&
	       SSL_CTX_set_verify_algorithm_prefs(
		       c->ctx, verified, ARRAY_SIZE(verified));
}

/* NULL: no memory. */
static struct tls_context *create(uint16_t min, uint16_t max)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	atomic_init(&c->owners, 1);
	c->key_records = KEY_RECORDS;
	if (!set_up(c, min, max))
		tls_context_unref(&c);
	return c;
}

static int show(struct tls_context *c, const struct certificate *own)
{
	return SSL_CTX_set_chain_and_key(
		       c->ctx, own->chain, own->n, own->key, NULL)
		       ? 0
		       : -ENOMEM;
}

static int add_trusted(void *arg, const uint8_t *der, size_t size)
{
	X509 *x = d2i_X509(NULL, &der, (long)size);
	int result = -EINVAL;

	if (x)
		result = X509_STORE_add_cert(arg, x) ? 0 : -ENOMEM;
	X509_free(x);
	return result;
}

/* Read trusted_ca, if any; 0, or -errno with a sentence. */
static int trust(struct tls_context *c, const char *file, char *error)
{
	struct pem p;
	int n;

	if (!file)
		return 0;
	n = pem_load(&p, file, error);
	if (n < 0)
		return n;
	c->trusted = X509_STORE_new();
	n = c->trusted ? pem_certificates(&p, add_trusted, c->trusted)
		       : -ENOMEM;
	pem_free(&p);
	if (n > 0)
		return 0;
	if (n == -ENOMEM)
		say_no_memory(error);
	else
		snprintf(error, CERTIFICATE_ERROR_SIZE,
			n == 0 ? "%s: no certificate is in it: give the PEM "
				 "file of the authority"
			       : "%s: a certificate in it is damaged: copy "
				 "the file anew",
			file);
	return -EINVAL;
}

/* The client's offer; only our own protocol will do. */
static int select_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_size,
	const uint8_t *in, unsigned in_size, void *arg)
{
	(void)ssl, (void)arg;
	if (SSL_select_next_proto((uint8_t **)out, out_size, in, in_size,
		    alpn_list, ALPN_LIST_SIZE) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* BoringSSL asks select_alpn() only about clients who offer something. */
static enum ssl_select_cert_result_t want_alpn(const SSL_CLIENT_HELLO *hello)
{
	const uint8_t *data;
	size_t size;

	if (SSL_early_callback_ctx_extension_get(hello,
		    TLSEXT_TYPE_application_layer_protocol_negotiation, &data,
		    &size))
		return ssl_select_cert_success;
	tls_of(hello->ssl)->reason = "the client does not speak " TLS_ALPN_ADIT;
	return ssl_select_cert_error;
}

/* Asked when a ticket has been looked at, before anything is signed. */
static int admit(const SSL_CLIENT_HELLO *hello)
{
	return !tls_of(hello->ssl)->known_only ||
	       SSL_session_reused(hello->ssl);
}

static bool set_up_server(
	struct tls_context *c, const struct tls_server_terms *terms)
{
	/* Which certificates are trusted decides whose tickets are taken; a
	 * context has its own ticket keys, so the name is for form's sake. */
	static const uint8_t id[] = "adit";

	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_dos_protection_cb(c->ctx, admit);
	/* Neither sessions nor tickets carry a client's chain. */
	SSL_CTX_set_retain_only_sha256_of_client_certs(c->ctx, 1);
	if (terms->adit) {
		SSL_CTX_set_select_certificate_cb(c->ctx, want_alpn);
		SSL_CTX_set_alpn_select_cb(c->ctx, select_alpn, NULL);
	}
	if (terms->trusted_ca)
		SSL_CTX_set_custom_verify(c->ctx,
			SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			tls_verify);
	return SSL_CTX_set_num_tickets(c->ctx, 1) &&
	       SSL_CTX_set_session_id_context(c->ctx, id, sizeof(id));
}

struct tls_context *tls_context_server(const struct tls_server_terms *terms,
	char error[static CERTIFICATE_ERROR_SIZE])
{
	struct tls_context *c =
		create(terms->adit ? TLS_1_3 : TLS_1_2, TLS_1_3);

	if (!c || !set_up_server(c, terms) || show(c, terms->certificate) < 0) {
		say_no_memory(error);
		tls_context_unref(&c);
	} else if (trust(c, terms->trusted_ca, error) < 0) {
		tls_context_unref(&c);
	}
	ERR_clear_error();
	return c;
}

static bool set_up_client(
	struct tls_context *c, const struct tls_client_terms *terms)
{
	pthread_once(&shown_once, make_shown);
	if (shown)
		SSL_CTX_set0_buffer_pool(c->ctx, shown);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(c->ctx, tls_sessions_new);
	SSL_CTX_set_custom_verify(c->ctx, SSL_VERIFY_PEER, tls_verify);
	SSL_CTX_set_reverify_on_resume(c->ctx, 1);
	c->alpn = terms->alpn;
	if (terms->pins_n > PINS_MAX)
		never_reached();
	c->pins_n = terms->pins_n;
	for (size_t i = 0; i < c->pins_n; i++)
		c->pins[i] = terms->pins[i];
	if (terms->key_records)
		c->key_records = terms->key_records;
	/* 0 is its yes, unlike elsewhere. */
	if (c->alpn == TLS_ALPN_OFFERED_CA)
		return SSL_CTX_set_alpn_protos(
			       c->ctx, alpn_list_ca, ALPN_LIST_CA_SIZE) == 0;
	return c->alpn == TLS_ALPN_SILENT ||
	       SSL_CTX_set_alpn_protos(c->ctx, alpn_list, ALPN_LIST_SIZE) == 0;
}

struct tls_context *tls_context_client(const struct tls_client_terms *terms,
	char error[static CERTIFICATE_ERROR_SIZE])
{
	enum tls_version min = terms->min ? terms->min : TLS_1_2;
	enum tls_version max = terms->max ? terms->max : TLS_1_3;
	struct tls_context *c =
		create(terms->pins_n > 0 ? TLS_1_3 : (uint16_t)min,
			terms->pins_n > 0 ? TLS_1_3 : (uint16_t)max);

	if (!c || !set_up_client(c, terms) ||
		(terms->certificate && show(c, terms->certificate) < 0)) {
		say_no_memory(error);
		tls_context_unref(&c);
	} else if (terms->pins_n == 0 &&
		   trust(c, terms->trusted_ca, error) < 0) {
		tls_context_unref(&c);
	}
	ERR_clear_error();
	return c;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	atomic_fetch_add_explicit(&c->owners, 1, memory_order_relaxed);
	return c;
}

void tls_context_unref(struct tls_context **c)
{
	struct tls_context *old = *c;

	*c = NULL;
	if (!old || atomic_fetch_sub_explicit(
			    &old->owners, 1, memory_order_acq_rel) > 1)
		return;
	SSL_CTX_free(old->ctx);
	X509_STORE_free(old->trusted);
	free(old);
}
