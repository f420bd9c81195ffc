/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One byte, one step: the parser is a state machine that can stop after any
 * byte. Each state's step either stays, moves on, or refuses.
 */

#include "common/http/head.h"

#include <string.h>

static const char version_text[] = "HTTP/1.";

void head_init(struct http_head *head)
{
	head->state = HEAD_START;
	head->status = 0;
	head->error = NULL;
	head->size = 0;
	head->method_len = 0;
	head->target_len = 0;
	head->count = 0;
}

static bool refuse(struct http_head *head, int status, const char *error)
{
	head->state = HEAD_FAILED;
	head->status = status;
	head->error = error;
	return false;
}

/* The steps. `at` is the offset of the byte. False: refused. */

static bool step_method(struct http_head *head, uint8_t byte, uint32_t at)
{
	if (head->state != HEAD_METHOD) {
		head->method = (uint16_t)at;
		if (!text_is(byte, TEXT_TOKEN))
			return refuse(head, 400, "no method");
	}
	if (byte == ' ') {
		head->target = (uint16_t)(at + 1);
		head->state = HEAD_TARGET;
		return true;
	}
	if (!text_is(byte, TEXT_TOKEN))
		return refuse(head, 400, "bad byte in the method");
	if (++head->method_len > HTTP_METHOD_MAX)
		return refuse(head, 400, "method too long");
	head->state = HEAD_METHOD;
	return true;
}

static bool step_target(struct http_head *head, uint8_t byte, uint32_t at)
{
	if (byte == ' ') {
		if (head->target_len == 0)
			return refuse(head, 400, "no target");
		head->version = (uint16_t)(at + 1);
		head->state = HEAD_VERSION;
		return true;
	}
	if (!text_is(byte, TEXT_TARGET))
		return refuse(head, 400, "bad byte in the target");
	head->target_len++;
	return true;
}

/* Exactly `HTTP/1.0` or `HTTP/1.1`; another version is 505. */
static bool step_version(struct http_head *head, uint8_t byte, uint32_t at)
{
	uint32_t n = at - head->version;
	bool digit = byte >= '0' && byte <= '9';

	if (n == 5 && digit && byte != '1')
		return refuse(head, 505, "HTTP version not supported");
	if (n < sizeof(version_text) - 1) {
		if (byte != (uint8_t)version_text[n])
			return refuse(head, 400, "bad version");
		return true;
	}
	if (n == sizeof(version_text) - 1) {
		if (digit && byte > '1')
			return refuse(head, 505, "HTTP version not supported");
		if (!digit)
			return refuse(head, 400, "bad version");
		head->minor = byte - '0';
		return true;
	}
	if (byte != '\r')
		return refuse(head, 400, "bad byte after the version");
	head->state = HEAD_LINE_LF;
	return true;
}

/* A field's first byte, or the end. A space here would be obs-fold. */
static bool step_line(struct http_head *head, uint8_t byte, uint32_t at)
{
	struct http_field *field = &head->fields[head->count];

	if (byte == '\r') {
		head->state = HEAD_END_LF;
		return true;
	}
	if (byte == ' ' || byte == '\t')
		return refuse(head, 400, "folded field line");
	if (!text_is(byte, TEXT_TOKEN))
		return refuse(head, 400, "bad byte in a field name");
	if (head->count == HTTP_FIELDS_MAX)
		return refuse(head, 431, "too many fields");
	field->name = (uint16_t)at;
	field->name_len = 1;
	head->state = HEAD_NAME;
	return true;
}

static bool step_name(struct http_head *head, uint8_t byte)
{
	if (byte == ':') {
		head->state = HEAD_SPACE;
		return true;
	}
	/* White space before the colon is refused with the rest. */
	if (!text_is(byte, TEXT_TOKEN))
		return refuse(head, 400, "bad byte in a field name");
	head->fields[head->count].name_len++;
	return true;
}

static bool step_value(struct http_head *head, uint8_t byte, uint32_t at)
{
	struct http_field *field = &head->fields[head->count];

	if (head->state == HEAD_SPACE) {
		field->value = (uint16_t)at;
		field->value_len = 0;
		if (byte == ' ' || byte == '\t')
			return true;
		head->state = HEAD_VALUE;
	}
	if (byte == '\r') {
		head->count++;
		head->state = HEAD_LINE_LF;
		return true;
	}
	if (!text_is(byte, TEXT_VALUE))
		return refuse(head, 400, "bad byte in a field value");
	if (byte != ' ' && byte != '\t')
		field->value_len = (uint16_t)(at + 1 - field->value);
	return true;
}

static bool step_lf(struct http_head *head, uint8_t byte, enum head_state next)
{
	if (byte != '\n')
		return refuse(head, 400, "CR without LF");
	head->state = next;
	return true;
}

static bool step(struct http_head *head, uint8_t byte, uint32_t at)
{
	switch (head->state) {
	case HEAD_START:
		if (byte != '\r')
			return step_method(head, byte, at);
		head->state = HEAD_START_LF;
		return true;
	case HEAD_START_LF:
		return step_lf(head, byte, HEAD_METHOD_FIRST);
	case HEAD_METHOD_FIRST:
	case HEAD_METHOD:
		return step_method(head, byte, at);
	case HEAD_TARGET:
		return step_target(head, byte, at);
	case HEAD_VERSION:
		return step_version(head, byte, at);
	case HEAD_LINE_LF:
		return step_lf(head, byte, HEAD_LINE);
	case HEAD_LINE:
		return step_line(head, byte, at);
	case HEAD_NAME:
		return step_name(head, byte);
	case HEAD_SPACE:
	case HEAD_VALUE:
		return step_value(head, byte, at);
	case HEAD_END_LF:
		return step_lf(head, byte, HEAD_DONE);
	case HEAD_DONE:
	case HEAD_FAILED:
		return false;
	}
	never_reached();
}

/* Too long: whose fault it is tells the status. */
static void refuse_size(struct http_head *head)
{
	bool line = head->state <= HEAD_TARGET;

	refuse(head, line ? 414 : 431,
		line ? "target too long" : "head too large");
}

int head_parse(struct http_head *head, const uint8_t *data, size_t len)
{
	while (head->state < HEAD_DONE && head->size < len) {
		if (head->size == HTTP_HEAD_MAX)
			refuse_size(head);
		else if (step(head, data[head->size], head->size))
			head->size++;
	}
	if (head->state == HEAD_FAILED)
		return -head->status;
	if (head->state == HEAD_DONE)
		return (int)head->size;
	return 0;
}

bool head_method_is(
	const struct http_head *head, const uint8_t *data, const char *method)
{
	return strlen(method) == head->method_len &&
	       memcmp(data + head->method, method, head->method_len) == 0;
}

int head_find(const struct http_head *head, const uint8_t *data,
	const char *name, unsigned from)
{
	for (unsigned i = from; i < head->count; i++)
		if (text_equal(head_name(head, data, i), name))
			return (int)i;
	return -1;
}
