/* SPDX-License-Identifier: Apache-2.0 */

/* One byte, one step, but for the data. */

#include "common/http/chunked.h"

#include <stdio.h>
#include <string.h>

#include "common/http/text.h"

void chunked_init(struct chunked *c, bool data_only)
{
	*c = (struct chunked){ .data_only = data_only };
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

static int hex_value(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = text_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
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
	int digit = hex_value(byte);

	if (c->state == CHUNKED_SIZE) {
		c->left = 0;
		c->digits = 0;
		c->seen = 0;
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
		return;
	case CHUNKED_TRAILER_NAME:
		if (byte == ':')
			set_state(c, CHUNKED_TRAILER_VALUE);
		else if (!text_is(byte, TEXT_TOKEN))
			refuse(c, "bad trailer");
		return;
	case CHUNKED_TRAILER_VALUE:
		if (byte == '\r')
			set_state(c, CHUNKED_TRAILER_LF);
		else if (!text_is(byte, TEXT_VALUE))
			refuse(c, "bad trailer");
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
static size_t put_line(struct chunked *c)
{
	int n = 0;

	if (c->data_only)
		return 0;
	if (c->state == CHUNKED_DATA)
		n = snprintf((char *)c->line, sizeof(c->line), "%llx\r\n",
			(unsigned long long)c->left);
	else if (c->state == CHUNKED_SIZE)
		n = snprintf((char *)c->line, sizeof(c->line), "\r\n");
	else if (c->state == CHUNKED_DONE)
		n = snprintf((char *)c->line, sizeof(c->line), "0\r\n\r\n");
	return (size_t)n;
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
		if (c->state == CHUNKED_DATA || c->state == CHUNKED_SIZE ||
			c->state == CHUNKED_DONE) {
			s.put_size = put_line(c);
			break;
		}
	} while (s.count < size && c->state != CHUNKED_BAD);
	return s;
}

void chunked_skip(struct chunked *c, uint64_t count)
{
	c->left -= count;
	if (c->left == 0)
		set_state(c, CHUNKED_DATA_CR);
}
