/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/yamux.h"

#include <errno.h>
#include <string.h>

static void put32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	       (uint32_t)in[2] << 8 | in[3];
}

void yamux_encode(uint8_t out[static YAMUX_HEADER], const struct yamux_frame *f)
{
	out[0] = 0;
	out[1] = f->type;
	out[2] = (uint8_t)(f->flags >> 8);
	out[3] = (uint8_t)f->flags;
	put32(out + 4, f->id);
	put32(out + 8, f->length);
}

int yamux_decode(struct yamux_frame *f, const uint8_t in[static YAMUX_HEADER])
{
	if (in[0] != 0 || in[1] >= YAMUX_TYPES)
		return -EPROTO;
	f->type = in[1];
	f->flags = (uint16_t)(in[2] << 8 | in[3]);
	f->id = get32(in + 4);
	f->length = get32(in + 8);
	return 0;
}

int yamux_parse(struct yamux_parser *p, const uint8_t *in, uint32_t *n,
	struct yamux_frame *f)
{
	uint32_t want = YAMUX_HEADER - p->have;

	if (p->left > 0) {
		if (*n > p->left)
			*n = p->left;
		p->left -= *n;
		return YAMUX_PAYLOAD;
	}
	if (*n > want)
		*n = want;
	memcpy(p->head + p->have, in, *n);
	p->have += (uint8_t)*n;
	if (p->have < YAMUX_HEADER)
		return YAMUX_MORE;
	p->have = 0;
	if (yamux_decode(f, p->head) < 0)
		return -EPROTO;
	if (f->type == YAMUX_DATA)
		p->left = f->length;
	return YAMUX_FRAME;
}
