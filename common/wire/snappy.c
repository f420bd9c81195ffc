/* SPDX-License-Identifier: Apache-2.0 */

/* The chunks are ours, what is in them is compressed by libsnappy. */

#include "common/wire/snappy.h"

#include <errno.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/crc32c.h"

#define HEAD 4 /* type u8 | length u24, little-endian */
#define CRC 4
#define PLAIN_MAX 65536
/* 32 + n + n / 6, as snappy_max_compressed_length. */
#define PACKED_MAX (32 + PLAIN_MAX + PLAIN_MAX / 6)

enum chunk_type {
	CHUNK_PACKED = 0x00,
	CHUNK_PLAIN = 0x01,
	CHUNK_SKIPPED = 0x80, /* to 0xfe */
	CHUNK_IDENTIFIER = 0xff,
};

static const uint8_t identifier[] = { 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p',
	'Y' };

struct snappy {
	struct transform transform;
	uint8_t head[HEAD];
	uint8_t head_have;  /* bytes of it */
	uint8_t type;       /* of the chunk that is being read */
	bool begun, sealed; /* the identifier came, has gone */
	uint32_t left;      /* bytes of the chunk that are to come */
	uint8_t *chunk;     /* those that came; NULL: none */
	uint32_t chunk_have;
	uint8_t *plain; /* opened, and not taken; NULL: none */
	uint32_t plain_from, plain_to;
};

/* Compressed before it is known whether that is worth it. */
static _Thread_local char scratch[PACKED_MAX];

static struct snappy *snappy_of(struct transform *t)
{
	return container_of(t, struct snappy, transform);
}

static int fail(struct snappy *s, const char *trouble)
{
	s->transform.trouble = trouble;
	return -EPROTO;
}

static int no_memory(struct snappy *s)
{
	s->transform.trouble = "no memory";
	return -ENOMEM;
}

static uint32_t masked(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t get_crc(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* --- in --- */

/* A head is complete: what it begins; 0 or -errno. */
static int begin_chunk(struct snappy *s)
{
	uint8_t type = s->head[0];
	uint32_t length = (uint32_t)s->head[1] | (uint32_t)s->head[2] << 8 |
			  (uint32_t)s->head[3] << 16;

	s->head_have = 0;
	s->type = type;
	s->left = length;
	if (type == CHUNK_IDENTIFIER) {
		s->begun = true;
		if (length != sizeof(identifier) - HEAD)
			return fail(s, "not Snappy's framing format");
		return 0;
	}
	if (!s->begun)
		return fail(s, "not Snappy's framing format");
	if (type >= CHUNK_SKIPPED)
		return 0;
	if (type > CHUNK_PLAIN)
		return fail(s, "a Snappy chunk of an unknown kind");
	if (length < CRC)
		return fail(s, "a Snappy chunk without its CRC");
	if (length - CRC > (type == CHUNK_PLAIN ? PLAIN_MAX : PACKED_MAX))
		return fail(s, "a Snappy chunk that is too large");
	return 0;
}

/* The bytes that `n` bytes of the chunk after its CRC become. */
static ssize_t plain_size(struct snappy *s, const uint8_t *bytes, uint32_t n)
{
	size_t size = n;

	if (s->type == CHUNK_PACKED &&
		(snappy_uncompressed_length((const char *)bytes, n, &size) !=
				SNAPPY_OK ||
			size > PLAIN_MAX))
		return fail(s, "a Snappy chunk that is broken");
	return (ssize_t)size;
}

/* Write them to `out`, which has room for `size`; 0 or -errno. */
static int unpack(struct snappy *s, const uint8_t *chunk, uint32_t n,
	uint8_t *out, size_t size)
{
	if (s->type == CHUNK_PLAIN)
		memcpy(out, chunk + CRC, size);
	else if (snappy_uncompress((const char *)chunk + CRC, n - CRC,
			 (char *)out, &size) != SNAPPY_OK)
		return fail(s, "a Snappy chunk that is broken");
	if (masked(crc32c(out, size)) != get_crc(chunk))
		return fail(s, "a Snappy chunk with a wrong CRC");
	return 0;
}

/*
 * A chunk is complete: into `out` if there is room for all, else it is kept.
 * How many bytes were written, or -errno.
 */
static ssize_t end_chunk(struct snappy *s, const uint8_t *chunk, uint32_t n,
	uint8_t *out, size_t room)
{
	ssize_t size;
	int rc;

	if (s->type == CHUNK_IDENTIFIER)
		return memcmp(chunk, identifier + HEAD, n) == 0
			       ? 0
			       : fail(s, "not Snappy's framing format");
	size = plain_size(s, chunk + CRC, n - CRC);
	if (size < 0)
		return size;
	if ((size_t)size <= room) {
		rc = unpack(s, chunk, n, out, (size_t)size);
		return rc < 0 ? rc : size;
	}
	s->plain = malloc((size_t)size);
	if (!s->plain)
		return no_memory(s);
	s->plain_from = 0;
	s->plain_to = (uint32_t)size;
	return unpack(s, chunk, n, s->plain, (size_t)size);
}

/* Of what was kept: how many bytes were written. */
static size_t take_plain(struct snappy *s, uint8_t *out, size_t room)
{
	size_t n = s->plain_to - s->plain_from;

	if (!s->plain)
		return 0;
	n = n < room ? n : room;
	memcpy(out, s->plain + s->plain_from, n);
	s->plain_from += (uint32_t)n;
	if (s->plain_from == s->plain_to) {
		free(s->plain);
		s->plain = NULL;
	}
	return n;
}

/* n bytes of the body have come; as end_chunk if it is complete now. */
static ssize_t add_body(struct snappy *s, const uint8_t *in, uint32_t n,
	uint8_t *out, size_t room)
{
	ssize_t got;

	if (s->type >= CHUNK_SKIPPED && s->type != CHUNK_IDENTIFIER) {
		s->left -= n;
		return 0;
	}
	if (!s->chunk && n == s->left) {
		s->left = 0;
		return end_chunk(s, in, n, out, room);
	}
	if (!s->chunk) {
		s->chunk = malloc(s->left);
		s->chunk_have = 0;
	}
	if (!s->chunk)
		return no_memory(s);
	memcpy(s->chunk + s->chunk_have, in, n);
	s->chunk_have += n;
	s->left -= n;
	if (s->left > 0)
		return 0;
	got = end_chunk(s, s->chunk, s->chunk_have, out, room);
	free(s->chunk);
	s->chunk = NULL;
	return got;
}

/* Between two bytes: take one of a head, or of a body what there is. */
static ssize_t step(struct snappy *s, const uint8_t *in, size_t n,
	size_t *taken, uint8_t *out, size_t room)
{
	if (s->left > 0) {
		*taken = n < s->left ? n : s->left;
		return add_body(s, in, (uint32_t)*taken, out, room);
	}
	*taken = 1;
	s->head[s->head_have++] = in[0];
	return s->head_have == HEAD ? begin_chunk(s) : 0;
}

static ssize_t snappy_open(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct snappy *s = snappy_of(t);
	size_t from = 0, to = take_plain(s, out, size);

	while (from < *n && !s->plain) {
		size_t taken;
		ssize_t got = step(
			s, in + from, *n - from, &taken, out + to, size - to);

		if (got < 0)
			return got;
		from += taken;
		to += (size_t)got;
		to += take_plain(s, out + to, size - to);
	}
	*n = from;
	return (ssize_t)to;
}

/* --- out --- */

static void put_head(uint8_t *out, uint8_t type, size_t length, uint32_t crc)
{
	out[0] = type;
	out[1] = (uint8_t)length;
	out[2] = (uint8_t)(length >> 8);
	out[3] = (uint8_t)(length >> 16);
	for (int i = 0; i < CRC; i++)
		out[HEAD + i] = (uint8_t)(crc >> 8 * i);
}

/* A chunk of n bytes; `out` has room for them and both heads. Its size. */
static size_t seal_chunk(const uint8_t *in, size_t n, uint8_t *out)
{
	uint32_t crc = masked(crc32c(in, n));
	size_t packed = sizeof(scratch);
	uint8_t type = CHUNK_PACKED;
	const void *body = scratch;

	/* As Go's: what saves less than an eighth is not worth unpacking. */
	if (snappy_compress((const char *)in, n, scratch, &packed) !=
			SNAPPY_OK ||
		packed >= n - n / 8) {
		type = CHUNK_PLAIN;
		packed = n;
		body = in;
	}
	put_head(out, type, packed + CRC, crc);
	memcpy(out + HEAD + CRC, body, packed);
	return HEAD + CRC + packed;
}

static ssize_t snappy_seal(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct snappy *s = snappy_of(t);
	size_t from = 0, to = 0;

	if (*n > 0 && !s->sealed && size > sizeof(identifier) + HEAD + CRC) {
		memcpy(out, identifier, sizeof(identifier));
		to = sizeof(identifier);
		s->sealed = true;
	}
	while (from < *n && s->sealed && size - to > HEAD + CRC) {
		size_t k = *n - from, room = size - to - HEAD - CRC;

		k = k < PLAIN_MAX ? k : PLAIN_MAX;
		k = k < room ? k : room;
		to += seal_chunk(in + from, k, out + to);
		from += k;
	}
	*n = from;
	return (ssize_t)to;
}

static int snappy_below_ended(struct transform *t)
{
	const struct snappy *s = snappy_of(t);

	return s->left > 0 || s->head_have > 0 ? -ECONNRESET : 0;
}

static void snappy_free(struct transform *t)
{
	struct snappy *s = snappy_of(t);

	free(s->chunk);
	free(s->plain);
	free(s);
}

static const struct transform_ops snappy_ops = {
	.open = snappy_open,
	.seal = snappy_seal,
	.below_ended = snappy_below_ended,
	.free = snappy_free,
};

struct transform *snappy_new(void)
{
	struct snappy *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->transform.ops = &snappy_ops;
	/* Two chunks: what is written at once may be more than one holds. */
	s->transform.overhead = sizeof(identifier) + 2 * (HEAD + CRC);
	return &s->transform;
}
