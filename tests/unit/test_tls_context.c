/* SPDX-License-Identifier: Apache-2.0 */

/* Who is trusted, and which versions and protocols: by the terms of each. */
// links: tests/unit/tls_pair.c common/crypto/tls.c common/crypto/tls_query.c common/crypto/tls_span.c common/crypto/tls_context.c common/crypto/tls_sessions.c common/crypto/tls_verify.c common/crypto/tls_trouble.c common/crypto/certificate.c common/crypto/certificate_make.c common/crypto/pem.c common/crypto/pin.c common/crypto/base64.c common/crypto/random.c
// libs: boringssl

#include "common/crypto/tls_context.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/certificates.h"
#include "tests/unit/tls_pair.h"

static char error[CERTIFICATE_ERROR_SIZE];

static struct certificate *read_pair(const char *chain, const char *key)
{
	struct pem c = { chain, strlen(chain), "chain" };
	struct pem k = { key, strlen(key), "key" };
	struct certificate *own = certificate_read(&c, &k, error);

	cr_assert(own, "%s", error);
	return own;
}

/*
 * Let a client and a server meet; both are given up. What each of them says
 * of it, or NULL where it has no complaint.
 */
struct meeting {
	const char *client, *server;
	bool pinned;
	struct pin peer;
	enum tls_version version;
	bool adit;
};

static struct meeting meet(struct tls_context *client,
	struct tls_context *server, const char *name)
{
	struct meeting m;
	struct pair p;
	bool open;

	pair_init(&p, client, server, name, NULL);
	open = pair_shake(&p);
	/* TLS 1.3 tells a client late what the server thinks of it. */
	if (open)
		cr_assert(pair_echo(&p, 1000));
	else
		cr_assert(p.client.got_n == 0 && p.server.got_n == 0);
	m = (struct meeting){ .client = p.client.t->trouble,
		.server = p.server.t->trouble,
		.version = tls_version(p.client.t),
		.adit = open && tls_is_adit(p.server.t) };
	cr_assert_eq(m.client || m.server, !open);
	m.pinned = tls_peer_pin(p.client.t, &m.peer);
	pair_free(&p);
	tls_context_unref(&client);
	tls_context_unref(&server);
	return m;
}

static void expect(
	struct meeting m, const char *client_says, const char *server_says)
{
	cr_assert_eq(!m.client, !client_says, "client: %s",
		m.client ? m.client : "content");
	cr_assert_eq(!m.server, !server_says, "server: %s",
		m.server ? m.server : "content");
	if (client_says)
		cr_assert_str_eq(m.client, client_says);
	if (server_says)
		cr_assert_str_eq(m.server, server_says);
}

/* A server of adit with a key made now, and its pin. */
static struct tls_context *identity(struct pin *pin)
{
	struct certificate *own = certificate_make(NULL, 0);
	struct tls_server_terms terms = { .certificate = own, .adit = true };
	struct tls_context *c = tls_context_server(&terms, error);

	cr_assert(c, "%s", error);
	certificate_pin(own, pin);
	certificate_free(&own);
	return c;
}

static struct tls_context *pinning(const struct pin *pins, size_t n)
{
	const struct tls_client_terms terms = {
		.pins = pins,
		.pins_n = n,
		.alpn = TLS_ALPN_REQUIRED,
	};

	return pair_client_context(&terms);
}

Test(tls_context, right_pin)
{
	struct tls_context *server;
	struct meeting m;
	struct pin pin;

	server = identity(&pin);
	m = meet(pinning(&pin, 1), server, "no.such.name");
	expect(m, NULL, NULL);
	cr_assert(m.adit && m.version == TLS_1_3);
	cr_assert(m.pinned && pin_equal(&m.peer, &pin));
}

/* Both pins can be told: the list is the caller's, the other is asked for. */
Test(tls_context, wrong_pin)
{
	struct tls_context *server;
	struct meeting m;
	struct pin pin, other[2];

	server = identity(&pin);
	memset(other, 7, sizeof(other));
	m = meet(pinning(other, 2), server, "a");
	expect(m, "the server's key is not the pinned one",
		"the peer does not accept our certificate");
	cr_assert(m.pinned && pin_equal(&m.peer, &pin));
}

Test(tls_context, second_pin)
{
	struct tls_context *server;
	struct pin pins[2];

	server = identity(&pins[1]);
	memset(&pins[0], 7, sizeof(pins[0]));
	expect(meet(pinning(pins, 2), server, "a"), NULL, NULL);
}

/* A pin, and a server of frp's: it does not speak our protocol. */
Test(tls_context, pin_without_alpn)
{
	struct certificate *own = read_pair(server_pem, server_key);
	struct tls_context *server =
		pair_server_context(server_pem, server_key, NULL, false);
	struct pin pin;

	certificate_pin(own, &pin);
	certificate_free(&own);
	expect(meet(pinning(&pin, 1), server, "a"),
		"the server does not speak adit/1",
		"the server does not speak adit/1");
}

Test(tls_context, identity_wants_alpn)
{
	const struct tls_client_terms silent = { 0 };
	struct tls_context *server;
	struct meeting m;
	struct pin pin;

	server = identity(&pin);
	m = meet(pair_client_context(&silent), server, "a");
	cr_assert_str_eq(m.server, "the client does not speak adit/1");
	cr_assert(m.client);
}

Test(tls_context, identity_wants_1_3)
{
	const struct tls_client_terms old = {
		.max = TLS_1_2,
		.alpn = TLS_ALPN_OFFERED,
	};
	struct tls_context *server;
	struct pin pin;

	server = identity(&pin);
	expect(meet(pair_client_context(&old), server, "a"),
		"the peer refuses our versions of TLS",
		"the peer does not speak a version of TLS that is allowed");
}

Test(tls_context, offered_alpn)
{
	const struct tls_client_terms offer = { .alpn = TLS_ALPN_OFFERED };
	struct tls_context *server;
	struct meeting m;
	struct pin pin;

	m = meet(pair_client_context(&offer), identity(&pin), "a");
	expect(m, NULL, NULL);
	cr_assert(m.adit);
	server = pair_server_context(server_pem, server_key, NULL, false);
	m = meet(pair_client_context(&offer), server, "a");
	expect(m, NULL, NULL);
	cr_assert(!m.adit);
}

static struct tls_context *trusting(const char *root, enum tls_version max)
{
	const char *file = pair_file(root);
	const struct tls_client_terms terms = {
		.trusted_ca = file,
		.max = max,
	};
	struct tls_context *c = pair_client_context(&terms);

	unlink(file);
	return c;
}

/* Chains, dates and names, in both versions. */
Test(tls_context, trusted_ca)
{
	static const char name_trouble[] =
		"the server's certificate is for another name";
	static const char chain_trouble[] =
		"the peer's certificate does not lead to a trusted one";
	static const struct {
		const char *root, *first, *second, *key, *name, *trouble;
	} rows[] = {
		{ root_pem, server_pem, middle_pem, server_key,
			"tunnel.example", NULL },
		{ root_pem, server_pem, middle_pem, server_key,
			"Tunnel.Example.", NULL },
		{ root_pem, server_pem, middle_pem, server_key,
			"a.wild.example", NULL },
		{ root_pem, server_pem, middle_pem, server_key, "127.0.0.1",
			NULL },
		{ root_pem, server_pem, middle_pem, server_key, "::1", NULL },
		{ root_pem, server_pem, middle_pem, server_key, "0::0:1",
			NULL },
		{ root_pem, rsa_pem, "", rsa_key, "tunnel.example", NULL },
		{ middle_pem, server_pem, "", server_key, "tunnel.example",
			NULL },
		{ rsa_pem, rsa_pem, "", rsa_key, "tunnel.example", NULL },
		{ middle_pem, rsa_pem, "", rsa_key, "tunnel.example",
			chain_trouble },
		{ root_pem, server_pem, middle_pem, server_key, "127.0.0.2",
			name_trouble },
		{ root_pem, server_pem, middle_pem, server_key,
			"a.tunnel.example", name_trouble },
		{ root_pem, server_pem, middle_pem, server_key,
			"a.b.wild.example", name_trouble },
		{ root_pem, server_pem, middle_pem, server_key, "",
			name_trouble },
		{ root_pem, common_name_pem, "", server_key, "tunnel.example",
			name_trouble },
		{ root_pem, server_pem, "", server_key, "tunnel.example",
			chain_trouble },
		{ other_root_pem, server_pem, middle_pem, server_key,
			"tunnel.example", chain_trouble },
		{ root_pem, expired_pem, "", server_key, "tunnel.example",
			"the peer's certificate has expired" },
		{ root_pem, client_pem, "", client_key, "tunnel.example",
			"the peer's certificate is for another purpose" },
	};
	char chain[8192];

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t row = i / 2;
		struct tls_context *server;
		struct meeting m;

		strcat(strcpy(chain, rows[row].first), rows[row].second);
		server = pair_server_context(chain, rows[row].key, NULL, false);
		m = meet(trusting(rows[row].root, i % 2 ? TLS_1_2 : 0), server,
			rows[row].name);
		if (rows[row].trouble)
			cr_assert(m.client && m.server &&
					  !strcmp(m.client, rows[row].trouble),
				"row %zu: %s", row, m.client);
		else
			cr_assert(!m.client, "row %zu: %s", row, m.client);
	}
}

/* What aditd makes for itself is its own authority: the exported file will do
 * as trustedCaFile, for its names. */
Test(tls_context, self_made)
{
	static const char *const names[] = { "frp.example", "192.0.2.7" };
	struct certificate *own = certificate_make(names, 2);
	const struct tls_server_terms terms = { .certificate = own };
	char text[2048];

	cr_assert_gt(certificate_write(own, text, sizeof(text)), 0);
	expect(meet(trusting(text, 0), tls_context_server(&terms, error),
		       "frp.example"),
		NULL, NULL);
	expect(meet(trusting(text, 0), tls_context_server(&terms, error),
		       "192.0.2.7"),
		NULL, NULL);
	cr_assert(meet(trusting(text, 0), tls_context_server(&terms, error),
		"192.0.2.8")
			  .client);
	certificate_free(&own);
}

static struct tls_context *showing(
	const char *chain, const char *key, enum tls_version max)
{
	struct certificate *own = chain ? read_pair(chain, key) : NULL;
	const struct tls_client_terms terms = {
		.certificate = own,
		.alpn = TLS_ALPN_OFFERED,
		.max = max,
	};
	struct tls_context *c = pair_client_context(&terms);

	certificate_free(&own);
	return c;
}

Test(tls_context, client_certificates)
{
	static const struct {
		const char *chain, *key, *root, *server, *client;
	} rows[] = {
		{ client_pem, client_key, root_pem, NULL, NULL },
		{ NULL, NULL, root_pem, "the client has shown no certificate",
			"the server wants a certificate from us" },
		{ client_pem, client_key, other_root_pem,
			"the peer's certificate does not lead to a trusted "
			"one",
			"the peer does not trust our certificate" },
		{ rsa_pem, rsa_key, root_pem,
			"the peer's certificate is for another purpose",
			"the peer does not accept our kind of certificate" },
	};

	for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t row = i / 3;
		bool old = i % 3 == 2;
		struct tls_context *server = pair_server_context(
			server_pem, server_key, rows[row].root, i % 3 == 1);
		struct tls_context *client = showing(rows[row].chain,
			rows[row].key, old ? TLS_1_2 : TLS_ANY_VERSION);

		/* 1.2 has no word for a certificate that is missing. */
		expect(meet(client, server, "a"),
			row == 1 && old ? "the peer refuses the handshake: no "
					  "cipher suite or certificate suits "
					  "both"
					: rows[row].client,
			rows[row].server);
	}
}

/* A ClientHello by hand: so old, or with such suites. */
static size_t write_hello(uint8_t out[128], uint8_t minor, uint16_t suite)
{
	static const uint8_t extensions[] = { 0, 18, 0, 10, 0, 4, 0, 2, 0, 23,
		0, 13, 0, 6, 0, 4, 4, 3, 4, 1 };
	size_t n = 0, more = sizeof(extensions);

	memset(out, 0, 128);
	out[n++] = 22;
	out[n++] = 3;
	out[n++] = 1;
	n++;
	out[n++] = (uint8_t)(45 + more);
	out[n++] = 1;
	n += 2;
	out[n++] = (uint8_t)(41 + more);
	out[n++] = 3;
	out[n++] = minor;
	n += 32 + 1;
	n++;
	out[n++] = 2;
	out[n++] = (uint8_t)(suite >> 8);
	out[n++] = (uint8_t)suite;
	out[n++] = 1;
	n++;
	memcpy(out + n, extensions, more);
	return n + more;
}

Test(tls_context, old_and_weak_clients)
{
	static const char version[] =
		"the peer does not speak a version of TLS that is allowed";
	static const char cipher[] =
		"the peer has no cipher suite that is allowed";
	static const struct {
		uint8_t minor;
		uint16_t suite;
		const char *trouble;
	} rows[] = {
		{ 0, 0xc02f, version }, /* SSL 3.0 */
		{ 1, 0xc02f, version }, /* TLS 1.0 */
		{ 2, 0xc02f, version }, /* TLS 1.1 */
		{ 3, 0xc02f, NULL },    /* ECDHE-RSA-AES128-GCM-SHA256 */
		{ 3, 0xc030, NULL },    /* with AES256 */
		{ 3, 0xcca8, NULL },    /* with CHACHA20-POLY1305 */
		{ 3, 0xc013, cipher },  /* ECDHE-RSA-AES128-SHA */
		{ 3, 0xc027, cipher },  /* with CBC and SHA256 */
		{ 3, 0x009c, cipher },  /* AES128-GCM-SHA256, RSA for keys */
		{ 3, 0x002f, cipher },  /* AES128-SHA */
		{ 3, 0x000a, cipher },  /* 3DES */
		{ 3, 0x0005, cipher },  /* RC4 */
		{ 3, 0xc02b, cipher },  /* ECDSA, and the key is RSA */
	};
	struct tls_context *server =
		pair_server_context(rsa_pem, rsa_key, NULL, false);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transform *t = tls_server(server);
		uint8_t hello[128], out[64];
		size_t n = write_hello(hello, rows[i].minor, rows[i].suite);
		ssize_t made = t->ops->open(t, hello, &n, out, sizeof(out));

		cr_assert_eq(made, rows[i].trouble ? -EPROTONOSUPPORT : 0,
			"row %zu: %zd %s", i, made, t->trouble);
		if (rows[i].trouble)
			cr_assert_str_eq(t->trouble, rows[i].trouble);
		/* Either a flight, or an alert. */
		cr_assert(t->has_words);
		transform_free(&t);
	}
	tls_context_unref(&server);
}

/* A ServerHello by hand: TLS 1.1 for all, 1.2 for who has a pin. */
static void expect_old_server(struct tls_context *c, uint8_t minor)
{
	struct transform *t = tls_client(c, "a", NULL);
	uint8_t hello[47] = { 22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor };
	uint8_t out[2048];
	size_t n = 0;

	hello[44] = 0xc0;
	hello[45] = 0x2f;
	cr_assert_gt(t->ops->seal(t, NULL, &n, out, sizeof(out)), 0);
	n = sizeof(hello);
	cr_assert_eq(
		t->ops->open(t, hello, &n, out, sizeof(out)), -EPROTONOSUPPORT);
	cr_assert_str_eq(t->trouble,
		"the peer does not speak a version of TLS that is allowed");
	transform_free(&t);
	tls_context_unref(&c);
}

Test(tls_context, old_servers)
{
	const struct tls_client_terms any = { 0 };
	struct pin pin = { { 0 } };

	expect_old_server(pair_client_context(&any), 2);
	expect_old_server(pinning(&pin, 1), 2);
	expect_old_server(pinning(&pin, 1), 3);
}

/* Somebody who has recorded what the right server said to another client, or
 * passes it on, has not its key. */
Test(tls_context, recorded_server)
{
	struct tls_context *server, *client;
	struct pair a, b;
	struct pin pin;

	server = identity(&pin);
	client = pinning(&pin, 1);
	pair_init(&a, client, server, "a", NULL);
	pair_init(&b, client, server, "a", NULL);
	pair_seal(&a, &a.client, NULL, 0);
	pair_show(&a, &a.client, &a.server);
	pair_seal(&a, &a.server, NULL, 0);
	pair_seal(&b, &b.client, NULL, 0);
	pair_show(&b, &a.server, &b.client);
	cr_assert_lt(b.client.result, 0);
	cr_assert(b.client.t->shaking == false && b.client.got_n == 0);
	pair_free(&a);
	pair_free(&b);
	tls_context_unref(&server);
	tls_context_unref(&client);
}

/* A chain of more than 16 KiB ends the handshake before it is kept. */
Test(tls_context, endless_chain)
{
	static const char *const names[] = { "a.example" };
	char chain[64 * 1024] = "", key[1024];
	struct certificate *own = certificate_make(names, 1);
	const char *many[300];
	struct certificate *large;
	char long_names[300][80];

	for (int i = 0; i < 300; i++) {
		snprintf(long_names[i], sizeof(long_names[i]), "%070d.example",
			i);
		many[i] = long_names[i];
	}
	large = certificate_make(many, 300);
	cr_assert(own && large);
	cr_assert_gt(certificate_write(large, chain, sizeof(chain)), 16000);
	cr_assert_gt(certificate_write_key(large, key, sizeof(key)), 0);
	expect(meet(showing(chain, key, 0),
		       pair_server_context(
			       server_pem, server_key, root_pem, false),
		       "a"),
		"the peer sent a TLS alert",
		"a TLS message or certificate chain is too long");
	certificate_free(&own);
	certificate_free(&large);
}

Test(tls_context, errors)
{
	struct certificate *own = certificate_make(NULL, 0);
	const char *file = pair_file("nothing");
	struct tls_server_terms server = { .certificate = own };
	struct tls_client_terms client = { .trusted_ca = "/nonexistent" };
	char want[CERTIFICATE_ERROR_SIZE];

	cr_assert_null(tls_context_client(&client, error));
	cr_assert_str_eq(error,
		"/nonexistent: No such file or directory: correct the path, "
		"or put a PEM file there");
	server.trusted_ca = client.trusted_ca = file;
	snprintf(want, sizeof(want),
		"%s: no certificate is in it: give the PEM file of the "
		"authority",
		file);
	cr_assert_null(tls_context_client(&client, error));
	cr_assert_str_eq(error, want);
	cr_assert_null(tls_context_server(&server, error));
	cr_assert_str_eq(error, want);
	certificate_free(&own);
	unlink(file);
}

Test(tls_context, owners)
{
	struct pin pin;
	struct tls_context *a = identity(&pin), *b = tls_context_ref(a);

	tls_context_unref(&a);
	cr_assert_null(a);
	tls_context_unref(&a);
	tls_context_unref(&b);
}
