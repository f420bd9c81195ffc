/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions over arrays: at every split, their ends, keys and limits. */
// links: tests/unit/tls_pair.c common/crypto/tls.c common/crypto/tls_query.c common/crypto/tls_span.c common/crypto/tls_context.c common/crypto/tls_sessions.c common/crypto/tls_verify.c common/crypto/tls_trouble.c common/crypto/certificate.c common/crypto/certificate_make.c common/crypto/pem.c common/crypto/pin.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/tls.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/certificates.h"
#include "tests/unit/tls_pair.h"

/* A client that takes any server, and a server with a chain. */
static struct tls_context *client, *server;

static void begin(void)
{
	const struct tls_client_terms any = { 0 };

	client = pair_client_context(&any);
	server = pair_server_context(server_pem, server_key, NULL, false);
}

static void end(void)
{
	tls_context_unref(&client);
	tls_context_unref(&server);
}

static void only_1_2(void)
{
	const struct tls_client_terms old = { .max = TLS_1_2 };

	tls_context_unref(&client);
	client = pair_client_context(&old);
}

TestSuite(tls, .init = begin, .fini = end);

Test(tls, both_versions)
{
	struct pair p;

	pair_init(&p, client, server, "tunnel.example", NULL);
	cr_assert(pair_shake(&p));
	cr_assert_eq(tls_version(p.client.t), TLS_1_3);
	cr_assert_str_eq(tls_version_name(p.server.t), "TLSv1.3");
	cr_assert(!tls_is_adit(p.client.t) && !tls_is_resumed(p.client.t));
	cr_assert(pair_echo(&p, 100000));
	pair_free(&p);
	only_1_2();
	pair_init(&p, client, server, "tunnel.example", NULL);
	cr_assert(pair_shake(&p));
	cr_assert_eq(tls_version(p.server.t), TLS_1_2);
	cr_assert_str_eq(tls_cipher_name(p.server.t),
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
	cr_assert(pair_echo(&p, 100000));
	pair_free(&p);
}

/* Blocks of every small size, and spans of every small room. */
Test(tls, every_split)
{
	struct pair p;

	for (int old = 0; old < 2; old++) {
		for (size_t size = 1; size < 80; size++) {
			pair_init(&p, client, server, "127.0.0.1", NULL);
			p.piece = size;
			p.room = size * 3;
			cr_assert(pair_shake(&p), "in %zu", size);
			cr_assert(pair_echo(&p, 1));
			cr_assert(pair_echo(&p, 3000), "in %zu", size);
			pair_free(&p);
		}
		only_1_2();
	}
}

/* A cut after every byte that there is in a flight. */
Test(tls, every_cut)
{
	struct pair p;

	for (size_t cut = 1, most = 2; cut < most; cut++) {
		pair_init(&p, client, server, "::1", NULL);
		p.piece = cut;
		cr_assert(pair_shake(&p), "at %zu", cut);
		cr_assert(pair_echo(&p, 40));
		most = p.client.sealed > p.server.sealed ? p.client.sealed
							 : p.server.sealed;
		pair_free(&p);
	}
}

Test(tls, rooms_around_a_record)
{
	struct pair p;

	pair_init(&p, client, server, "", NULL);
	cr_assert(pair_shake(&p));
	for (size_t room = 1000; room < 1100; room++) {
		p.room = room;
		cr_assert(pair_echo(&p, 5000), "room %zu", room);
	}
	for (size_t room = 16384; room < 16484; room++) {
		p.room = room;
		cr_assert(pair_echo(&p, 70000), "room %zu", room);
	}
	pair_free(&p);
}

/* With `overhead` more room all is taken in one call, the first as well. */
static void expect_overhead(struct peer *e, size_t n)
{
	size_t size = n + e->t->overhead, taken = n;
	uint8_t *data = calloc(1, n), *out = malloc(size);
	ssize_t made = e->t->ops->seal(e->t, data, &taken, out, size);

	cr_assert_eq(taken, n);
	cr_assert_gt(made, (ssize_t)n);
	e->wire_n = 0;
	free(data);
	free(out);
}

Test(tls, overhead)
{
	struct pair p;

	for (int old = 0; old < 2; old++) {
		for (size_t n = 1; n <= 65536; n = n * 3 + 1) {
			pair_init(&p, client, server, "a.b", NULL);
			cr_assert(pair_shake(&p));
			expect_overhead(&p.client, n);
			expect_overhead(&p.server, n);
			expect_overhead(&p.server, 65536);
			expect_overhead(&p.server, n);
			pair_free(&p);
		}
		only_1_2();
	}
}

/* The end of one direction leaves the other as it is. */
static void expect_half_close(
	struct pair *p, struct peer *first, struct peer *second)
{
	uint8_t byte = 'x', out[64];
	size_t n = 1;

	cr_assert(pair_shake(p));
	pair_seal(p, first, &byte, 1);
	first->t->ops->finish(first->t);
	cr_assert(first->t->has_words);
	pair_seal(p, first, NULL, 0);
	cr_assert(!second->t->ended);
	pair_show(p, first, second);
	cr_assert(second->t->ended && second->got_n == 1);
	cr_assert_eq(second->t->ops->below_ended(second->t), 0);
	/* What comes after the end is dropped. */
	cr_assert_eq(
		second->t->ops->open(second->t, &byte, &n, out, sizeof(out)),
		0);
	cr_assert_eq(n, 1);
	pair_seal(p, second, "yz", 2);
	pair_show(p, second, first);
	cr_assert(first->got_n == 2 && !first->t->ended);
	second->t->ops->finish(second->t);
	pair_seal(p, second, NULL, 0);
	pair_show(p, second, first);
	cr_assert(first->t->ended && first->result == 0);
	cr_assert_eq(first->t->ops->below_ended(first->t), 0);
	cr_assert_null(first->t->trouble);
}

Test(tls, half_close_both_ways)
{
	struct pair p;

	for (int old = 0; old < 2; old++) {
		pair_init(&p, client, server, "a", NULL);
		expect_half_close(&p, &p.client, &p.server);
		pair_free(&p);
		pair_init(&p, client, server, "a", NULL);
		expect_half_close(&p, &p.server, &p.client);
		pair_free(&p);
		only_1_2();
	}
}

/* An end that was asked for during the handshake comes after it. */
Test(tls, ends_early)
{
	uint8_t close_notify[] = { 21, 3, 3, 0, 2, 1, 0 }, out[64];
	size_t n = sizeof(close_notify);
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	p.client.t->ops->finish(p.client.t);
	cr_assert(pair_shake(&p));
	cr_assert(p.server.t->ended && !p.client.t->ended);
	pair_seal(&p, &p.server, "x", 1);
	pair_show(&p, &p.server, &p.client);
	cr_assert_eq(p.client.got_n, 1);
	pair_free(&p);
	/* The peer's during the handshake is none. */
	pair_init(&p, client, server, "a", NULL);
	cr_assert_lt(p.server.t->ops->open(
			     p.server.t, close_notify, &n, out, sizeof(out)),
		0);
	cr_assert(!p.server.t->ended);
	cr_assert_str_eq(
		p.server.t->trouble, "the peer ended TLS before its handshake");
	pair_free(&p);
}

static void *echo_elsewhere(void *arg)
{
	return pair_echo(arg, 50000) ? arg : NULL;
}

/* An open session goes to another thread and back. */
Test(tls, changes_its_thread)
{
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	cr_assert(pair_shake(&p));
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		void *result;

		cr_assert_eq(
			pthread_create(&thread, NULL, echo_elsewhere, &p), 0);
		cr_assert_eq(pthread_join(thread, &result), 0);
		cr_assert(result == &p);
		cr_assert(pair_echo(&p, 100));
	}
	pair_free(&p);
}

static void *many_handshakes(void *arg)
{
	const struct tls_client_terms any = { 0 };
	struct tls_context *own = pair_client_context(&any);
	struct tls_sessions *kept = tls_sessions_create();

	for (int i = 0; i < 20; i++) {
		struct pair p;

		pair_init(&p, own, arg, "a", kept);
		if (!pair_shake(&p) || !pair_echo(&p, 100) ||
			tls_is_resumed(p.client.t) != (i > 0))
			arg = NULL;
		pair_free(&p);
	}
	tls_sessions_destroy(&kept);
	tls_context_unref(&own);
	return arg;
}

/* One context serves all threads, and any of them takes its tickets. */
Test(tls, threads_share_a_context)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, many_handshakes,
				     server),
			0);
	for (int i = 0; i < 4; i++) {
		void *result;

		cr_assert_eq(pthread_join(threads[i], &result), 0);
		cr_assert(result);
	}
}

Test(tls, a_cut_is_not_an_end)
{
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	cr_assert_eq(p.server.t->ops->below_ended(p.server.t), -ECONNRESET);
	cr_assert_str_eq(p.server.t->trouble, "the TLS handshake was cut off");
	pair_free(&p);
	for (int side = 0; side < 2; side++) {
		struct peer *e;

		pair_init(&p, client, server, "a", NULL);
		e = side ? &p.client : &p.server;
		cr_assert(pair_shake(&p));
		cr_assert_eq(e->t->ops->below_ended(e->t), -ECONNRESET);
		cr_assert_str_eq(
			e->t->trouble, "TLS was cut off without its end");
		pair_free(&p);
	}
}

/* Half of a close_notify is a cut. */
Test(tls, end_in_part)
{
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	cr_assert(pair_shake(&p));
	p.client.t->ops->finish(p.client.t);
	pair_seal(&p, &p.client, NULL, 0);
	p.client.wire_n--;
	pair_show(&p, &p.client, &p.server);
	cr_assert(!p.server.t->ended && p.server.result == 0);
	cr_assert_eq(p.server.t->ops->below_ended(p.server.t), -ECONNRESET);
	pair_free(&p);
}

Test(tls, changed_bytes)
{
	struct pair p;

	for (size_t at = 5; at < 40; at++) {
		pair_init(&p, client, server, "a", NULL);
		cr_assert(pair_shake(&p));
		pair_seal(&p, &p.client, "twenty bytes of data", 20);
		p.client.wire[at] ^= 0x40;
		pair_show(&p, &p.client, &p.server);
		cr_assert_eq(p.server.result, -EPROTO);
		cr_assert_str_eq(p.server.t->trouble,
			"a TLS record was changed on its way");
		cr_assert_eq(p.server.got_n, 0);
		/* The alert; the other side hears of it. */
		cr_assert(p.server.t->has_words);
		pair_seal(&p, &p.server, NULL, 0);
		pair_show(&p, &p.server, &p.client);
		cr_assert_str_eq(p.client.t->trouble,
			"a TLS record of ours was changed on its way");
		pair_free(&p);
	}
}

Test(tls, exporters)
{
	uint8_t a[32], b[32], c[32];
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	cr_assert_eq(tls_channel_binding(p.client.t, a), -EINVAL);
	cr_assert(pair_shake(&p));
	cr_assert_eq(tls_channel_binding(p.client.t, a), 0);
	cr_assert_eq(tls_channel_binding(p.server.t, b), 0);
	cr_assert(memcmp(a, b, 32) == 0);
	cr_assert_eq(
		tls_export(p.client.t, "EXPERIMENTAL test", "one", 3, a), 0);
	cr_assert_eq(
		tls_export(p.server.t, "EXPERIMENTAL test", "one", 3, c), 0);
	cr_assert(memcmp(a, c, 32) == 0);
	cr_assert_eq(
		tls_export(p.server.t, "EXPERIMENTAL test", "two", 3, c), 0);
	cr_assert(memcmp(a, c, 32) != 0 && memcmp(a, b, 32) != 0);
	pair_free(&p);
	pair_init(&p, client, server, "a", NULL);
	cr_assert(pair_shake(&p));
	cr_assert_eq(tls_channel_binding(p.client.t, a), 0);
	cr_assert(memcmp(a, b, 32) != 0);
	pair_free(&p);
}

/* Our own keys change in time, and the peer takes part. */
Test(tls, own_key_updates)
{
	const struct tls_client_terms often = { .key_records = 500 };
	struct tls_context *quick = pair_client_context(&often);
	struct pair p;

	pair_init(&p, quick, server, "a", NULL);
	cr_assert(pair_shake(&p));
	for (int i = 0; i < 4400; i++) {
		pair_seal(&p, &p.client, "x", 1);
		pair_show(&p, &p.client, &p.server);
		cr_assert_eq(p.server.result, 0, "at %d", i);
	}
	cr_assert_eq(p.server.got_n, 4400);
	cr_assert(pair_echo(&p, 5000));
	pair_free(&p);
	tls_context_unref(&quick);
}

/* A KeyUpdate with every record: cut after a few, unless MiBs come between. */
Test(tls, key_update_flood)
{
	const struct tls_client_terms always = { .key_records = 1 };
	struct tls_context *hostile = pair_client_context(&always);
	static uint8_t mib[1 << 20];
	struct pair p;
	int i;

	pair_init(&p, hostile, server, "a", NULL);
	cr_assert(pair_shake(&p));
	for (i = 0; i < 100 && p.server.result == 0; i++) {
		pair_seal(&p, &p.client, "x", 1);
		pair_show(&p, &p.client, &p.server);
	}
	cr_assert_eq(p.server.result, -EPROTO);
	cr_assert_str_eq(p.server.t->trouble, "too many KeyUpdates");
	cr_assert_eq(p.server.got_n, TLS_KEY_UPDATES + 1);
	cr_assert(p.server.t->has_words);
	pair_free(&p);
	tls_context_unref(&hostile);

	hostile = pair_client_context(
		&(struct tls_client_terms){ .key_records = 64 });
	pair_init(&p, hostile, server, "a", NULL);
	cr_assert(pair_shake(&p));
	for (i = 0; i < 32; i++) {
		p.server.got_n = 0;
		pair_seal(&p, &p.client, mib, sizeof(mib));
		pair_show(&p, &p.client, &p.server);
		cr_assert_eq(p.server.got_n, sizeof(mib));
	}
	cr_assert_eq(p.server.result, 0);
	pair_free(&p);
	tls_context_unref(&hostile);
}

Test(tls, what_is_not_tls)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *trouble;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 18,
			"not TLS, but a plain HTTP request" },
		{ "SSH-2.0-OpenSSH_9.2p1\r\n", 23, "not TLS" },
		{ "o\0\0\0\0\0\0\0\2{}xxxxxxxxxxxxxxxxx", 28, "not TLS" },
		{ "\x17\x03\x03\x00\x10xxxxxxxxxxxxxxxx", 21,
			"not TLS, or out of its order" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transform *t = tls_server(server);
		size_t n = rows[i].n;
		uint8_t out[64];

		cr_assert_lt(t->ops->open(t, (const uint8_t *)rows[i].bytes, &n,
				     out, sizeof(out)),
			0);
		cr_assert_str_eq(t->trouble, rows[i].trouble);
		transform_free(&t);
	}
}

/* A context may go before its sessions, and they go on. */
Test(tls, sessions_outlive_their_owner)
{
	struct pair p;

	pair_init(&p, client, server, "a", NULL);
	tls_context_unref(&client);
	tls_context_unref(&server);
	cr_assert(pair_shake(&p));
	cr_assert(pair_echo(&p, 100));
	pair_free(&p);
}
