/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/double/toy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int toys;
bool toy_seal_fails;

struct toy {
	struct transform t;
	enum toy_kind kind;
	bool greeted, sized;
	uint8_t left; /* of a frame that is being opened */
	char words[16];
};

static struct toy *toy_of(struct transform *t)
{
	return container_of(t, struct toy, t);
}

static void say(struct toy *y, char word)
{
	size_t n = strlen(y->words);

	assert(n + 1 < sizeof(y->words));
	y->words[n] = word;
	y->t.has_words = true;
}

static int fail(struct toy *y)
{
	y->t.trouble = "no toy";
	say(y, 'a');
	return -EPROTO;
}

/* A byte that is none of the data; 0 or -EPROTO. */
static int control(struct toy *y, uint8_t byte)
{
	if (y->sized) {
		y->sized = false;
		y->left = byte;
		return byte == 0 || byte > TOY_FRAME ? fail(y) : 0;
	}
	if (y->t.shaking != (byte == 'h'))
		return fail(y);
	switch (byte) {
	case 'h':
		if (y->kind == TOY_SECOND)
			say(y, 'h');
		y->t.shaking = false;
		return 0;
	case 'd':
		y->sized = true;
		return 0;
	case 'e':
		y->t.ended = true;
		return 0;
	case 'p':
		say(y, 'o');
		return 0;
	case 'o':
		return 0;
	default:
		return fail(y);
	}
}

static ssize_t toy_open(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct toy *y = toy_of(t);
	size_t from = 0, to = 0;

	while (from < *n && !t->ended) {
		if (y->left == 0 && y->kind != TOY_PLAIN) {
			if (control(y, in[from++]) < 0)
				return -EPROTO;
			continue;
		}
		if (to == size)
			break;
		out[to++] = in[from++] ^ TOY_FLIP;
		if (y->kind != TOY_PLAIN)
			y->left--;
	}
	*n = t->ended ? *n : from;
	return (ssize_t)to;
}

static ssize_t toy_seal(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct toy *y = toy_of(t);
	size_t from = 0, to = strlen(y->words), head = y->kind ? 2 : 0;

	if (toy_seal_fails) {
		toy_seal_fails = false;
		return fail(y);
	}
	assert(to <= size && (*n == 0 || !t->shaking));
	memcpy(out, y->words, to);
	memset(y->words, 0, sizeof(y->words));
	t->has_words = false;
	while (from < *n && to + head < size) {
		size_t k = *n - from;

		k = k > TOY_FRAME ? TOY_FRAME : k;
		k = k > size - to - head ? size - to - head : k;
		if (head) {
			out[to] = 'd';
			out[to + 1] = (uint8_t)k;
		}
		to += head;
		while (k-- > 0)
			out[to++] = in[from++] ^ TOY_FLIP;
	}
	*n = from;
	return (ssize_t)to;
}

static void toy_finish(struct transform *t)
{
	assert(!t->shaking);
	say(toy_of(t), 'e');
}

static int toy_below_ended(struct transform *t)
{
	return toy_of(t)->kind == TOY_PLAIN || t->ended ? 0 : -ECONNRESET;
}

static void toy_free(struct transform *t)
{
	toys--;
	free(toy_of(t));
}

static const struct transform_ops framed = {
	.open = toy_open,
	.seal = toy_seal,
	.finish = toy_finish,
	.below_ended = toy_below_ended,
	.free = toy_free,
};

static const struct transform_ops plain = {
	.open = toy_open,
	.seal = toy_seal,
	.below_ended = toy_below_ended,
	.free = toy_free,
};

struct transform *toy_new(enum toy_kind kind)
{
	struct toy *y = calloc(1, sizeof(*y));

	assert(y);
	toys++;
	y->kind = kind;
	y->t.ops = kind == TOY_PLAIN ? &plain : &framed;
	y->t.overhead = 128; /* of 3,000 bytes and all words */
	y->t.shaking = kind == TOY_FIRST || kind == TOY_SECOND;
	if (kind == TOY_FIRST)
		say(y, 'h');
	return &y->t;
}
