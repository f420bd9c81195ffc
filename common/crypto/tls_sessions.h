/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a client keeps of its sessions with one server, so that the next ones
 * begin without certificates and signatures: the newest tickets, in memory
 * only. A ticket of TLS 1.3 is used once (RFC 8446 appendix C.4), one of 1.2
 * until it ends. Whoever resumes is verified again by the terms of its own
 * context; a changed list of pins wants an empty store all the same. One
 * thread: that of the TLS sessions which fill it.
 */

#ifndef ADIT_CRYPTO_TLS_SESSIONS_H
#define ADIT_CRYPTO_TLS_SESSIONS_H

#include "common/base/compiler.h"

struct tls_sessions;

/* How many are kept at most; the oldest makes room. */
#define TLS_SESSIONS_MAX 256

/* NULL without memory. */
struct tls_sessions *tls_sessions_create(void) must_check;

/* TLS sessions that still run fill it no more. */
void tls_sessions_destroy(struct tls_sessions **s);

/* Forget all of them. */
void tls_sessions_clear(struct tls_sessions *s);

unsigned tls_sessions_count(const struct tls_sessions *s);

#endif
