/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The spans of the current call as a BIO: BoringSSL reads its records from
 * the one and writes them to the other. What does not fit there is kept: the
 * flights of a handshake and alerts, which come up while a session opens; the
 * peer cannot make them grow.
 */

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

struct tls *tls_of(const SSL *ssl)
{
	return BIO_get_data(SSL_get_rbio(ssl));
}

static int span_read(BIO *bio, char *out, int n)
{
	struct tls *s = BIO_get_data(bio);
	size_t size = (size_t)n < s->in_size ? (size_t)n : s->in_size;

	BIO_clear_retry_flags(bio);
	if (size == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(out, s->in, size);
	s->in += size;
	s->in_size -= size;
	return (int)size;
}

/* Room for `n` more bytes; OPENSSL_realloc() wipes what it leaves. */
static bool left_reserve(struct tls_left *l, size_t n)
{
	size_t size = l->to + n;
	uint8_t *data;

	if (size <= l->size)
		return true;
	data = OPENSSL_realloc(l->data, size);
	if (!data)
		return false;
	l->data = data;
	l->size = size;
	return true;
}

static int span_write(BIO *bio, const char *in, int n)
{
	struct tls *s = BIO_get_data(bio);
	size_t size = (size_t)n, room = s->out_size - s->out_used;
	size_t fits = tls_has_left(s) ? 0 : room < size ? room : size;

	BIO_clear_retry_flags(bio);
	if (fits < size && !left_reserve(&s->left, size - fits)) {
		s->starved = true;
		return -1;
	}
	if (fits > 0)
		memcpy(s->out + s->out_used, in, fits);
	s->out_used += fits;
	if (fits < size)
		memcpy(s->left.data + s->left.to, in + fits, size - fits);
	s->left.to += size - fits;
	return n;
}

static long span_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio, (void)num, (void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(0, "spans");

	if (m && BIO_meth_set_read(m, span_read) &&
		BIO_meth_set_write(m, span_write) &&
		BIO_meth_set_ctrl(m, span_ctrl))
		method = m;
}

int tls_span_attach(struct tls *s)
{
	BIO *bio;

	pthread_once(&method_once, make_method);
	bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	return 0;
}

void tls_span_flush(struct tls *s)
{
	struct tls_left *l = &s->left;
	size_t n = l->to - l->from, room = s->out_size - s->out_used;

	if (n > room)
		n = room;
	if (n > 0)
		memcpy(s->out + s->out_used, l->data + l->from, n);
	s->out_used += n;
	l->from += n;
	if (l->from == l->to)
		tls_span_free(s);
}

void tls_span_free(struct tls *s)
{
	OPENSSL_free(s->left.data);
	memset(&s->left, 0, sizeof(s->left));
}
