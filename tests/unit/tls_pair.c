/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/tls_pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM 65536

void pair_init(struct pair *p, struct tls_context *client,
	struct tls_context *server, const char *name, struct tls_sessions *kept)
{
	memset(p, 0, sizeof(*p));
	p->client.t = tls_client(client, name, kept);
	p->server.t = tls_server(server);
	cr_assert(p->client.t && p->server.t);
	cr_assert(p->client.t->shaking && p->client.t->has_words);
	cr_assert(p->server.t->shaking && !p->server.t->has_words);
}

static void peer_free(struct peer *e)
{
	transform_free(&e->t);
	free(e->got);
	free(e->wire);
}

void pair_free(struct pair *p)
{
	peer_free(&p->client);
	peer_free(&p->server);
}

static void add(uint8_t **to, size_t *size, const void *from, size_t n)
{
	*to = realloc(*to, *size + n + 1);
	cr_assert(*to);
	memcpy(*to + *size, from, n);
	*size += n;
}

static void note(struct peer *e, ssize_t result)
{
	if (result < 0 && e->result == 0)
		e->result = result;
}

void pair_seal(struct pair *p, struct peer *from, const void *data, size_t n)
{
	size_t room = p->room ? p->room : ROOM;
	const uint8_t *at = data;

	while (n > 0 || from->t->has_words) {
		uint8_t *out = malloc(room);
		size_t taken = n;
		ssize_t made =
			from->t->ops->seal(from->t, at, &taken, out, room);

		note(from, made);
		if (made > 0)
			add(&from->wire, &from->wire_n, out, (size_t)made);
		free(out);
		cr_assert_leq(taken, n);
		if (made < 0 || (made == 0 && taken == 0))
			break;
		from->sealed += (size_t)made;
		if (taken > 0)
			at += taken;
		n -= taken;
	}
}

/* Show one block; what does not fit into `room` comes with more calls. */
static void show(struct pair *p, struct peer *to, const uint8_t *in, size_t n)
{
	size_t room = p->room ? p->room : ROOM;
	uint8_t *block = malloc(n ? n : 1), *out = malloc(room);
	size_t at = 0;
	ssize_t made;

	memcpy(block, in, n);
	do {
		size_t taken = n - at;

		made = to->t->ops->open(to->t, block + at, &taken, out, room);
		note(to, made);
		cr_assert_leq(taken, n - at);
		at += taken;
		if (made > 0)
			add(&to->got, &to->got_n, out, (size_t)made);
	} while (made == (ssize_t)room);
	if (made >= 0)
		cr_assert_eq(at, n, "all bytes are taken");
	free(block);
	free(out);
}

void pair_show(struct pair *p, struct peer *from, struct peer *to)
{
	size_t piece = p->piece ? p->piece : from->wire_n;

	for (size_t at = 0; at < from->wire_n && to->result == 0;) {
		size_t n =
			from->wire_n - at < piece ? from->wire_n - at : piece;

		show(p, to, from->wire + at, n);
		at += n;
	}
	from->wire_n = 0;
}

bool pair_shake(struct pair *p)
{
	while (p->client.t->has_words || p->server.t->has_words) {
		pair_seal(p, &p->client, NULL, 0);
		pair_show(p, &p->client, &p->server);
		pair_seal(p, &p->server, NULL, 0);
		pair_show(p, &p->server, &p->client);
	}
	return !p->client.t->shaking && !p->server.t->shaking &&
	       p->client.result == 0 && p->server.result == 0;
}

static bool pass(struct pair *p, struct peer *from, struct peer *to,
	const uint8_t *data, size_t n)
{
	bool same;

	to->got_n = 0;
	pair_seal(p, from, data, n);
	pair_show(p, from, to);
	same = to->result == 0 && to->got_n == n &&
	       (n == 0 || memcmp(to->got, data, n) == 0);
	to->got_n = 0;
	return same;
}

bool pair_echo(struct pair *p, size_t n)
{
	uint8_t *data = malloc(n + 1);
	bool same;

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	same = pass(p, &p->client, &p->server, data, n) &&
	       pass(p, &p->server, &p->client, data, n);
	free(data);
	return same;
}

const char *pair_file(const char *text)
{
	static char names[8][32];
	static unsigned next;
	char *name = names[next++ % 8];
	FILE *f;

	strcpy(name, "/tmp/adit-tls-XXXXXX");
	f = fdopen(mkstemp(name), "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
	return name;
}

struct tls_context *pair_server_context(
	const char *chain, const char *key, const char *trusted, bool adit)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct pem c = { chain, strlen(chain), "chain" };
	struct pem k = { key, strlen(key), "key" };
	struct tls_server_terms terms = { .adit = adit };
	struct certificate *own = certificate_read(&c, &k, error);
	struct tls_context *context;

	cr_assert(own, "%s", error);
	terms.certificate = own;
	terms.trusted_ca = trusted ? pair_file(trusted) : NULL;
	context = tls_context_server(&terms, error);
	if (terms.trusted_ca)
		unlink(terms.trusted_ca);
	certificate_free(&own);
	cr_assert(context, "%s", error);
	return context;
}

struct tls_context *pair_client_context(const struct tls_client_terms *terms)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct tls_context *context = tls_context_client(terms, error);

	cr_assert(context, "%s", error);
	return context;
}
