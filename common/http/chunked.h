/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A chunked body (RFC 9112, section 7.1) as it passes: checked strictly, and
 * written anew. Each chunk keeps its data; its size line becomes the shortest
 * one, without extensions; trailers are checked, and dropped, or passed to who
 * takes them, but for those that a head alone may have (RFC 9110, section
 * 6.5.1). Or only the data passes, for who does not know chunks.
 */

#ifndef ADIT_HTTP_CHUNKED_H
#define ADIT_HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* Digits of a size, and bytes of a chunk's extensions and of all trailers. */
#define CHUNKED_DIGITS_MAX 16
#define CHUNKED_EXTENSION_MAX 256
#define CHUNKED_TRAILER_MAX 8192

/* A name of a trailer that is longer is dropped with its line. */
#define CHUNKED_NAME_MAX 64

/* How a body passes. */
enum chunked_as {
	CHUNKED_ANEW,
	CHUNKED_DATA_ONLY,
	CHUNKED_WITH_TRAILERS,
};

enum chunked_state {
	CHUNKED_SIZE,         /* the first digit of a size */
	CHUNKED_DIGIT,        /* more digits, an extension or the line's CR */
	CHUNKED_NAME_FIRST,   /* the first byte of an extension's name */
	CHUNKED_NAME,         /* more of it, `=`, or what ends it */
	CHUNKED_VALUE_FIRST,  /* the first byte of its value, or a quote */
	CHUNKED_VALUE,        /* more of it, or what ends it */
	CHUNKED_QUOTED,       /* more of a quoted value, or its quote */
	CHUNKED_ESCAPED,      /* the same, after a backslash */
	CHUNKED_UNQUOTED,     /* what ends an extension: `;` or CR */
	CHUNKED_SIZE_LF,      /* the LF of the size line */
	CHUNKED_DATA,         /* `left` bytes, one at least */
	CHUNKED_DATA_CR,      /* the CR behind them */
	CHUNKED_DATA_LF,      /* its LF */
	CHUNKED_TRAILER,      /* a trailer's first byte, or the CR of the end */
	CHUNKED_TRAILER_NAME, /* more of its name, or the colon */
	CHUNKED_TRAILER_VALUE, /* more of its value, or its CR */
	CHUNKED_TRAILER_LF,    /* the LF of a trailer */
	CHUNKED_END_LF,        /* the last byte */
	CHUNKED_DONE,
	CHUNKED_BAD,
};

struct chunked {
	uint64_t left;
	const char *error; /* when BAD: static text */
	uint16_t seen;     /* bytes of extensions, or of trailers */
	uint8_t state;     /* enum chunked_state */
	uint8_t digits;
	uint8_t as;     /* enum chunked_as */
	bool ended;     /* the last chunk has been written */
	bool passing;   /* the trailer at hand is */
	uint8_t filled; /* bytes in `line` */
	uint8_t line[CHUNKED_NAME_MAX + 8]; /* what is to be written next */
};

/* What becomes of the first bytes of a span. */
struct chunked_step {
	size_t count; /* that many of the span; data while `data` */
	bool data;    /* they pass as they are, and so do the next `left` */
	const uint8_t *put; /* is written behind them; owned by the body */
	size_t put_size;
};

void chunked_init(struct chunked *c, enum chunked_as as);

/*
 * Look at the next bytes of the body, one at least, and say what becomes of
 * the first of them. Afterwards the state is CHUNKED_DONE if the body has
 * ended with them, CHUNKED_BAD if it is malformed. In CHUNKED_DATA, `count` is
 * what of the data lies in the span.
 */
struct chunked_step chunked_next(
	struct chunked *c, const uint8_t *bytes, size_t size);

/* So many bytes of data have passed without being seen. */
void chunked_skip(struct chunked *c, uint64_t count);

#endif
