/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A strict, bounded, restartable parser of the head of a request or of a
 * response. It copies nothing: what it finds are offsets into the caller's
 * bytes, so the buffer may move between calls and after them. Sources: RFC
 * 9112, sections 2.2, 2.3, 3, 4 and 5; RFC 9110, section 5. Where these allow
 * a recipient to be lenient, it is not; a response may have a few faults, which
 * are noted, as whoever sent it is not going to be asked again.
 */

#ifndef ADIT_HTTP_HEAD_H
#define ADIT_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/http/text.h"

/* Bytes of a request head, from the first one to the empty line's LF. */
#define HTTP_HEAD_MAX 32768

/* Fields of a request head, unless other limits are given. */
#define HTTP_FIELDS_MAX 100

/* The same of a response. */
#define HTTP_RESPONSE_MAX 65535
#define HTTP_RESPONSE_FIELDS_MAX 200

/* Bytes of a method. */
#define HTTP_METHOD_MAX 32

/* One field line: offsets from the head's first byte, sizes in bytes. */
struct http_field {
	uint16_t name;
	uint16_t name_len; /* never 0 */
	uint16_t value;
	uint16_t value_len; /* without white space at its ends; may be 0 */
};

/* Where the parser stands; each value names what the next byte must be. */
enum head_state {
	HEAD_START,        /* the first byte, or the CR of one empty line */
	HEAD_START_LF,     /* the LF of that empty line */
	HEAD_METHOD_FIRST, /* the first byte of the method, no CR any more */
	HEAD_METHOD,       /* more of the method, or the space after it */
	HEAD_TARGET,       /* more of the target, or the space after it */
	HEAD_VERSION,      /* the next byte of the version, or its CR */
	HEAD_RESPONSE,     /* of a response: the next byte up to the status */
	HEAD_STATUS,       /* the next digit, or the space after three */
	HEAD_REASON,       /* more of the reason, or its CR */
	HEAD_LINE_LF,      /* the LF of the request line or of a field line */
	HEAD_LINE,         /* a field's first byte, or the CR of the end */
	HEAD_NAME,         /* more of a field name, or its colon */
	HEAD_COLON,        /* of a response: space before the colon, or it */
	HEAD_SPACE,        /* white space before a value, or the value */
	HEAD_VALUE,        /* more of a value, or its CR */
	HEAD_END_LF,       /* the head's last byte */
	HEAD_DONE,         /* none: complete, all offsets are valid */
	HEAD_FAILED,       /* none: refused, `status` and `error` say why */
};

/* What a head may be at most. */
struct head_limits {
	uint32_t size;   /* bytes, up to HTTP_HEAD_MAX or HTTP_RESPONSE_MAX */
	uint32_t fields; /* up to HTTP_RESPONSE_FIELDS_MAX */
};

/*
 * A head being parsed, and then parsed. Once head_parse() has returned a
 * size, the offsets are for reading; before, all of it is private.
 */
struct http_head {
	enum head_state state;
	int status;        /* after HEAD_FAILED: 400, 414, 431, 502, 505 */
	const char *error; /* after HEAD_FAILED: static text, what was wrong */
	uint32_t size;     /* bytes looked at; when done, of the whole head */
	uint16_t method;   /* offset; the method is case-sensitive */
	uint16_t method_len;
	uint16_t target; /* offset */
	uint16_t target_len;
	uint16_t version; /* offset; private */
	uint8_t minor;    /* 0 or 1, of HTTP/1.x */
	uint8_t count;    /* of fields */
	struct head_limits most;
	bool response;
	/*
	 * A response's faults: lines that end with LF only, space before a
	 * colon, a folded field (its value has CR and LF in it), no space
	 * after the status.
	 */
	bool repaired, folded;
	uint16_t code; /* a response's status, 100 to 999 */
	uint16_t reason, reason_len;
	struct http_field fields[HTTP_RESPONSE_FIELDS_MAX];
};

/* Readies `head` for a new request; nothing has to be freed afterwards. */
void head_init(struct http_head *head);

/*
 * The same for a response, which is refused with 502 only. No empty line may
 * come before it.
 */
void head_init_response(struct http_head *head);

/* Other limits than these, for a head that has just been readied. */
static inline void head_limit(
	struct http_head *head, const struct head_limits *most)
{
	head->most = *most;
}

/*
 * Parses what has arrived so far: `data` is the start of the head, always from
 * its first byte, and `len` must not shrink from call to call; the bytes of an
 * earlier call must be the same, but may have moved. Only new bytes are looked
 * at. Returns the head's size in bytes when it is complete (bytes behind it
 * belong to the body or the next request), 0 when more is needed, or -400,
 * -414, -431, -502 or -505, as soon as the first wrong byte is seen; the
 * answer does not change on further calls. One empty line before the request
 * line is skipped and counts as part of the head.
 */
must_check int head_parse(
	struct http_head *head, const uint8_t *data, size_t len);

/* The same, byte by byte, without what makes it fast: for tests. */
must_check int head_parse_plain(
	struct http_head *head, const uint8_t *data, size_t len);

/* The spans of a complete head; `data` as given to head_parse(). */
static inline struct http_text head_method(
	const struct http_head *head, const uint8_t *data)
{
	return (struct http_text){ data + head->method, head->method_len };
}

static inline struct http_text head_target(
	const struct http_head *head, const uint8_t *data)
{
	return (struct http_text){ data + head->target, head->target_len };
}

static inline struct http_text head_name(
	const struct http_head *head, const uint8_t *data, unsigned index)
{
	const struct http_field *field = &head->fields[index];
	return (struct http_text){ data + field->name, field->name_len };
}

static inline struct http_text head_value(
	const struct http_head *head, const uint8_t *data, unsigned index)
{
	const struct http_field *field = &head->fields[index];
	return (struct http_text){ data + field->value, field->value_len };
}

static inline struct http_text head_reason(
	const struct http_head *head, const uint8_t *data)
{
	return (struct http_text){ data + head->reason, head->reason_len };
}

/* Whether the method is exactly this one, in this case. */
bool head_method_is(
	const struct http_head *head, const uint8_t *data, const char *method);

/*
 * The index of the first field called `name` (in any case) at or after `from`,
 * or -1.
 */
int head_find(const struct http_head *head, const uint8_t *data,
	const char *name, unsigned from);

#endif
