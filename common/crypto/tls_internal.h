/* SPDX-License-Identifier: Apache-2.0 */

/* What contexts, sessions and their callbacks share; for this room. */

#ifndef ADIT_CRYPTO_TLS_INTERNAL_H
#define ADIT_CRYPTO_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "common/base/list.h"
#include "common/crypto/tls.h"

#if BORINGSSL_API_VERSION < 17
#error "BoringSSL is too old: its API version must be 17 or newer"
#endif

struct tls_context {
	SSL_CTX *ctx;
	X509_STORE *trusted; /* NULL: no trusted_ca */
	struct pin pins[PINS_MAX];
	size_t pins_n;
	enum tls_alpn alpn; /* a client's */
	uint64_t key_records;
	atomic_uint owners;
};

enum tls_state {
	TLS_SHAKING,  /* from the start; to open or failed */
	TLS_OPEN,     /* after the handshake; to finished or failed */
	TLS_FINISHED, /* our close_notify is made; the peer may still send */
	TLS_FAILED    /* for good */
};

/* Words that had no room in the span of their time. */
struct tls_left {
	uint8_t *data;
	size_t from, to, size; /* from <= to <= size */
};

struct tls {
	struct transform transform;
	SSL *ssl;
	struct tls_context *context;
	enum tls_state state;
	int failure; /* -errno while TLS_FAILED */
	/* The spans of the current call; nothing between calls. */
	const uint8_t *in;
	size_t in_size;
	uint8_t *out;
	size_t out_size, out_used;
	struct tls_left left;
	uint32_t extra;     /* overhead, but for what is left */
	char *name;         /* of the server, during a client's handshake */
	bool ending;        /* our direction is to end, after the handshake */
	bool starved;       /* no memory for what is left */
	bool known_only;    /* a server's: see tls_admit_known */
	bool pinned;        /* `peer` is set */
	struct pin peer;    /* of the server */
	uint64_t received;  /* bytes of records */
	uint64_t updates;   /* KeyUpdates of the peer */
	const char *reason; /* a callback's, for `trouble` */
	struct tls_sessions *kept;
	struct list link; /* of those who fill `kept` */
};

/* The session that BoringSSL's object belongs to. */
struct tls *tls_of(const SSL *ssl);

/* Whether it is an IP address, rather than a name. */
bool tls_is_address(const char *name);

/* Spans as what BoringSSL reads and writes. 0 or -ENOMEM. */
int tls_span_attach(struct tls *s) must_check;

/* Move what is left to the span, as much as there is room. */
void tls_span_flush(struct tls *s);

static inline bool tls_has_left(const struct tls *s)
{
	return s->left.from < s->left.to;
}

void tls_span_free(struct tls *s);

/* Judge the peer's certificate: BoringSSL's callback, for both roles. */
enum ssl_verify_result_t tls_verify(SSL *ssl, uint8_t *alert);

/*
 * Why BoringSSL's last call failed, from this thread's queue of errors: -errno
 * and a literal.
 */
int tls_trouble(const char **text);

/* Give the client's session one to resume; then it fills the store. */
void tls_sessions_use(struct tls_sessions *kept, struct tls *s);

/* BoringSSL has a new one: its callback, which says whether it was taken. */
int tls_sessions_new(SSL *ssl, SSL_SESSION *session);

#endif
