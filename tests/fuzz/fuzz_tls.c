/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What anybody may send to a server's TLS, before its handshake and after.
 * The first byte chooses: frp's server or adit's, a session that is open or a
 * new one, and how long the pieces are; the rest is what comes. What is said
 * in return is taken in small spans. No key is known here, so nothing may ever
 * be opened, and nothing may end as if the peer had said so.
 */
#include "common/crypto/tls.h"
#include "tests/fuzz/fuzz.h"

enum {
	FOR_ADIT = 1,
	OPEN = 2,
	PIECES = 4 /* and above: how long */
};

/* Made once: keys and contexts are dear, and differ in nothing that counts. */
static struct tls_context *servers[2], *clients[2];

static void make_contexts(void)
{
	char error[CERTIFICATE_ERROR_SIZE];
	struct certificate *own = certificate_make(NULL, 0);

	must(own);
	for (int adit = 0; adit < 2; adit++) {
		const struct tls_server_terms server = { .certificate = own,
			.adit = adit };
		const struct tls_client_terms client = {
			.alpn = adit ? TLS_ALPN_OFFERED : TLS_ALPN_SILENT,
			.max = adit ? TLS_1_3 : TLS_1_2,
		};

		servers[adit] = tls_context_server(&server, error);
		clients[adit] = tls_context_client(&client, error);
		must(servers[adit] && clients[adit]);
	}
	certificate_free(&own);
}

/* All words of `from`, which are few. */
static void pass_words(struct transform *from, struct transform *to)
{
	uint8_t words[8192], out[64];
	size_t none = 0, n;
	ssize_t size = from->ops->seal(from, NULL, &none, words, sizeof(words));

	must(size >= 0 && !from->has_words);
	n = (size_t)size;
	must(to->ops->open(to, words, &n, out, sizeof(out)) == 0);
}

/* Bring a session to where bytes are exchanged. */
static void shake(struct transform *server, bool adit)
{
	struct transform *client = tls_client(clients[adit], "a", NULL);

	must(client);
	while (client->has_words || server->has_words) {
		pass_words(client, server);
		pass_words(server, client);
	}
	must(!client->shaking && !server->shaking);
	transform_free(&client);
}

static void drain(struct transform *t)
{
	uint8_t out[100];

	for (int i = 0; t->has_words; i++) {
		size_t none = 0;

		must(t->ops->seal(t, NULL, &none, out, sizeof(out)) > 0);
		must(i < 1000);
	}
}

static void feed(
	struct transform *t, const uint8_t *data, size_t size, size_t piece)
{
	ssize_t made = 0;

	while (size > 0 && made >= 0) {
		size_t n = size < piece ? size : piece;
		uint8_t out[256];
		size_t taken = n;

		made = t->ops->open(t, data, &taken, out, sizeof(out));
		must(made <= 0 && taken <= n);
		must(made < 0 || taken == n);
		must((made < 0) == (t->trouble != NULL));
		data += n;
		size -= n;
		drain(t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transform *t;
	bool adit, was_open;

	if (size == 0)
		return 0;
	if (!servers[0])
		make_contexts();
	adit = data[0] & FOR_ADIT;
	was_open = data[0] & OPEN;
	t = tls_server(servers[adit]);
	must(t);
	if (was_open)
		shake(t, adit);
	feed(t, data + 1, size - 1, data[0] / PIECES ? data[0] / PIECES : size);
	must(was_open || t->shaking || t->trouble);
	must(!t->ended && t->ops->below_ended(t) < 0);
	transform_free(&t);
	return 0;
}
