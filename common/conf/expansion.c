/* SPDX-License-Identifier: Apache-2.0 */

#include "common/conf/expansion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void conf_spot_advance(struct conf_spot *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			s->line++;
			s->column = 1;
		} else if ((bytes[i] & 0xc0) != 0x80) {
			s->column++;
		}
	}
}

/* Not realloc(3): what is left behind is wiped. */
static bool grow(void **v, size_t *room, size_t need, size_t size)
{
	size_t more = *room ? *room : 64;
	void *p;

	while (more < need)
		more *= 2;
	if (more == *room)
		return true;
	p = calloc(more, size);
	if (!p)
		return false;
	if (*v) {
		memcpy(p, *v, *room * size);
		explicit_bzero(*v, *room * size);
		free(*v);
	}
	*v = p;
	*room = more;
	return true;
}

int conf_expansion_add(struct conf_expansion *e, const char *text, size_t n,
	struct conf_spot from, bool literal)
{
	void *bytes = e->bytes, *pieces = e->pieces;
	bool grown = grow(&bytes, &e->room, e->size + n, 1);

	e->bytes = bytes;
	grown = grown &&
		grow(&pieces, &e->pieces_room, e->n + 1, sizeof(*e->pieces));
	e->pieces = pieces;
	if (!grown)
		return -ENOMEM;
	if (e->next.line == 0)
		e->next = (struct conf_spot){ 1, 1 };
	e->pieces[e->n++] = (struct conf_piece){ e->next, from, literal };
	memcpy(e->bytes + e->size, text, n);
	e->size += n;
	conf_spot_advance(&e->next, text, n);
	return 0;
}

static bool is_before(struct conf_spot a, struct conf_spot b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

struct conf_spot conf_expansion_origin(
	const struct conf_expansion *e, struct conf_spot at)
{
	const struct conf_piece *p;
	size_t low = 0, high = e->n, middle;

	/* The last piece that begins at or before the spot. */
	while (low < high) {
		middle = (low + high) / 2;
		if (is_before(at, e->pieces[middle].at))
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return at;
	p = &e->pieces[low - 1];
	if (!p->literal)
		return p->from;
	if (at.line == p->at.line)
		at.column = at.column - p->at.column + p->from.column;
	at.line = at.line - p->at.line + p->from.line;
	return at;
}

void conf_expansion_free(struct conf_expansion *e)
{
	if (e->bytes)
		explicit_bzero(e->bytes, e->room);
	free(e->bytes);
	free(e->pieces);
	*e = (struct conf_expansion){ 0 };
}
