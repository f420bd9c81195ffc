/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/head_reader.h"

#include <stdlib.h>
#include <string.h>

struct head_pieces {
	struct http_head head;
	uint32_t size;
	uint8_t bytes[];
};

/* Keep the chunk's bytes behind those that are kept; false: no memory. */
static bool keep(struct head_reader *r, const struct chunk *c)
{
	uint32_t before = r->pieces ? r->pieces->size : 0;
	uint32_t n = chunk_length(c);
	struct head_pieces *grown =
		realloc(r->pieces, sizeof(*grown) + before + n);

	if (!grown)
		return false;
	memcpy(grown->bytes + before, chunk_bytes(c), n);
	grown->size = before + n;
	r->pieces = grown;
	return true;
}

static void init(
	struct http_head *head, bool response, const struct head_limits *most)
{
	if (response)
		head_init_response(head);
	else
		head_init(head);
	head_limit(head, most);
}

/* The first piece: most often it is the last one, too. */
static int take_first(struct head_reader *r, struct chunk *c,
	struct http_head *shared, bool response, const struct head_limits *most,
	struct head_found *found)
{
	int rc;

	init(shared, response, most);
	rc = head_parse(shared, chunk_bytes(c), chunk_length(c));
	if (rc > 0) {
		*found = (struct head_found){ shared, chunk_bytes(c) };
		c->from += rc;
		return 1;
	}
	if (rc == 0) {
		rc = keep(r, c) ? 0 : -503;
		if (rc == 0)
			r->pieces->head = *shared;
	}
	chunk_give(c);
	return rc;
}

int head_reader_take(struct head_reader *r, struct chunk *c,
	struct http_head *shared, bool response, const struct head_limits *most,
	struct head_found *found_r)
{
	uint32_t before;
	struct head_pieces *p;
	int rc = -503;

	if (!r->pieces)
		return take_first(r, c, shared, response, most, found_r);
	before = r->pieces->size;
	if (keep(r, c)) {
		p = r->pieces;
		rc = head_parse(&p->head, p->bytes, p->size);
	}
	if (rc <= 0) {
		chunk_give(c);
		return rc;
	}
	*found_r = (struct head_found){ &p->head, p->bytes };
	c->from += (int32_t)((uint32_t)rc - before);
	return 1;
}

struct chunk *head_reader_give_back(struct head_reader *r)
{
	struct chunk *c = NULL;

	if (r->pieces)
		c = chunk_copy(r->pieces->bytes, r->pieces->size);
	head_reader_clear(r);
	return c;
}

void head_reader_clear(struct head_reader *r)
{
	free(r->pieces);
	r->pieces = NULL;
}
