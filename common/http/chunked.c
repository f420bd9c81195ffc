/* SPDX-License-Identifier: Apache-2.0 */

/* One byte, one step, but for the data. */

#include "common/http/chunked.h"

#include <stdio.h>

#include "common/http/text.h"

void chunked_init(struct chunked *c, enum chunked_as as)
{
	*c = (struct chunked){ .as = (uint8_t)as };
}

static void set_state(struct chunked *c, enum chunked_state state)
{
	c->state = (uint8_t)state;
}

static void refuse(struct chunked *c, const char *error)
{
	c->error = error;
	set_state(c, CHUNKED_BAD);
}

/* `;` begins another extension, CR ends the line. */
static bool ends_extension(struct chunked *c, uint8_t byte)
{
	if (byte == ';')
		set_state(c, CHUNKED_NAME_FIRST);
	else if (byte == '\r')
		set_state(c, CHUNKED_SIZE_LF);
	else
		return false;
	return true;
}

static void step_digit(struct chunked *c, uint8_t byte)
{
	int digit = text_hex(byte);

	if (c->state == CHUNKED_SIZE) {
		c->digits = 0;
		if (digit < 0) {
			refuse(c, "bad chunk size");
			return;
		}
		set_state(c, CHUNKED_DIGIT);
	}
	if (digit >= 0 && c->digits < CHUNKED_DIGITS_MAX) {
		c->digits++;
		c->left = c->left << 4 | (unsigned)digit;
		if (c->left > INT64_MAX)
			refuse(c, "chunk too large");
	} else if (!ends_extension(c, byte)) {
		refuse(c, "bad chunk size");
	}
}

/* Names, and perhaps values as a token or quoted: only looked through. */
static bool step_extension(struct chunked *c, uint8_t byte)
{
	switch ((enum chunked_state)c->state) {
	case CHUNKED_NAME_FIRST:
		set_state(c, CHUNKED_NAME);
		return text_is(byte, TEXT_TOKEN);
	case CHUNKED_NAME:
		if (byte != '=')
			return text_is(byte, TEXT_TOKEN) ||
			       ends_extension(c, byte);
		set_state(c, CHUNKED_VALUE_FIRST);
		return true;
	case CHUNKED_VALUE_FIRST:
		set_state(c, byte == '"' ? CHUNKED_QUOTED : CHUNKED_VALUE);
		return byte == '"' || text_is(byte, TEXT_TOKEN);
	case CHUNKED_VALUE:
		return text_is(byte, TEXT_TOKEN) || ends_extension(c, byte);
	case CHUNKED_QUOTED:
		if (byte == '"')
			set_state(c, CHUNKED_UNQUOTED);
		else if (byte == '\\')
			set_state(c, CHUNKED_ESCAPED);
		return text_is(byte, TEXT_VALUE);
	case CHUNKED_ESCAPED:
		set_state(c, CHUNKED_QUOTED);
		return text_is(byte, TEXT_VALUE);
	case CHUNKED_UNQUOTED:
		return ends_extension(c, byte);
	default:
		never_reached();
	}
}

/* --- trailers that pass --- */

/* Those frame, route, log in, or say how to read what has been read. */
static bool is_of_heads(struct http_text name)
{
	static const char *const names[] = { "Content-Length",
		"Transfer-Encoding", "Trailer", "TE", "Connection",
		"Keep-Alive", "Proxy-Connection", "Upgrade", "Host",
		"Authorization", "Proxy-Authorization", "WWW-Authenticate",
		"Proxy-Authenticate", "Authentication-Info",
		"Proxy-Authentication-Info", "Cookie", "Set-Cookie",
		"Content-Encoding", "Content-Type", "Content-Range", "Location",
		"Cache-Control", "Expires", "Age", "Date", "Vary" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal_loose(name, names[i]))
			return true;
	return false;
}

static void hold(struct chunked *c, uint8_t byte)
{
	c->line[c->filled++] = byte;
}

/* The first byte of a line: the last chunk is written before it. */
static void begin_trailer(struct chunked *c, uint8_t byte)
{
	c->filled = 0;
	c->passing = c->as == CHUNKED_WITH_TRAILERS;
	if (c->passing && !c->ended) {
		hold(c, '0');
		hold(c, '\r');
		hold(c, '\n');
	}
	if (c->passing)
		hold(c, byte);
}

/* Behind the name it is known whether it passes. */
static void decide_trailer(struct chunked *c)
{
	size_t before = c->ended ? 0 : 3;

	c->passing =
		c->passing && !is_of_heads((struct http_text){
				      c->line + before, c->filled - before });
	if (!c->passing)
		c->filled = 0;
	else
		hold(c, ':');
	c->ended |= c->passing;
}

/* The name ends with a colon; a long one is not held to its end. */
static void step_trailer_name(struct chunked *c, uint8_t byte)
{
	if (byte == ':') {
		set_state(c, CHUNKED_TRAILER_VALUE);
		decide_trailer(c);
	} else if (!text_is(byte, TEXT_TOKEN)) {
		refuse(c, "bad trailer");
	} else if (c->filled >= CHUNKED_NAME_MAX) {
		c->passing = false;
	} else if (c->passing) {
		hold(c, byte);
	}
}

static void step_trailer(struct chunked *c, uint8_t byte)
{
	if (++c->seen > CHUNKED_TRAILER_MAX) {
		refuse(c, "trailers too long");
		return;
	}
	switch ((enum chunked_state)c->state) {
	case CHUNKED_TRAILER:
		if (byte == '\r')
			set_state(c, CHUNKED_END_LF);
		else if (text_is(byte, TEXT_TOKEN))
			set_state(c, CHUNKED_TRAILER_NAME);
		else
			refuse(c, "bad trailer");
		begin_trailer(c, byte);
		return;
	case CHUNKED_TRAILER_NAME:
		step_trailer_name(c, byte);
		return;
	case CHUNKED_TRAILER_VALUE:
		if (byte == '\r')
			set_state(c, CHUNKED_TRAILER_LF);
		else if (!text_is(byte, TEXT_VALUE))
			refuse(c, "bad trailer");
		if (c->passing)
			hold(c, byte);
		return;
	default:
		never_reached();
	}
}

static void step_lf(struct chunked *c, uint8_t byte, enum chunked_state next)
{
	if (byte != '\n')
		refuse(c, "CR without LF");
	else
		set_state(c, next);
}

static void step(struct chunked *c, uint8_t byte)
{
	switch ((enum chunked_state)c->state) {
	case CHUNKED_SIZE:
	case CHUNKED_DIGIT:
		step_digit(c, byte);
		return;
	case CHUNKED_NAME_FIRST:
	case CHUNKED_NAME:
	case CHUNKED_VALUE_FIRST:
	case CHUNKED_VALUE:
	case CHUNKED_QUOTED:
	case CHUNKED_ESCAPED:
	case CHUNKED_UNQUOTED:
		if (!step_extension(c, byte) ||
			++c->seen > CHUNKED_EXTENSION_MAX)
			refuse(c, "bad chunk extension");
		return;
	case CHUNKED_SIZE_LF:
		step_lf(c, byte, c->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER);
		c->seen = 0;
		return;
	case CHUNKED_DATA_CR:
		if (byte == '\r')
			set_state(c, CHUNKED_DATA_LF);
		else
			refuse(c, "chunk longer than its size");
		return;
	case CHUNKED_DATA_LF:
		step_lf(c, byte, CHUNKED_SIZE);
		return;
	case CHUNKED_TRAILER:
	case CHUNKED_TRAILER_NAME:
	case CHUNKED_TRAILER_VALUE:
		step_trailer(c, byte);
		return;
	case CHUNKED_TRAILER_LF:
		step_lf(c, byte, CHUNKED_TRAILER);
		if (c->passing)
			hold(c, byte);
		return;
	case CHUNKED_END_LF:
		step_lf(c, byte, CHUNKED_DONE);
		return;
	case CHUNKED_DATA:
	case CHUNKED_DONE:
	case CHUNKED_BAD:
		break;
	}
	never_reached();
}

/* What takes the place of the bytes that led to this state. */
static const char *line_of(const struct chunked *c)
{
	switch ((enum chunked_state)c->state) {
	case CHUNKED_SIZE:
		return "\r\n";
	case CHUNKED_DONE:
		return c->ended ? "\r\n" : "0\r\n\r\n";
	default:
		never_reached();
	}
}

static size_t put_line(struct chunked *c)
{
	int n = 0;

	if (c->as == CHUNKED_DATA_ONLY)
		return 0;
	if (c->state == CHUNKED_DATA)
		n = snprintf((char *)c->line, sizeof(c->line), "%llx\r\n",
			(unsigned long long)c->left);
	else
		n = snprintf(
			(char *)c->line, sizeof(c->line), "%s", line_of(c));
	return (size_t)n;
}

/* Whether something is to be written: a line, or a piece of a trailer. */
static bool has_line(struct chunked *c, size_t *size_r)
{
	*size_r = 0;
	if (c->state == CHUNKED_DATA || c->state == CHUNKED_SIZE ||
		c->state == CHUNKED_DONE) {
		*size_r = put_line(c);
		return true;
	}
	if (!c->passing || (c->state == CHUNKED_TRAILER_VALUE &&
				   c->filled < CHUNKED_NAME_MAX))
		return false;
	if (c->state != CHUNKED_TRAILER && c->state != CHUNKED_TRAILER_VALUE)
		return false;
	*size_r = c->filled;
	c->filled = 0;
	return true;
}

struct chunked_step chunked_next(
	struct chunked *c, const uint8_t *bytes, size_t size)
{
	struct chunked_step s = { .put = c->line };

	if (c->state == CHUNKED_DATA) {
		s.data = true;
		s.count = size < c->left ? size : (size_t)c->left;
		chunked_skip(c, s.count);
		return s;
	}
	do {
		step(c, bytes[s.count++]);
		if (has_line(c, &s.put_size))
			break;
	} while (s.count < size && c->state != CHUNKED_BAD);
	return s;
}

void chunked_skip(struct chunked *c, uint64_t count)
{
	c->left -= count;
	if (c->left == 0)
		set_state(c, CHUNKED_DATA_CR);
}
