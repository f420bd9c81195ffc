/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The records are counted as they come, a few steps for each of them; only a
 * complete message is looked into, by cursors that step over the headers of
 * records.
 */

#include "common/wire/client_hello.h"

#include <string.h>

#define RECORD_HEADER 5
#define RECORD_MAX 16384
#define MESSAGE_HEADER 4
#define TYPE_ALERT 21
#define TYPE_CLIENT_HELLO 1
#define VERSION_TLS13 0x0304
#define LABEL_MAX 63

static uint32_t read_16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* --- the message, once it is there --- */

/* Someone who reads: a place, the bytes, and whether a rule was broken. */
struct reader {
	struct client_hello_cursor at;
	const uint8_t *data;
	bool *bad; /* of all that read one message */
};

/* At the next byte, behind the header of a record if it is the first of one. */
static void enter_record(struct reader *r)
{
	if (r->at.record > 0)
		return;
	r->at.record = read_16(r->data + r->at.at + 3);
	r->at.at += RECORD_HEADER;
}

/* The vector has that many; else the message is bad. */
static bool has(struct reader *r, uint32_t n)
{
	if (n > r->at.vector)
		*r->bad = true;
	return !*r->bad;
}

static void skip(struct reader *r, uint32_t n)
{
	if (!has(r, n))
		return;
	r->at.vector -= n;
	while (n > 0) {
		uint32_t step;

		enter_record(r);
		step = n < r->at.record ? n : r->at.record;
		r->at.at += step;
		r->at.record -= step;
		n -= step;
	}
}

static uint8_t read_byte(struct reader *r)
{
	uint8_t byte;

	if (!has(r, 1))
		return 0;
	enter_record(r);
	byte = r->data[r->at.at++];
	r->at.record--;
	r->at.vector--;
	return byte;
}

static uint32_t read_number(struct reader *r, int bytes)
{
	uint32_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | read_byte(r);
	return n;
}

/* A vector behind its length; `r` goes on behind it. */
static struct reader read_vector(
	struct reader *r, int bytes, uint32_t min, uint32_t max)
{
	uint32_t n = read_number(r, bytes);
	struct reader inner;

	if (n < min || n > max)
		*r->bad = true;
	inner = *r;
	inner.at.vector = has(r, n) ? n : 0;
	skip(r, n);
	return inner;
}

static bool more(const struct reader *r)
{
	return r->at.vector > 0 && !*r->bad;
}

/* --- the name --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_label(const char *label, size_t n)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return n > 0 && n <= LABEL_MAX && strspn(label, allowed) >= n;
}

/* Of labels; one whose last is a number is an IPv4 address. */
static bool is_name(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, ".");
		bool number = true;

		if (!is_label(name, n))
			return false;
		for (size_t i = 0; i < n; i++)
			number = number && is_digit(name[i]);
		if (!name[n])
			return !number;
		name += n + 1;
	}
}

/* Copied in lower case; false: too long, or it has a NUL. */
static bool copy_name(struct client_hello *h, struct reader *from)
{
	size_t n = 0;

	while (more(from)) {
		char c = (char)read_byte(from);

		/* RFC 6066 has none, but some clients send it. */
		if (c == '.' && !more(from) && n > 0)
			break;
		if (!c || n + 1 >= sizeof(h->name))
			return false;
		h->name[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	h->name[n] = '\0';
	return true;
}

/*
 * The list has one name, of one kind: another kind was never defined, and who
 * sends two names of one breaks RFC 6066.
 */
static void read_names(struct client_hello *h, struct reader *r)
{
	struct reader list = read_vector(r, 2, 1, UINT16_MAX), name;

	if (read_byte(&list) != 0)
		*r->bad = true;
	name = read_vector(&list, 2, 1, UINT16_MAX);
	if (more(&list))
		*r->bad = true;
	if (copy_name(h, &name) && is_name(h->name)) {
		h->naming = CLIENT_HELLO_NAMED;
		return;
	}
	h->naming = CLIENT_HELLO_MISNAMED;
	h->name[0] = '\0';
}

/* --- the extensions --- */

static void read_protocols(struct client_hello *h, struct reader *r)
{
	struct reader list = read_vector(r, 2, 2, UINT16_MAX);

	h->protocols = list.at;
	while (more(&list))
		read_vector(&list, 1, 1, UINT8_MAX);
}

static void read_versions(struct client_hello *h, struct reader *r)
{
	struct reader list = read_vector(r, 1, 2, 254);

	if (list.at.vector % 2 != 0)
		*r->bad = true;
	while (more(&list))
		h->tls13 |= read_number(&list, 2) == VERSION_TLS13;
}

/* Whether it is worth anything is for who answers to say. */
static void read_session(struct client_hello *h, struct reader *r)
{
	h->resumes |= more(r);
	skip(r, r->at.vector);
}

static const struct {
	uint16_t type;
	void (*read)(struct client_hello *h, struct reader *r);
} extensions[] = {
	{ 0, read_names },      /* server_name */
	{ 16, read_protocols }, /* application_layer_protocol_negotiation */
	{ 35, read_session },   /* session_ticket, empty where there is none */
	{ 41, read_session },   /* pre_shared_key */
	{ 43, read_versions },  /* supported_versions */
};

static void read_extension(
	struct client_hello *h, struct reader *r, uint32_t *seen)
{
	uint32_t type = read_number(r, 2);
	struct reader body = read_vector(r, 2, 0, UINT16_MAX);

	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		if (extensions[i].type != type || *r->bad)
			continue;
		if (*seen & 1u << i)
			*r->bad = true;
		*seen |= 1u << i;
		extensions[i].read(h, &body);
		if (more(&body))
			*r->bad = true;
	}
}

static enum client_hello_verdict read_message(
	struct client_hello *h, const uint8_t *data)
{
	bool bad = false;
	struct reader r = { { 0, 0, h->have }, data, &bad }, list;
	uint32_t seen = 0;

	/* The header, the version of old, the random. */
	skip(&r, MESSAGE_HEADER + 2 + 32);
	read_vector(&r, 1, 0, 32);
	list = read_vector(&r, 2, 2, UINT16_MAX - 1);
	if (list.at.vector % 2 != 0)
		bad = true;
	read_vector(&r, 1, 1, UINT8_MAX);
	/* Until 1.2 there may be no extensions. */
	if (more(&r)) {
		list = read_vector(&r, 2, 0, UINT16_MAX);
		while (more(&list))
			read_extension(h, &list, &seen);
	}
	return bad || r.at.vector > 0 ? CLIENT_HELLO_MALFORMED
				      : CLIENT_HELLO_COMPLETE;
}

bool client_hello_offers(
	const struct client_hello *h, const uint8_t *data, const char *protocol)
{
	bool bad = false;
	struct reader list = { h->protocols, data, &bad };

	while (more(&list)) {
		struct reader p = read_vector(&list, 1, 1, UINT8_MAX);
		const char *c = protocol;

		while (more(&p) && *c && read_byte(&p) == (uint8_t)*c)
			c++;
		if (!*c && !more(&p))
			return true;
	}
	return false;
}

/* --- the records --- */

/* The message's size, once the bytes of its header are known; else 0. */
static uint32_t message_size(const struct client_hello *h, uint32_t known)
{
	if (known < MESSAGE_HEADER)
		return 0;
	return MESSAGE_HEADER + ((uint32_t)h->header[1] << 16 |
					(uint32_t)h->header[2] << 8 |
					h->header[3]);
}

/* What the `n` bytes at the beginning of a record say of it. */
static enum client_hello_verdict look_at_record(
	const struct client_hello *h, const uint8_t *p, size_t n)
{
	/* Whatever is no TLS says so with the first bytes of all. */
	enum client_hello_verdict other =
		h->record > 0 ? CLIENT_HELLO_MALFORMED : CLIENT_HELLO_NOT_TLS;

	if ((n > 0 && p[0] != CLIENT_HELLO_FIRST) || (n > 1 && p[1] != 3))
		return other;
	if (h->record + RECORD_HEADER >= CLIENT_HELLO_MAX)
		return CLIENT_HELLO_TOO_LONG;
	if (n < RECORD_HEADER)
		return CLIENT_HELLO_PARTIAL;
	/* An empty one may not be, and would make a message of any length. */
	if (read_16(p + 3) == 0 || read_16(p + 3) > RECORD_MAX)
		return CLIENT_HELLO_MALFORMED;
	if (h->record + RECORD_HEADER + read_16(p + 3) > CLIENT_HELLO_MAX)
		return CLIENT_HELLO_TOO_LONG;
	return CLIENT_HELLO_COMPLETE;
}

/*
 * The record of `size` bytes, of which `n` are there. A client has nothing to
 * say behind its hello until it is answered: the two end together.
 */
static enum client_hello_verdict look_at_message(
	struct client_hello *h, const uint8_t *p, uint32_t n, uint32_t size)
{
	uint32_t whole;

	for (uint32_t i = 0; i < n && h->have + i < MESSAGE_HEADER; i++)
		h->header[h->have + i] = p[i];
	whole = message_size(h, h->have + n);
	if (h->have + n > 0 && h->header[0] != TYPE_CLIENT_HELLO)
		return CLIENT_HELLO_MALFORMED;
	if (whole > CLIENT_HELLO_MESSAGE_MAX)
		return CLIENT_HELLO_TOO_LONG;
	if (whole > 0 && h->have + size > whole)
		return CLIENT_HELLO_MALFORMED;
	return whole > 0 && h->have + size == whole && n == size
		       ? CLIENT_HELLO_COMPLETE
		       : CLIENT_HELLO_PARTIAL;
}

enum client_hello_verdict client_hello_read(
	struct client_hello *h, const uint8_t *data, size_t len)
{
	enum client_hello_verdict v = CLIENT_HELLO_PARTIAL;

	while (v == CLIENT_HELLO_PARTIAL) {
		const uint8_t *p = data + h->record;
		uint32_t n, size;

		v = look_at_record(h, p, len - h->record);
		if (v != CLIENT_HELLO_COMPLETE)
			return v;
		size = read_16(p + 3);
		n = (uint32_t)(len - h->record) - RECORD_HEADER;
		if (n > size)
			n = size;
		v = look_at_message(h, p + RECORD_HEADER, n, size);
		if (n < size)
			return v;
		h->have += size;
		h->record += RECORD_HEADER + size;
	}
	return v == CLIENT_HELLO_COMPLETE ? read_message(h, data) : v;
}

void client_hello_refuse(uint8_t out[static CLIENT_HELLO_ALERT_SIZE],
	enum client_hello_alert alert)
{
	const uint8_t record[CLIENT_HELLO_ALERT_SIZE] = { TYPE_ALERT, 3, 3, 0,
		2, 2 /* fatal */, (uint8_t)alert };

	memcpy(out, record, sizeof(record));
}
