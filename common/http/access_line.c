/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The JSON is written by hand: a library would build a tree of a dozen nodes
 * for each request, and all that has to be right is the escape of a string.
 */

#include "common/http/access_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/http/request_id.h"

/* A line under construction; ACCESS_LINE_MAX is enough for any. */
struct line {
	char *at, *end;
};

printf_like(2, 3) static void put(struct line *l, const char *format, ...)
{
	size_t room = (size_t)(l->end - l->at);
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->at, room, format, args);
	va_end(args);
	l->at += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void put_bytes(struct line *l, const void *bytes, size_t n)
{
	memcpy(l->at, bytes, n);
	l->at += n;
}

static const unsigned char *find(
	const struct access_record *r, enum access_text which)
{
	const char *at = r->text;

	for (int i = 0; i < (int)which; i++)
		at += r->size[i];
	return (const unsigned char *)at;
}

/* The text between double quotes, as nginx writes it. */
static void put_combined_text(
	struct line *l, const struct access_record *r, enum access_text which)
{
	const unsigned char *s = find(r, which);
	size_t n = r->size[which];

	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '"' || s[i] == '\\')
			put(l, "\\x%02X", s[i]);
		else
			*l->at++ = (char)s[i];
	}
	if (n == 0)
		*l->at++ = '-';
}

/* The string, or null. */
static void put_json_text(
	struct line *l, const struct access_record *r, enum access_text which)
{
	const unsigned char *s = find(r, which);
	size_t n = r->size[which];

	if (n == 0) {
		put_bytes(l, "null", 4);
		return;
	}
	*l->at++ = '"';
	while (n > 0) {
		size_t size = *s >= 0x80 ? utf8_length(s, n) : 1;

		if (*s == '"' || *s == '\\')
			*l->at++ = '\\';
		if (size == 0 || *s < 0x20 || *s == 0x7f)
			put(l, "\\u%04x", *s);
		else
			put_bytes(l, s, size);
		size += size == 0;
		s += size;
		n -= size;
	}
	*l->at++ = '"';
}

/* Seconds, to the microsecond; `none` if there was no such moment. */
static void put_seconds(struct line *l, int64_t time, const char *none)
{
	if (time < 0)
		put(l, "%s", none);
	else
		put(l, "%" PRId64 ".%06" PRId64, time / CLOCK_SECOND,
			time % CLOCK_SECOND / 1000);
}

/* The second of the request by this format of strftime(3). */
static const char *second_text(struct access_clock *c, int64_t time,
	const char *format, bool universal)
{
	time_t second = (time_t)(time / CLOCK_SECOND);
	struct tm tm;

	if (second == c->second && c->text[0])
		return c->text;
	c->second = second;
	if (universal)
		gmtime_r(&second, &tm);
	else
		localtime_r(&second, &tm);
	strftime(c->text, sizeof(c->text), format, &tm);
	return c->text;
}

static void put_combined(struct line *l, const struct access_record *r,
	const char *ip, struct access_clock *clock)
{
	char id[REQUEST_ID_SIZE];

	put(l, "%s - - [%s] \"", *ip ? ip : "-",
		second_text(clock, r->time, "%d/%b/%Y:%H:%M:%S %z", false));
	put_combined_text(l, r, ACCESS_METHOD);
	if (r->size[ACCESS_METHOD]) {
		*l->at++ = ' ';
		put_combined_text(l, r, ACCESS_TARGET);
		put(l, " HTTP/1.%u", r->minor);
	}
	if (r->status)
		put(l, "\" %u %" PRIu64 " \"", r->status, r->out);
	else
		put(l, "\" - %" PRIu64 " \"", r->out);
	put_combined_text(l, r, ACCESS_REFERER);
	put(l, "\" \"");
	put_combined_text(l, r, ACCESS_AGENT);
	put(l, "\" host=\"");
	put_combined_text(l, r, ACCESS_HOST);
	put(l, "\" proxy=\"");
	put_combined_text(l, r, ACCESS_PROXY);
	put(l, "\" in=%" PRIu64 " first=", r->in);
	put_seconds(l, r->first, "-");
	put(l, " total=");
	put_seconds(l, r->total, "-");
	request_id_text(r->id, id);
	put(l, " id=%s reason=%s", id, reason_name(r->reason));
}

static void put_json(struct line *l, const struct access_record *r,
	const char *ip, struct access_clock *clock)
{
	static const struct {
		const char *name;
		enum access_text text;
	} texts[] = {
		{ "host", ACCESS_HOST },
		{ "proxy", ACCESS_PROXY },
		{ "method", ACCESS_METHOD },
		{ "target", ACCESS_TARGET },
		{ "referer", ACCESS_REFERER },
		{ "userAgent", ACCESS_AGENT },
	};
	char id[REQUEST_ID_SIZE];

	put(l, "{\"time\":\"%s.%03dZ\",\"visitor\":\"%s\",\"port\":%u",
		second_text(clock, r->time, "%Y-%m-%dT%H:%M:%S", true),
		(int)(r->time % CLOCK_SECOND / CLOCK_MS), ip,
		address_port(&r->visitor));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put(l, ",\"%s\":", texts[i].name);
		put_json_text(l, r, texts[i].text);
	}
	if (r->size[ACCESS_METHOD])
		put(l, ",\"protocol\":\"HTTP/1.%u\",\"status\":", r->minor);
	else
		put(l, ",\"protocol\":null,\"status\":");
	if (r->status)
		put(l, "%u", r->status);
	else
		put(l, "null");
	put(l, ",\"in\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"first\":", r->in,
		r->out);
	put_seconds(l, r->first, "null");
	put(l, ",\"total\":");
	put_seconds(l, r->total, "null");
	request_id_text(r->id, id);
	put(l, ",\"id\":\"%s\",\"reason\":\"%s\"}", id, reason_name(r->reason));
}

size_t access_line(char out[static ACCESS_LINE_MAX],
	const struct access_record *r, enum access_format format,
	struct access_clock *clock)
{
	struct line l = { out, out + ACCESS_LINE_MAX };
	char ip[ADDRESS_TEXT_SIZE];

	address_ip(&r->visitor, ip);
	if (format == ACCESS_JSON)
		put_json(&l, r, ip, clock);
	else
		put_combined(&l, r, ip, clock);
	*l.at++ = '\n';
	return (size_t)(l.at - out);
}
