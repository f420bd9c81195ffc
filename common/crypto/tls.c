/* SPDX-License-Identifier: Apache-2.0 */

/* BoringSSL's sessions, driven from span to span (tls_span.c). */

#include "common/crypto/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

#define RECORD_DATA 16384 /* a record holds at most so much */
/*
 * Around the data of one record: header, explicit nonce (1.2) or type of
 * content (1.3), tag.
 */
#define RECORD_EXTRA 29
/* Data that is not worth a record, where the rest goes with the next call. */
#define RECORD_SHORT 1024
/* Around those of one call, for 64 KiB, and a KeyUpdate. */
#define OVERHEAD 256
/* The same for a server's first call, which brings the tickets. */
#define OVERHEAD_TICKETS 2048

static struct tls *tls(const struct transform *t)
{
	return container_of(t, struct tls, transform);
}

/* The one place that changes the state. */
static void set_state(struct tls *s, enum tls_state state)
{
	s->state = state;
	s->transform.shaking = state == TLS_SHAKING;
	if (state == TLS_SHAKING)
		return;
	/* It is not verified again. */
	free(s->name);
	s->name = NULL;
}

static int fail(struct tls *s, int result, const char *text)
{
	s->failure = result;
	s->transform.trouble = text;
	set_state(s, TLS_FAILED);
	return result;
}

/* BoringSSL's last call failed, and it was not for want of bytes. */
static int fail_call(struct tls *s)
{
	const char *text;
	int result = tls_trouble(&text);

	if (s->starved)
		return fail(s, -ENOMEM, "no memory for TLS");
	if (s->reason)
		return fail(s, -EACCES, s->reason);
	return fail(s, result, text);
}

static void set_spans(struct tls *s, const uint8_t *in, size_t in_size,
	uint8_t *out, size_t out_size)
{
	s->in = in;
	s->in_size = in_size;
	s->out = out;
	s->out_size = out_size;
	s->out_used = 0;
	ERR_clear_error();
}

/* The call ends: its spans are the caller's again. */
static size_t end_spans(struct tls *s)
{
	size_t used = s->out_used;

	s->in = NULL;
	s->out = NULL;
	s->in_size = s->out_size = s->out_used = 0;
	s->transform.has_words = tls_has_left(s);
	s->transform.overhead =
		s->extra + (uint32_t)(s->left.to - s->left.from);
	return used;
}

/* Make our close_notify; 0 or -errno. */
static int end_writing(struct tls *s)
{
	if (SSL_shutdown(s->ssl) < 0)
		return fail_call(s);
	set_state(s, TLS_FINISHED);
	return 0;
}

/* Go on with the handshake: 0, or -errno; it may be over then. */
static int shake(struct tls *s)
{
	int n = SSL_do_handshake(s->ssl);

	if (n == 1) {
		set_state(s, TLS_OPEN);
		return s->ending ? end_writing(s) : 0;
	}
	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return fail(s, -ECONNRESET,
			"the peer ended TLS before its handshake");
	default:
		return fail_call(s);
	}
}

/* Whether the peer keeps changing its keys. */
static bool is_flood(const struct tls *s)
{
	return s->updates > TLS_KEY_UPDATES + (s->received >> 20);
}

/*
 * One call's worth of what has come: > 0 bytes, 0: there are no more now, or
 * the peer has ended; -errno.
 */
static int read_some(struct tls *s, uint8_t *out, size_t size)
{
	int n = SSL_read(s->ssl, out, size < INT_MAX ? (int)size : INT_MAX);

	if (is_flood(s)) {
		SSL_send_fatal_alert(s->ssl, SSL_AD_UNEXPECTED_MESSAGE);
		return fail(s, -EPROTO, "too many KeyUpdates");
	}
	if (n > 0)
		return n;
	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		s->transform.ended = true;
		return 0;
	default:
		return fail_call(s);
	}
}

static ssize_t read_all(struct tls *s, uint8_t *out, size_t size)
{
	size_t used = 0;
	int n = 1;

	if (s->state == TLS_SHAKING)
		n = shake(s);
	if (n < 0)
		return n;
	if (s->state == TLS_SHAKING)
		return 0;
	for (n = 1; n > 0 && used < size; used += (size_t)n) {
		n = read_some(s, out + used, size - used);
		if (n < 0)
			return n;
	}
	return (ssize_t)used;
}

static ssize_t tls_open(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct tls *s = tls(t);
	ssize_t result;

	if (s->state == TLS_FAILED)
		return s->failure;
	if (t->ended)
		return 0;
	/* What is said meanwhile is kept: there is no span for it. */
	set_spans(s, in, *n, NULL, 0);
	result = read_all(s, out, size);
	if (!t->ended)
		*n -= s->in_size;
	s->received += *n;
	end_spans(s);
	return result;
}

/* Before a record: a fresh key, if this one has done its work. */
static int renew_key(struct tls *s)
{
	if (SSL_version(s->ssl) < TLS_1_3 ||
		SSL_get_write_sequence(s->ssl) < s->context->key_records)
		return 0;
	return SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
		       ? 0
		       : fail_call(s);
}

/* How much of `n` bytes the next record takes; 0: the call has made enough. */
static size_t record_size(const struct tls *s, size_t n)
{
	size_t room = s->out_size - s->out_used;
	size_t size = n < RECORD_DATA ? n : RECORD_DATA;

	if (size + RECORD_EXTRA <= room)
		return size;
	if (s->out_used == 0 && room <= RECORD_SHORT + RECORD_EXTRA)
		return size < RECORD_SHORT ? size : RECORD_SHORT;
	return room > RECORD_SHORT + RECORD_EXTRA ? room - RECORD_EXTRA : 0;
}

/* Tickets and KeyUpdates that wait for a write: made, or -errno. */
static int write_waiting(struct tls *s)
{
	int result = renew_key(s);

	if (result < 0)
		return result;
	s->extra = OVERHEAD;
	return SSL_write(s->ssl, "", 0) < 0 ? fail_call(s) : 0;
}

/* How many of `n` bytes were sealed, or -errno. */
static ssize_t write_all(struct tls *s, const uint8_t *in, size_t n)
{
	size_t taken = 0, size;

	while (taken < n && !tls_has_left(s)) {
		int result = write_waiting(s);

		if (result < 0)
			return result;
		size = tls_has_left(s) ? 0 : record_size(s, n - taken);
		if (size == 0)
			break;
		if (SSL_write(s->ssl, in + taken, (int)size) != (int)size)
			return fail_call(s);
		taken += size;
	}
	return (ssize_t)taken;
}

static ssize_t tls_seal(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct tls *s = tls(t);
	ssize_t result = 0;

	set_spans(s, NULL, 0, out, size);
	tls_span_flush(s);
	if (s->state == TLS_SHAKING && !tls_has_left(s))
		result = shake(s);
	else if (s->state == TLS_OPEN)
		result = write_all(s, in, *n);
	*n = result > 0 ? (size_t)result : 0;
	size = end_spans(s);
	return result < 0 ? result : (ssize_t)size;
}

static void tls_finish(struct transform *t)
{
	struct tls *s = tls(t);

	s->ending = true;
	if (s->state != TLS_OPEN)
		return;
	set_spans(s, NULL, 0, NULL, 0);
	/* A failure shows in the next call. */
	(void)end_writing(s);
	end_spans(s);
}

static int tls_below_ended(struct transform *t)
{
	struct tls *s = tls(t);

	if (t->ended)
		return 0;
	if (s->state == TLS_SHAKING)
		fail(s, -ECONNRESET, "the TLS handshake was cut off");
	else if (s->state != TLS_FAILED)
		fail(s, -ECONNRESET, "TLS was cut off without its end");
	return -ECONNRESET;
}

static void tls_free(struct transform *t)
{
	struct tls *s = tls(t);

	list_remove(&s->link);
	SSL_free(s->ssl);
	tls_span_free(s);
	tls_context_unref(&s->context);
	free(s->name);
	free(s);
}

static const struct transform_ops tls_ops = {
	.open = tls_open,
	.seal = tls_seal,
	.finish = tls_finish,
	.below_ended = tls_below_ended,
	.free = tls_free,
};

/* BoringSSL tells of each message; handshakes after the first are counted. */
static void count_message(int is_write, int version, int type, const void *buf,
	size_t size, SSL *ssl, void *arg)
{
	struct tls *s = arg;
	const uint8_t *message = buf;

	(void)version, (void)ssl;
	if (!is_write && type == SSL3_RT_HANDSHAKE && size > 0 &&
		message[0] == SSL3_MT_KEY_UPDATE)
		s->updates++;
}

/* NULL: no memory. */
static struct tls *create(struct tls_context *c)
{
	struct tls *s = calloc(1, sizeof(*s));
	struct transform *t;

	if (!s)
		return NULL;
	list_init(&s->link);
	s->transform.ops = &tls_ops;
	s->extra = s->transform.overhead = OVERHEAD;
	s->context = tls_context_ref(c);
	set_state(s, TLS_SHAKING);
	s->ssl = SSL_new(c->ctx);
	if (s->ssl && tls_span_attach(s) == 0) {
		SSL_set_shed_handshake_config(s->ssl, 1);
		SSL_set_msg_callback(s->ssl, count_message);
		SSL_set_msg_callback_arg(s->ssl, s);
		return s;
	}
	t = &s->transform;
	transform_free(&t);
	ERR_clear_error();
	return NULL;
}

struct transform *tls_server(struct tls_context *c)
{
	struct tls *s = create(c);

	if (!s)
		return NULL;
	s->extra = s->transform.overhead = OVERHEAD_TICKETS;
	SSL_set_accept_state(s->ssl);
	return &s->transform;
}

void tls_admit_known(struct transform *t)
{
	tls(t)->known_only = true;
}

/* Both what is looked for and what is asked for; 0 or -ENOMEM. */
static int set_name(struct tls *s, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	/* As in the DNS, a dot at the end says nothing here. */
	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0)
		return 0;
	s->name = strndup(name, n);
	if (!s->name)
		return -ENOMEM;
	if (tls_is_address(s->name))
		return 0;
	return SSL_set_tlsext_host_name(s->ssl, s->name) ? 0 : -ENOMEM;
}

struct transform *tls_client(
	struct tls_context *c, const char *name, struct tls_sessions *kept)
{
	struct tls *s = create(c);
	struct transform *t;

	if (!s)
		return NULL;
	t = &s->transform;
	SSL_set_connect_state(s->ssl);
	if (set_name(s, name) < 0) {
		transform_free(&t);
		ERR_clear_error();
		return NULL;
	}
	if (kept)
		tls_sessions_use(kept, s);
	/* Its first flight is made when it is asked for. */
	t->has_words = true;
	return t;
}
