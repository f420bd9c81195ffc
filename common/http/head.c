/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One byte, one step: the parser is a state machine that can stop after any
 * byte. Each state's step either stays, moves on, or refuses. Lines that are
 * there as a whole and without fault are taken faster, by runs of bytes of one
 * class; at anything else that leaves the line to the steps.
 */

#include "common/http/head.h"

#include <string.h>

static const char version_text[] = "HTTP/1.";

static void init(struct http_head *head, bool response)
{
	head->state = response ? HEAD_RESPONSE : HEAD_START;
	head->status = 0;
	head->error = NULL;
	head->size = 0;
	head->method_len = 0;
	head->target_len = 0;
	head->count = 0;
	head->response = response;
	head->repaired = head->folded = false;
	head->code = 0;
	head->version = 0;
	head->reason = head->reason_len = 0;
	head->most = response ? (struct head_limits){ HTTP_RESPONSE_MAX,
		HTTP_RESPONSE_FIELDS_MAX }
			      : (struct head_limits){ HTTP_HEAD_MAX,
					HTTP_FIELDS_MAX };
}

void head_init(struct http_head *head)
{
	init(head, false);
}

void head_init_response(struct http_head *head)
{
	init(head, true);
}

static bool refuse(struct http_head *head, int status, const char *error)
{
	head->state = HEAD_FAILED;
	head->status = head->response ? 502 : status;
	head->error = error;
	return false;
}

/* A response's fault that can be mended. */
static bool repair(struct http_head *head)
{
	head->repaired = true;
	return true;
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

/*
 * The n-th byte of `HTTP/1.0` or `HTTP/1.1`; another version is 505. A later
 * minor one of a response is read as 1.1 (RFC 9110, section 2.5).
 */
static bool step_version_byte(struct http_head *head, uint8_t byte, uint32_t n)
{
	bool digit = byte >= '0' && byte <= '9';

	if (n == 5 && digit && byte != '1')
		return refuse(head, 505, "HTTP version not supported");
	if (n < sizeof(version_text) - 1)
		return byte == (uint8_t)version_text[n] ||
		       refuse(head, 400, "bad version");
	if (!digit)
		return refuse(head, 400, "bad version");
	if (byte > '1' && !head->response)
		return refuse(head, 505, "HTTP version not supported");
	head->minor = byte > '0';
	return true;
}

static bool step_version(struct http_head *head, uint8_t byte, uint32_t at)
{
	uint32_t n = at - head->version;

	if (n < sizeof(version_text))
		return step_version_byte(head, byte, n);
	if (byte != '\r')
		return refuse(head, 400, "bad byte after the version");
	head->state = HEAD_LINE_LF;
	return true;
}

/* The version of a response, and the space after it. */
static bool step_response(struct http_head *head, uint8_t byte, uint32_t at)
{
	if (at < sizeof(version_text))
		return step_version_byte(head, byte, at);
	if (byte != ' ')
		return refuse(head, 502, "no space before the status");
	head->state = HEAD_STATUS;
	return true;
}

static bool end_line(struct http_head *head, uint8_t byte);

static bool step_status(struct http_head *head, uint8_t byte, uint32_t at)
{
	uint32_t n = at - (uint32_t)sizeof(version_text) - 1;

	if (n < 3) {
		if (byte < '0' || byte > '9' || (n == 0 && byte == '0'))
			return refuse(head, 502, "bad status");
		head->code = (uint16_t)(head->code * 10 + (byte - '0'));
		return true;
	}
	head->reason = (uint16_t)(at + 1);
	if (byte == ' ') {
		head->state = HEAD_REASON;
		return true;
	}
	if (byte != '\r' && byte != '\n')
		return refuse(head, 502, "bad status");
	return repair(head) && end_line(head, byte);
}

static bool step_reason(struct http_head *head, uint8_t byte)
{
	if (byte == '\r' || byte == '\n')
		return end_line(head, byte);
	if (!text_is(byte, TEXT_VALUE))
		return refuse(head, 502, "bad byte in the reason");
	head->reason_len++;
	return true;
}

/* CR, or where that is mended LF, after the first line or a field line. */
static bool end_line(struct http_head *head, uint8_t byte)
{
	head->state = byte == '\r' ? HEAD_LINE_LF : HEAD_LINE;
	return byte == '\r' || repair(head);
}

/* White space at the start of a line: the field before goes on. */
static bool step_fold(struct http_head *head)
{
	if (!head->response || head->count == 0)
		return refuse(head, 400, "folded field line");
	head->count--;
	head->folded = true;
	head->state = HEAD_VALUE;
	return repair(head);
}

/* A field's first byte, or the end. */
static bool step_line(struct http_head *head, uint8_t byte, uint32_t at)
{
	struct http_field *field = &head->fields[head->count];

	if (byte == '\r') {
		head->state = HEAD_END_LF;
		return true;
	}
	if (byte == '\n' && head->response) {
		head->state = HEAD_DONE;
		return repair(head);
	}
	if (text_is_space(byte))
		return step_fold(head);
	if (!text_is(byte, TEXT_TOKEN))
		return refuse(head, 400, "bad byte in a field name");
	if (head->count == head->most.fields)
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
	if (head->response && text_is_space(byte)) {
		head->state = HEAD_COLON;
		return repair(head);
	}
	/* White space before the colon is refused with the rest. */
	if (!text_is(byte, TEXT_TOKEN) || head->state == HEAD_COLON)
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
		if (text_is_space(byte))
			return true;
		head->state = HEAD_VALUE;
	}
	if (byte == '\r' || (byte == '\n' && head->response)) {
		head->count++;
		return end_line(head, byte);
	}
	if (!text_is(byte, TEXT_VALUE))
		return refuse(head, 400, "bad byte in a field value");
	if (!text_is_space(byte))
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
	case HEAD_RESPONSE:
		return step_response(head, byte, at);
	case HEAD_STATUS:
		return step_status(head, byte, at);
	case HEAD_REASON:
		return step_reason(head, byte);
	case HEAD_LINE_LF:
		return step_lf(head, byte, HEAD_LINE);
	case HEAD_LINE:
		return step_line(head, byte, at);
	case HEAD_NAME:
	case HEAD_COLON:
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

static void take_step(struct http_head *head, const uint8_t *data)
{
	if (head->size == head->most.size)
		refuse_size(head);
	else if (step(head, data[head->size], head->size))
		head->size++;
}

static int result(const struct http_head *head)
{
	if (head->state == HEAD_FAILED)
		return -head->status;
	return head->state == HEAD_DONE ? (int)head->size : 0;
}

int head_parse_plain(struct http_head *head, const uint8_t *data, size_t len)
{
	while (head->state < HEAD_DONE && head->size < len)
		take_step(head, data);
	return result(head);
}

/* Where the run of bytes of that class ends, at `end` at the latest. */
static uint32_t run(
	const uint8_t *data, uint32_t at, uint32_t end, enum text_class class)
{
	while (at < end && text_is(data[at], class))
		at++;
	return at;
}

/* The same for field values: eight bytes at a time, if none is below SP. */
static uint32_t run_value(const uint8_t *data, uint32_t at, uint32_t end)
{
	static const uint64_t ones = 0x0101010101010101, tops = ones << 7;

	while (at + 8 <= end) {
		uint64_t word, low, del;

		memcpy(&word, data + at, sizeof(word));
		low = (word - ones * ' ') & ~word;
		del = word ^ ones * 0x7f;
		del = (del - ones) & ~del;
		if ((low | del) & tops)
			break;
		at += 8;
	}
	return run(data, at, end, TEXT_VALUE);
}

/* Field lines that are whole and without fault. */
static void take_lines(
	struct http_head *head, const uint8_t *data, uint32_t end)
{
	unsigned most = head->most.fields;

	while (head->count < most) {
		struct http_field *field = &head->fields[head->count];
		uint32_t name = head->size, colon, value, line, last;

		colon = run(data, name, end, TEXT_TOKEN);
		if (colon == name || colon == end || data[colon] != ':')
			return;
		value = colon + 1;
		while (value < end && text_is_space(data[value]))
			value++;
		line = run_value(data, value, end);
		if (end - line < 2 || data[line] != '\r' ||
			data[line + 1] != '\n')
			return;
		last = line;
		while (last > value && text_is_space(data[last - 1]))
			last--;
		field->name = (uint16_t)name;
		field->name_len = (uint16_t)(colon - name);
		field->value = (uint16_t)value;
		field->value_len = (uint16_t)(last - value);
		head->count++;
		head->size = line + 2;
	}
}

int head_parse(struct http_head *head, const uint8_t *data, size_t len)
{
	uint32_t end = len < head->most.size ? (uint32_t)len : head->most.size;

	while (head->state < HEAD_DONE && head->size < len) {
		if (head->state == HEAD_TARGET) {
			uint32_t at = run(data, head->size, end, TEXT_TARGET);

			head->target_len += (uint16_t)(at - head->size);
			head->size = at;
		} else if (head->state == HEAD_LINE) {
			take_lines(head, data, end);
		}
		if (head->size < len)
			take_step(head, data);
	}
	return result(head);
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
