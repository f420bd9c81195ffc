/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/hello_reader.h"

#include <errno.h>
#include <string.h>

/* What the first piece gets at least. */
#define KEPT_MIN 512

struct hello_pieces {
	struct client_hello hello;
	struct chunk *kept; /* from the heap, all that has come; owned */
};

/*
 * Room for as much again, so that many pieces are not copied as often, but for
 * no more than what may still come.
 */
static bool make_room(struct hello_pieces *p, uint32_t more)
{
	uint32_t before = p->kept ? chunk_length(p->kept) : 0;
	uint32_t size = before + more;
	struct chunk *grown;

	if (p->kept && size <= p->kept->size)
		return true;
	if (size < CLIENT_HELLO_MAX / 2)
		size = size > KEPT_MIN / 2 ? 2 * size : KEPT_MIN;
	else if (size < CLIENT_HELLO_MAX)
		size = CLIENT_HELLO_MAX;
	grown = chunk_from_heap(size);
	if (!grown)
		return false;
	if (p->kept)
		memcpy(grown->data, chunk_bytes(p->kept), before);
	grown->to = before;
	chunk_give(p->kept);
	p->kept = grown;
	return true;
}

/* Keep the chunk's bytes behind those that are kept; false: no memory. */
static bool keep(struct hello_reader *r, const struct chunk *c)
{
	uint32_t n = chunk_length(c);
	struct hello_pieces *p = r->pieces;

	if (!p)
		p = r->pieces = calloc(1, sizeof(*p));
	if (!p || !make_room(p, n))
		return false;
	memcpy(p->kept->data + p->kept->to, chunk_bytes(c), n);
	p->kept->to += n;
	return true;
}

/* The first piece: most often it is the last one, too. */
static int take_first(struct hello_reader *r, struct chunk *c,
	struct client_hello *hello, struct chunk **all_r)
{
	int rc;

	*hello = (struct client_hello){ 0 };
	rc = client_hello_read(hello, chunk_bytes(c), chunk_length(c));
	if (rc == CLIENT_HELLO_COMPLETE) {
		*all_r = c;
		return rc;
	}
	if (rc == CLIENT_HELLO_PARTIAL) {
		if (keep(r, c))
			r->pieces->hello = *hello;
		else
			rc = -ENOMEM;
	}
	chunk_give(c);
	return rc;
}

int hello_reader_take(struct hello_reader *r, struct chunk *c,
	struct client_hello *hello_r, struct chunk **all_r)
{
	struct hello_pieces *p = r->pieces;
	bool kept;
	int rc;

	if (!p)
		return take_first(r, c, hello_r, all_r);
	kept = keep(r, c);
	chunk_give(c);
	if (!kept)
		return -ENOMEM;
	rc = client_hello_read(
		&p->hello, chunk_bytes(p->kept), chunk_length(p->kept));
	if (rc == CLIENT_HELLO_COMPLETE) {
		*hello_r = p->hello;
		*all_r = p->kept;
		p->kept = NULL;
		hello_reader_clear(r);
	}
	return rc;
}

uint32_t hello_reader_kept(const struct hello_reader *r)
{
	return r->pieces && r->pieces->kept ? chunk_length(r->pieces->kept) : 0;
}

struct chunk *hello_reader_give_back(struct hello_reader *r)
{
	struct chunk *c = NULL;

	if (r->pieces) {
		c = r->pieces->kept;
		r->pieces->kept = NULL;
	}
	hello_reader_clear(r);
	return c;
}

void hello_reader_clear(struct hello_reader *r)
{
	if (r->pieces)
		chunk_give(r->pieces->kept);
	free(r->pieces);
	r->pieces = NULL;
}
