/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A TLS session as a transform (common/base/transform.h; RFC 5246, RFC 8446):
 * the handshake goes on inside open and seal, close_notify is the end, an end
 * below without it is a cut. After a failure `trouble` says why, and there may
 * be an alert to send. One thread at a time: with nothing in flight another
 * may go on with it.
 *
 * A server's tickets go with the first bytes that it seals. An idle session
 * holds a few KiB; a record that has come in part is kept inside, 16,645 bytes
 * at most.
 */

#ifndef ADIT_CRYPTO_TLS_H
#define ADIT_CRYPTO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/transform.h"
#include "common/crypto/pin.h"
#include "common/crypto/tls_context.h"
#include "common/crypto/tls_sessions.h"

/*
 * KeyUpdates that a peer may send: so many, and one more for each MiB that it
 * sent. Beyond them the session fails: each costs as much as many records.
 */
#define TLS_KEY_UPDATES 8

#define TLS_EXPORT_SIZE 32

/* A session in the role of its context, of which it becomes an owner. NULL:
 * no memory. */
struct transform *tls_server(struct tls_context *c) must_check;

/* Before its handshake: admit no client but one that resumes a session, which
 * costs no signature. */
void tls_admit_known(struct transform *t);

/*
 * `name` is what the server is called: what a context with trusted_ca looks
 * for in the certificate, and what the server is told (SNI), unless it is an
 * IP address. NULL or "": it has none. `kept`, or NULL, is where a session to
 * resume is taken from, and new ones are put until it is destroyed.
 */
struct transform *tls_client(struct tls_context *c, const char *name,
	struct tls_sessions *kept) must_check;

/* The following hold after the handshake: while not `shaking`. */

/* Whether both sides agreed on TLS_ALPN_ADIT. */
bool tls_is_adit(const struct transform *t);

enum tls_version tls_version(const struct transform *t);

/* As text, of the version and the cipher suite: for logs. */
const char *tls_version_name(const struct transform *t);
const char *tls_cipher_name(const struct transform *t);

/* Whether it resumed an earlier session. */
bool tls_is_resumed(const struct transform *t);

/*
 * The exporter (RFC 5705, RFC 8446 section 7.5). 0, or -EINVAL: there is no
 * session yet, or no memory.
 */
int tls_export(struct transform *t, const char *label, const void *context,
	size_t size, uint8_t out[static TLS_EXPORT_SIZE]) must_check;

/* What names this one session to both ends (RFC 9266); as tls_export(). */
int tls_channel_binding(
	struct transform *t, uint8_t out[static TLS_EXPORT_SIZE]) must_check;

/* For clients: the pin of what the server showed, be it refused or not.
 * False: it has not shown anything. */
bool tls_peer_pin(const struct transform *t, struct pin *p);

/* For clients: who has issued the server's certificate, as text; "" if it has
 * signed itself. False: that is not known. */
#define TLS_ISSUER_SIZE 128
bool tls_peer_issuer(
	const struct transform *t, char out[static TLS_ISSUER_SIZE]);

#endif
