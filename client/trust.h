/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What links to the server ask of its TLS, and how that changes: a server that
 * was known by a pin tells those to know it by from now on. They are kept with
 * the join string, and all workers go by them.
 */

#ifndef ADIT_CLIENT_TRUST_H
#define ADIT_CLIENT_TRUST_H

#include <stdatomic.h>

#include "client/settings.h"
#include "common/crypto/pin.h"
#include "common/crypto/tls_context.h"
#include "common/event/core.h"
#include "common/wire/message.h"

/*
 * What is asked of TLS by these settings and these pins (the settings have
 * checked their own); NULL: see `error`. It may block.
 */
struct tls_context *trust_make(const struct settings *s, const struct pin *pins,
	size_t pin_count, char error[static CERTIFICATE_ERROR_SIZE]) must_check;

/*
 * What is done about adit/1. With an authority and no pin another certificate
 * is asked for: no authority vouches for the identity.
 */
enum tls_alpn trust_alpn(const struct settings *s, size_t pin_count);

/* The pins of the settings; how many, -EINVAL: one is none. */
int trust_pins(
	const struct settings *s, struct pin pins[static PINS_MAX]) must_check;

/* Whether anything vouches for the server. */
static inline bool trust_is_asked(const struct settings *s)
{
	return s->tls_enable && (s->tls_pins.n > 0 || *s->tls_ca_file);
}

/* The crew's. */
struct trust {
	const struct settings *settings;
	struct tls_context *tls; /* the newest; NULL: without TLS */
	/* The pins in use: the first worker's while `told` is false, else the
	 * main thread's, which has yet to act on them. */
	struct pin pins[PINS_MAX];
	size_t pin_count;
	_Atomic bool told;
};

/* 0, or -errno after an error in the log. */
int trust_open(struct trust *t, const struct settings *settings) must_check;

/* A zeroed one, too. */
void trust_close(struct trust *t);

/* Main thread, whenever it wakes: act on what was told; it may take its time.
 * `last`: only keep it. */
void trust_look(struct trust *t, bool last);

/*
 * First worker, after a login to a server that has shown one of the pins: it
 * has told these. What cannot be pins is ignored.
 */
void trust_told(struct trust *t, const struct message_list *pins);

#endif
