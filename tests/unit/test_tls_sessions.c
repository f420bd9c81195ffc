/* SPDX-License-Identifier: Apache-2.0 */

/* Resumption: how often a ticket serves, and what is looked at again. */
// links: tests/unit/tls_pair.c common/crypto/tls.c common/crypto/tls_query.c common/crypto/tls_span.c common/crypto/tls_context.c common/crypto/tls_sessions.c common/crypto/tls_verify.c common/crypto/tls_trouble.c common/crypto/certificate.c common/crypto/certificate_make.c common/crypto/pem.c common/crypto/pin.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/tls_sessions.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/certificates.h"
#include "tests/unit/tls_pair.h"

/* What a connection that went well was like. */
struct visit {
	bool resumed;
	uint8_t binding[TLS_EXPORT_SIZE];
	size_t server_bytes; /* of the handshake */
};

static struct visit visit(struct tls_context *client,
	struct tls_context *server, struct tls_sessions *kept)
{
	uint8_t other[TLS_EXPORT_SIZE];
	struct visit v;
	struct pair p;

	pair_init(&p, client, server, "tunnel.example", kept);
	cr_assert(pair_shake(&p));
	v.resumed = tls_is_resumed(p.client.t);
	cr_assert_eq(v.resumed, tls_is_resumed(p.server.t));
	v.server_bytes = p.server.sealed;
	cr_assert_eq(tls_channel_binding(p.client.t, v.binding), 0);
	cr_assert_eq(tls_channel_binding(p.server.t, other), 0);
	cr_assert(memcmp(v.binding, other, sizeof(other)) == 0);
	/* The ticket goes with the first bytes. */
	cr_assert(pair_echo(&p, 10));
	pair_free(&p);
	return v;
}

static struct tls_context *plain_server(void)
{
	return pair_server_context(server_pem, server_key, NULL, false);
}

static struct tls_context *any_server(enum tls_version max)
{
	const struct tls_client_terms terms = { .max = max };

	return pair_client_context(&terms);
}

Test(tls_sessions, tickets_of_1_3_serve_once)
{
	struct tls_context *server = plain_server();
	struct tls_context *client = any_server(TLS_1_3);
	struct tls_sessions *kept = tls_sessions_create();
	struct visit first, second;

	first = visit(client, server, kept);
	cr_assert(!first.resumed);
	cr_assert_eq(tls_sessions_count(kept), 1, "one ticket each");
	second = visit(client, server, kept);
	cr_assert(second.resumed);
	cr_assert_lt(second.server_bytes, first.server_bytes / 2);
	cr_assert(memcmp(first.binding, second.binding, 32) != 0);
	/* The used one is gone, and a new one has come. */
	cr_assert_eq(tls_sessions_count(kept), 1);
	first = visit(client, server, kept);
	cr_assert(first.resumed);
	cr_assert(memcmp(first.binding, second.binding, 32) != 0);
	tls_sessions_clear(kept);
	cr_assert(!visit(client, server, kept).resumed);
	cr_assert(!visit(client, server, NULL).resumed);
	tls_sessions_destroy(&kept);
	cr_assert_null(kept);
	tls_context_unref(&client);
	tls_context_unref(&server);
}

Test(tls_sessions, tickets_of_1_2_serve_on)
{
	struct tls_context *server = plain_server();
	struct tls_context *client = any_server(TLS_1_2);
	struct tls_sessions *kept = tls_sessions_create();
	struct visit first = visit(client, server, kept), again;

	cr_assert(!first.resumed);
	for (int i = 0; i < 3; i++) {
		again = visit(client, server, kept);
		cr_assert(again.resumed);
		cr_assert_geq(tls_sessions_count(kept), 1);
		cr_assert(memcmp(first.binding, again.binding, 32) != 0);
	}
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&server);
}

Test(tls_sessions, newest_are_kept)
{
	struct tls_context *server = plain_server();
	struct tls_context *client = any_server(TLS_1_3);
	struct tls_sessions *kept = tls_sessions_create();
	struct pair p[TLS_SESSIONS_MAX + 3];

	for (int i = 0; i < TLS_SESSIONS_MAX + 3; i++)
		pair_init(&p[i], client, server, "a", kept);
	for (unsigned i = 0; i < TLS_SESSIONS_MAX + 3; i++) {
		cr_assert(pair_shake(&p[i]) && pair_echo(&p[i], 1));
		cr_assert_eq(tls_sessions_count(kept),
			i < TLS_SESSIONS_MAX ? i + 1 : TLS_SESSIONS_MAX);
		pair_free(&p[i]);
	}
	for (unsigned i = 0; i < TLS_SESSIONS_MAX; i++)
		cr_assert(visit(client, server, kept).resumed);
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&server);
}

/* The store goes before those who would fill it. */
Test(tls_sessions, lifetimes)
{
	struct tls_context *server = plain_server();
	struct tls_context *client = any_server(TLS_1_3);
	struct tls_sessions *kept = tls_sessions_create();
	struct pair p;

	pair_init(&p, client, server, "a", kept);
	cr_assert(pair_shake(&p));
	tls_sessions_destroy(&kept);
	cr_assert(pair_echo(&p, 10));
	pair_free(&p);
	tls_context_unref(&client);
	tls_context_unref(&server);
}

/* A new context has new keys for tickets: the handshake is a full one. */
Test(tls_sessions, reload)
{
	struct tls_context *server = plain_server();
	struct tls_context *client = any_server(TLS_1_3);
	struct tls_sessions *kept = tls_sessions_create();

	visit(client, server, kept);
	tls_context_unref(&server);
	server = plain_server();
	cr_assert(!visit(client, server, kept).resumed);
	cr_assert(visit(client, server, kept).resumed);
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&server);
}

static struct tls_context *identity(struct pin *pin)
{
	char error[CERTIFICATE_ERROR_SIZE];
	struct certificate *own = certificate_make(NULL, 0);
	struct tls_server_terms terms = { .certificate = own, .adit = true };
	struct tls_context *c = tls_context_server(&terms, error);

	cr_assert(c, "%s", error);
	certificate_pin(own, pin);
	certificate_free(&own);
	return c;
}

static struct tls_context *pinning(const struct pin *pin)
{
	const struct tls_client_terms terms = {
		.pins = pin,
		.pins_n = 1,
		.alpn = TLS_ALPN_REQUIRED,
	};

	return pair_client_context(&terms);
}

static void expect_refusal(struct tls_context *client,
	struct tls_context *server, struct tls_sessions *kept,
	const char *trouble)
{
	struct pair p;

	pair_init(&p, client, server, "tunnel.example", kept);
	cr_assert(!pair_shake(&p));
	cr_assert_str_eq(p.client.t->trouble, trouble);
	cr_assert_eq(p.client.result, -EACCES);
	pair_free(&p);
}

/* The pin counts for who resumes as well. */
Test(tls_sessions, pin_is_verified_again)
{
	struct tls_sessions *kept = tls_sessions_create();
	struct pin pin, other;
	struct tls_context *server = identity(&pin), *client = pinning(&pin);
	struct tls_context *changed;

	memset(&other, 1, sizeof(other));
	changed = pinning(&other);
	cr_assert(!visit(client, server, kept).resumed);
	cr_assert(visit(client, server, kept).resumed);
	expect_refusal(changed, server, kept,
		"the server's key is not the pinned one");
	tls_context_unref(&server);
	/* Another key at the same place, and an old ticket. */
	server = identity(&other);
	expect_refusal(
		client, server, kept, "the server's key is not the pinned one");
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&changed);
	tls_context_unref(&server);
}

Test(tls_sessions, chain_is_verified_again)
{
	char chain[4096];
	const char *file = pair_file(root_pem), *other = NULL;
	struct tls_client_terms terms = { .trusted_ca = file };
	struct tls_sessions *kept = tls_sessions_create();
	struct tls_context *client = pair_client_context(&terms), *changed;
	struct tls_context *server;

	strcat(strcpy(chain, server_pem), middle_pem);
	server = pair_server_context(chain, server_key, NULL, false);
	other = pair_file(other_root_pem);
	terms.trusted_ca = other;
	changed = pair_client_context(&terms);
	cr_assert(!visit(client, server, kept).resumed);
	cr_assert(visit(client, server, kept).resumed);
	expect_refusal(changed, server, kept,
		"the peer's certificate does not lead to a trusted one");
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&changed);
	tls_context_unref(&server);
	unlink(file);
	unlink(other);
}

/* Under pressure only those come in who cost no signature. */
Test(tls_sessions, known_only)
{
	struct tls_sessions *kept = tls_sessions_create();
	struct tls_context *server = plain_server(), *client;
	struct pair p;

	for (int old = 0; old < 2; old++) {
		client = any_server(old ? TLS_1_2 : TLS_1_3);
		tls_sessions_clear(kept);
		visit(client, server, kept);
		pair_init(&p, client, server, "a", kept);
		tls_admit_known(p.server.t);
		cr_assert(pair_shake(&p));
		cr_assert(tls_is_resumed(p.client.t));
		pair_free(&p);
		pair_init(&p, client, server, "a", NULL);
		tls_admit_known(p.server.t);
		cr_assert(!pair_shake(&p));
		cr_assert_eq(p.server.result, -EBUSY);
		cr_assert_str_eq(p.server.t->trouble,
			"too many handshakes: only known clients are "
			"admitted");
		pair_free(&p);
		cr_assert(!visit(client, server, NULL).resumed);
		tls_context_unref(&client);
	}
	tls_sessions_destroy(&kept);
	tls_context_unref(&server);
}

/* A client's certificate need not be shown twice, but a new context of the
 * server forgets who has shown one. */
Test(tls_sessions, client_certificates)
{
	char error[CERTIFICATE_ERROR_SIZE];
	struct pem c = { client_pem, strlen(client_pem), "chain" };
	struct pem k = { client_key, strlen(client_key), "key" };
	struct certificate *own = certificate_read(&c, &k, error);
	const struct tls_client_terms terms = { .certificate = own };
	struct tls_context *client = pair_client_context(&terms);
	struct tls_context *server =
		pair_server_context(server_pem, server_key, root_pem, false);
	struct tls_sessions *kept = tls_sessions_create();
	struct pair p;

	cr_assert(!visit(client, server, kept).resumed);
	cr_assert(visit(client, server, kept).resumed);
	tls_context_unref(&server);
	server = pair_server_context(
		server_pem, server_key, other_root_pem, false);
	pair_init(&p, client, server, "a", kept);
	cr_assert(!pair_shake(&p));
	cr_assert_eq(p.server.result, -EACCES);
	pair_free(&p);
	certificate_free(&own);
	tls_sessions_destroy(&kept);
	tls_context_unref(&client);
	tls_context_unref(&server);
}
