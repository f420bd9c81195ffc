/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The peer's certificate against a context's terms. BoringSSL calls it after
 * the peer has named its certificate, and for a client that resumes as well;
 * that the peer has the key is BoringSSL's to check.
 */

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

/* X509's words for what users can do something about. */
static const char *chain_trouble(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "the peer's certificate has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "the peer's certificate is not valid yet";
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "the server's certificate is for another name";
	case X509_V_ERR_INVALID_PURPOSE:
		return "the peer's certificate is for another purpose";
	default:
		return "the peer's certificate does not lead to a trusted one";
	}
}

static uint8_t chain_alert(int error)
{
	return (uint8_t)SSL_alert_from_verify_result(error);
}

/* The certificates after the first, for the search; NULL: damaged. */
static STACK_OF(X509) * parse_rest(const STACK_OF(CRYPTO_BUFFER) * chain)
{
	STACK_OF(X509) *rest = sk_X509_new_null();

	for (size_t i = 1; rest && i < sk_CRYPTO_BUFFER_num(chain); i++) {
		X509 *x = X509_parse_from_buffer(
			sk_CRYPTO_BUFFER_value(chain, i));

		if (!x || !sk_X509_push(rest, x)) {
			X509_free(x);
			sk_X509_pop_free(rest, X509_free);
			return NULL;
		}
	}
	return rest;
}

/* What the first certificate must be for. */
static bool set_purpose(X509_STORE_CTX *store, const struct tls *s)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

	/* As in Go, whose programs share the file: what is in it is trusted,
	 * be it signed by itself or not. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	if (SSL_is_server(s->ssl))
		return X509_STORE_CTX_set_default(store, "ssl_client");
	if (!s->name || !X509_STORE_CTX_set_default(store, "ssl_server"))
		return false;
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return tls_is_address(s->name)
		       ? X509_VERIFY_PARAM_set1_ip_asc(param, s->name)
		       : X509_VERIFY_PARAM_set1_host(
				 param, s->name, strlen(s->name));
}

/* X509_V_OK, or what is wrong with the chain. */
static int verify_parsed(
	const struct tls *s, X509 *first, STACK_OF(X509) * rest)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	if (store &&
		X509_STORE_CTX_init(store, s->context->trusted, first, rest)) {
		error = X509_V_ERR_HOSTNAME_MISMATCH;
		if (set_purpose(store, s))
			error = X509_verify_cert(store) == 1
					? X509_V_OK
					: X509_STORE_CTX_get_error(store);
	}
	X509_STORE_CTX_free(store);
	return error;
}

static int verify_chain(
	const struct tls *s, const STACK_OF(CRYPTO_BUFFER) * chain)
{
	X509 *first = X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, 0));
	STACK_OF(X509) *rest = parse_rest(chain);
	int error = X509_V_ERR_UNSPECIFIED;

	if (first && rest)
		error = verify_parsed(s, first, rest);
	X509_free(first);
	sk_X509_pop_free(rest, X509_free);
	ERR_clear_error();
	return error;
}

static enum ssl_verify_result_t refuse(
	struct tls *s, uint8_t *alert, uint8_t which, const char *reason)
{
	*alert = which;
	s->reason = reason;
	return ssl_verify_invalid;
}

/* What a client looks at before any trust: ALPN, and the pin. */
static enum ssl_verify_result_t verify_server(
	struct tls *s, const CRYPTO_BUFFER *first, uint8_t *alert)
{
	const struct tls_context *c = s->context;

	if (pin_of_certificate(&s->peer, CRYPTO_BUFFER_data(first),
		    CRYPTO_BUFFER_len(first)) < 0)
		return refuse(s, alert, SSL_AD_BAD_CERTIFICATE,
			"the server's certificate cannot be read");
	s->pinned = true;
	if (c->alpn == TLS_ALPN_REQUIRED && !tls_is_adit(&s->transform))
		return refuse(s, alert, SSL_AD_NO_APPLICATION_PROTOCOL,
			"the server does not speak " TLS_ALPN_ADIT);
	if (c->pins_n > 0 && !pin_listed(c->pins, c->pins_n, &s->peer))
		return refuse(s, alert, SSL_AD_BAD_CERTIFICATE,
			"the server's key is not the pinned one");
	return ssl_verify_ok;
}

enum ssl_verify_result_t tls_verify(SSL *ssl, uint8_t *alert)
{
	const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(ssl);
	struct tls *s = tls_of(ssl);
	int error;

	if (!chain || sk_CRYPTO_BUFFER_num(chain) == 0)
		return refuse(s, alert, SSL_AD_BAD_CERTIFICATE,
			"the peer has no certificate");
	if (!SSL_is_server(ssl) &&
		verify_server(s, sk_CRYPTO_BUFFER_value(chain, 0), alert) !=
			ssl_verify_ok)
		return ssl_verify_invalid;
	if (!s->context->trusted)
		return ssl_verify_ok;
	error = verify_chain(s, chain);
	return error == X509_V_OK ? ssl_verify_ok
				  : refuse(s, alert, chain_alert(error),
					    chain_trouble(error));
}
