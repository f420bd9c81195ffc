/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The characters and small words of HTTP: which byte may stand where, equality
 * of names, and a walk along a comma-separated list. Everything works on spans
 * of the caller's bytes; nothing is copied or kept. Source: RFC 9110, sections
 * 5.5, 5.6.1, 5.6.2.
 */

#ifndef ADIT_HTTP_TEXT_H
#define ADIT_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/compiler.h"

/* A range of the caller's bytes; `data` may be NULL where `len` is 0. */
struct http_text {
	const uint8_t *data;
	size_t len;
};

/* What a byte may be part of; several bits may be set for one byte. */
enum text_class {
	TEXT_TOKEN = 1,  /* tchar: a method, a field name, a coding */
	TEXT_TARGET = 2, /* a request target, with bytes >= 0x80, without # */
	TEXT_VALUE = 4,  /* a field value: SP, HTAB, VCHAR, obs-text */
	TEXT_HOST = 8,   /* a host name: letters, digits, dot, hyphen, _ */
};

/* One entry a byte, a sum of the bits above. */
extern const uint8_t text_classes[256];

/* Whether the byte belongs to the class. */
static inline bool text_is(uint8_t byte, enum text_class class)
{
	return (text_classes[byte] & class) != 0;
}

/* The byte with A-Z made lower; no locale. */
static inline uint8_t text_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* White space within a line. */
static inline bool text_is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

/* The span of a word, which outlives it. */
static inline struct http_text text_of(const char *word)
{
	return (struct http_text){ (const uint8_t *)word, strlen(word) };
}

/* Whether the span is one token, and not empty. */
bool text_is_token(struct http_text text);

/* For the two below: the comparison to its end. */
bool text_equal_whole(struct http_text text, const char *word, bool loose);

/* Most comparisons end here: the first bytes differ by more than case. */
static inline bool text_begins_as(struct http_text text, const char *word)
{
	return text.len > 0 && ((text.data[0] ^ (uint8_t)*word) & ~0x20) == 0;
}

/* Whether the span is this word, without regard to case; "" is nothing's. */
static inline bool text_equal(struct http_text text, const char *word)
{
	return text_begins_as(text, word) &&
	       text_equal_whole(text, word, false);
}

/*
 * The same, but a `_` of the span also stands for a `-` of the word, which does
 * not begin with one.
 */
static inline bool text_equal_loose(struct http_text text, const char *word)
{
	return text_begins_as(text, word) && text_equal_whole(text, word, true);
}

/* Whether the span begins with the word, without regard to case. */
static inline bool text_has_prefix(struct http_text text, const char *word)
{
	size_t n = strlen(word);

	return text.len >= n &&
	       text_equal((struct http_text){ text.data, n }, word);
}

/* The value of a hexadecimal digit; -1: it is none. */
int text_hex(uint8_t byte);

/* Whether two spans are equal without regard to case. */
bool text_same(struct http_text a, struct http_text b);

/* The span without the spaces and tabs at its ends. */
struct http_text text_trim(struct http_text text);

/* Whether the span is a decimal number of 1 to 18 digits, and which. */
bool text_number(struct http_text text, uint64_t *number_r) must_check;

/*
 * Takes the next member off the comma-separated list `rest` and writes it,
 * trimmed, to `member`; `rest` moves behind it. False when the list is used up.
 * Empty members are reported as such. A quoted string is not known here: a
 * comma within one splits it.
 */
bool text_list_next(struct http_text *rest, struct http_text *member);

#endif
