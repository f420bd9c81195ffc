/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/cfb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cfb {
	struct transform transform;
	struct cipher in, out;
};

static struct cfb *cfb_of(struct transform *t)
{
	return container_of(t, struct cfb, transform);
}

/* Bytes of an IV that are still to come, or to go. */
static size_t iv_left(const struct cipher *c)
{
	return CIPHER_IV_SIZE - c->iv_done;
}

static ssize_t cfb_open(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct cipher *c = &cfb_of(t)->in;
	uint8_t iv[CIPHER_IV_SIZE];
	size_t head = iv_left(c), rest;

	head = head < *n ? head : *n;
	if (head > 0) {
		memcpy(iv, in, head);
		cipher_open(c, iv, head);
	}
	rest = *n - head < size ? *n - head : size;
	*n = head + rest;
	if (rest == 0)
		return 0;
	memcpy(out, in + head, rest);
	return (ssize_t)cipher_open(c, out, rest);
}

static ssize_t cfb_seal(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct cipher *c = &cfb_of(t)->out;
	size_t head = iv_left(c);

	if (*n > 0 && size <= head)
		*n = 0;
	if (*n > size - head)
		*n = size - head;
	return *n > 0 ? (ssize_t)cipher_seal(c, in, *n, out) : 0;
}

static int cfb_below_ended(struct transform *t)
{
	size_t left = iv_left(&cfb_of(t)->in);

	return left > 0 && left < CIPHER_IV_SIZE ? -ECONNRESET : 0;
}

static void cfb_free(struct transform *t)
{
	struct cfb *c = cfb_of(t);

	cipher_wipe(&c->in);
	cipher_wipe(&c->out);
	free(c);
}

static const struct transform_ops cfb_ops = {
	.open = cfb_open,
	.seal = cfb_seal,
	.below_ended = cfb_below_ended,
	.free = cfb_free,
};

struct transform *cfb_new(const struct cipher_key *key, const uint8_t *iv)
{
	struct cfb *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->transform.ops = &cfb_ops;
	c->transform.overhead = CIPHER_IV_SIZE;
	cipher_init_open(&c->in, key);
	if (iv)
		cipher_init_seal_iv(&c->out, key, iv);
	else
		cipher_init_seal(&c->out, key);
	return &c->transform;
}
