/* SPDX-License-Identifier: Apache-2.0 */

/* BoringSSL's reasons in the words of a log line. */

#include <errno.h>
#include <openssl/err.h>

#include "common/crypto/tls_internal.h"

struct reason {
	int reason; /* SSL_R_..., or an alert's and SSL_AD_REASON_OFFSET */
	int result;
	const char *text;
};

#define ALERT(name) (SSL_AD_REASON_OFFSET + SSL_AD_##name)

static const struct reason reasons[] = {
	{ SSL_R_HTTP_REQUEST, -EPROTO, "not TLS, but a plain HTTP request" },
	{ SSL_R_HTTPS_PROXY_REQUEST, -EPROTO,
		"not TLS, but a plain HTTP request" },
	{ SSL_R_WRONG_VERSION_NUMBER, -EPROTO, "not TLS" },
	{ SSL_R_UNEXPECTED_RECORD, -EPROTO, "not TLS, or out of its order" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, -EPROTONOSUPPORT,
		"the peer does not speak a version of TLS that is allowed" },
	{ ALERT(PROTOCOL_VERSION), -EPROTONOSUPPORT,
		"the peer refuses our versions of TLS" },
	{ SSL_R_NO_SHARED_CIPHER, -EPROTONOSUPPORT,
		"the peer has no cipher suite that is allowed" },
	{ SSL_R_NO_APPLICATION_PROTOCOL, -EPROTONOSUPPORT,
		"the client does not speak " TLS_ALPN_ADIT },
	{ ALERT(NO_APPLICATION_PROTOCOL), -EPROTONOSUPPORT,
		"the server does not speak " TLS_ALPN_ADIT },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, -EACCES,
		"the client has shown no certificate" },
	{ SSL_R_BAD_SIGNATURE, -EACCES,
		"the peer has not the key of its certificate" },
	{ ALERT(CERTIFICATE_REQUIRED), -EACCES,
		"the server wants a certificate from us" },
	{ ALERT(BAD_CERTIFICATE), -EACCES,
		"the peer does not accept our certificate" },
	{ ALERT(UNKNOWN_CA), -EACCES,
		"the peer does not trust our certificate" },
	{ ALERT(CERTIFICATE_UNKNOWN), -EACCES,
		"the peer does not accept our certificate" },
	{ ALERT(UNSUPPORTED_CERTIFICATE), -EACCES,
		"the peer does not accept our kind of certificate" },
	{ ALERT(CERTIFICATE_EXPIRED), -EACCES,
		"our certificate has expired for the peer" },
	{ ALERT(HANDSHAKE_FAILURE), -EPROTO,
		"the peer refuses the handshake: no cipher suite or "
		"certificate suits both" },
	{ ALERT(UNRECOGNIZED_NAME), -EPROTO,
		"the server does not know the name that was asked for" },
	{ ALERT(INTERNAL_ERROR), -EPROTO,
		"the peer has an internal error in TLS" },
	{ SSL_R_CONNECTION_REJECTED, -EBUSY,
		"too many handshakes: only known clients are admitted" },
	{ SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, -EPROTO,
		"a TLS record was changed on its way" },
	{ ALERT(BAD_RECORD_MAC), -EPROTO,
		"a TLS record of ours was changed on its way" },
	{ SSL_R_TOO_MANY_KEY_UPDATES, -EPROTO, "too many KeyUpdates" },
	{ SSL_R_TOO_MANY_EMPTY_FRAGMENTS, -EPROTO,
		"too many empty TLS records" },
	{ SSL_R_EXCESSIVE_MESSAGE_SIZE, -EPROTO,
		"a TLS message or certificate chain is too long" },
	{ SSL_R_NO_RENEGOTIATION, -EPROTO,
		"the peer wants to renegotiate, which is off" },
	{ SSL_R_TLS13_DOWNGRADE, -EPROTO,
		"somebody on the way weakens TLS to version 1.2" },
};

/* The first that TLS itself gave; before it are those of its primitives. The
 * queue is empty then. */
static uint32_t take_error(void)
{
	uint32_t first = ERR_peek_error(), e = first;

	while (e && ERR_GET_LIB(e) != ERR_LIB_SSL)
		e = ERR_get_error();
	ERR_clear_error();
	return e ? e : first;
}

int tls_trouble(const char **text)
{
	uint32_t e = take_error();
	int reason = ERR_GET_REASON(e);

	*text = "the peer broke the rules of TLS";
	if (reason == ERR_R_MALLOC_FAILURE) {
		*text = "no memory for TLS";
		return -ENOMEM;
	}
	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		return -EPROTO;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].reason == reason) {
			*text = reasons[i].text;
			return reasons[i].result;
		}
	}
	if (reason >= SSL_AD_REASON_OFFSET)
		*text = "the peer sent a TLS alert";
	return -EPROTO;
}
