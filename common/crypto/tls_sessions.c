/* SPDX-License-Identifier: Apache-2.0 */

/* A short queue of BoringSSL's sessions, the newest used first. */

#include "common/crypto/tls_sessions.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

struct tls_sessions {
	SSL_SESSION *kept[TLS_SESSIONS_MAX]; /* the oldest first */
	unsigned n;
	struct list users; /* struct tls, by link */
};

struct tls_sessions *tls_sessions_create(void)
{
	struct tls_sessions *s = calloc(1, sizeof(*s));

	if (s)
		list_init(&s->users);
	return s;
}

void tls_sessions_clear(struct tls_sessions *s)
{
	while (s->n > 0)
		SSL_SESSION_free(s->kept[--s->n]);
}

void tls_sessions_destroy(struct tls_sessions **s)
{
	struct list *node;

	if (!*s)
		return;
	while ((node = list_take(&(*s)->users)))
		container_of(node, struct tls, link)->kept = NULL;
	tls_sessions_clear(*s);
	free(*s);
	*s = NULL;
}

unsigned tls_sessions_count(const struct tls_sessions *s)
{
	return s->n;
}

void tls_sessions_use(struct tls_sessions *kept, struct tls *s)
{
	SSL_SESSION *newest;

	s->kept = kept;
	list_append(&kept->users, &s->link);
	if (kept->n == 0)
		return;
	newest = kept->kept[kept->n - 1];
	SSL_set_session(s->ssl, newest);
	if (SSL_SESSION_should_be_single_use(newest)) {
		kept->n--;
		SSL_SESSION_free(newest);
	}
}

int tls_sessions_new(SSL *ssl, SSL_SESSION *session)
{
	struct tls_sessions *kept = tls_of(ssl)->kept;

	if (!kept || !SSL_SESSION_is_resumable(session))
		return 0;
	if (kept->n == TLS_SESSIONS_MAX) {
		SSL_SESSION_free(kept->kept[0]);
		kept->n--;
		memmove(kept->kept, kept->kept + 1,
			kept->n * sizeof(kept->kept[0]));
	}
	kept->kept[kept->n++] = session;
	return 1;
}
