/* SPDX-License-Identifier: Apache-2.0 */

/* What is known of a session once its handshake is done. */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

static struct tls *tls(const struct transform *t)
{
	return container_of(t, struct tls, transform);
}

bool tls_is_address(const char *name)
{
	struct in6_addr address; /* has room for both */

	return inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

bool tls_is_adit(const struct transform *t)
{
	const uint8_t *name;
	unsigned size;

	SSL_get0_alpn_selected(tls(t)->ssl, &name, &size);
	return size == strlen(TLS_ALPN_ADIT) &&
	       memcmp(name, TLS_ALPN_ADIT, size) == 0;
}

enum tls_version tls_version(const struct transform *t)
{
	return (enum tls_version)SSL_version(tls(t)->ssl);
}

const char *tls_version_name(const struct transform *t)
{
	return SSL_get_version(tls(t)->ssl);
}

const char *tls_cipher_name(const struct transform *t)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls(t)->ssl);

	return cipher ? SSL_CIPHER_standard_name(cipher) : "none";
}

bool tls_is_resumed(const struct transform *t)
{
	return SSL_session_reused(tls(t)->ssl);
}

int tls_export(struct transform *t, const char *label, const void *context,
	size_t size, uint8_t out[static TLS_EXPORT_SIZE])
{
	struct tls *s = tls(t);

	if (s->state != TLS_OPEN && s->state != TLS_FINISHED)
		return -EINVAL;
	ERR_clear_error();
	return SSL_export_keying_material(s->ssl, out, TLS_EXPORT_SIZE, label,
		       strlen(label), context, size, 1)
		       ? 0
		       : -EINVAL;
}

int tls_channel_binding(
	struct transform *t, uint8_t out[static TLS_EXPORT_SIZE])
{
	return tls_export(t, "EXPORTER-Channel-Binding", "", 0, out);
}

bool tls_peer_pin(const struct transform *t, struct pin *p)
{
	if (tls(t)->pinned)
		*p = tls(t)->peer;
	return tls(t)->pinned;
}

bool tls_peer_issuer(
	const struct transform *t, char out[static TLS_ISSUER_SIZE])
{
	const STACK_OF(CRYPTO_BUFFER) *chain =
		SSL_get0_peer_certificates(tls(t)->ssl);
	X509 *first = NULL;
	X509_NAME *issuer;

	if (chain && sk_CRYPTO_BUFFER_num(chain) > 0)
		first = X509_parse_from_buffer(
			sk_CRYPTO_BUFFER_value(chain, 0));
	if (!first) {
		ERR_clear_error();
		return false;
	}
	issuer = X509_get_issuer_name(first);
	out[0] = '\0';
	if (X509_NAME_cmp(issuer, X509_get_subject_name(first)) != 0)
		X509_NAME_oneline(issuer, out, TLS_ISSUER_SIZE);
	X509_free(first);
	return true;
}
