/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/handshake.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *at;
	size_t size;
};

/* Fields that matter; each at most once, but where a list may be split. */
enum field {
	FIELD_HOST,
	FIELD_UPGRADE,
	FIELD_CONNECTION,
	FIELD_KEY,
	FIELD_VERSION,
	FIELD_ACCEPT,
	FIELD_EXTENSIONS,
	FIELD_PROTOCOL,
	FIELD_LENGTH,
	FIELD_ENCODING,
	FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_HOST] = "Host",
	[FIELD_UPGRADE] = "Upgrade",
	[FIELD_CONNECTION] = "Connection",
	[FIELD_KEY] = "Sec-WebSocket-Key",
	[FIELD_VERSION] = "Sec-WebSocket-Version",
	[FIELD_ACCEPT] = "Sec-WebSocket-Accept",
	[FIELD_EXTENSIONS] = "Sec-WebSocket-Extensions",
	[FIELD_PROTOCOL] = "Sec-WebSocket-Protocol",
	[FIELD_LENGTH] = "Content-Length",
	[FIELD_ENCODING] = "Transfer-Encoding",
};

struct head {
	struct span first; /* the first line */
	struct span fields[FIELD_COUNT];
	unsigned count[FIELD_COUNT]; /* how often each came */
	bool upgrades, connects;     /* lists that name websocket, upgrade */
};

size_t handshake_head_end(const char *text, size_t size, size_t seen)
{
	const char *end;
	size_t from = seen > 3 ? seen - 3 : 0;

	end = memmem(text + from, size - from, "\r\n\r\n", 4);
	return end ? (size_t)(end - text) + 4 : 0;
}

static bool is(struct span s, const char *text)
{
	return s.size == strlen(text) && strncasecmp(s.at, text, s.size) == 0;
}

/* The same, to the letter. */
static bool equals(struct span s, const char *text)
{
	return s.size == strlen(text) && memcmp(s.at, text, s.size) == 0;
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' ||
			strchr("\"(),/:;<=>?@[\\]{}", s.at[i]))
			return false;
	return s.size > 0;
}

static struct span trim(struct span s)
{
	while (s.size > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s.at++, s.size--;
	while (s.size > 0 &&
		(s.at[s.size - 1] == ' ' || s.at[s.size - 1] == '\t'))
		s.size--;
	return s;
}

/* Up to the separator, which is taken too; else all of it. */
static struct span cut(struct span *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->size);
	struct span s = *rest;

	if (end)
		s.size = (size_t)(end - s.at);
	rest->at += s.size + (end ? 1 : 0);
	rest->size -= s.size + (end ? 1 : 0);
	return s;
}

static bool list_names(struct span list, const char *token)
{
	while (list.size > 0)
		if (is(trim(cut(&list, ',')), token))
			return true;
	return false;
}

/* One field, without its line end; false: it is none. */
static bool read_field(struct head *h, struct span line)
{
	struct span name = cut(&line, ':'), value = trim(line);

	if (!is_token(name) || name.at + name.size == line.at)
		return false;
	for (size_t i = 0; i < value.size; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!is(name, field_names[f]))
			continue;
		h->count[f]++;
		h->fields[f] = value;
	}
	if (is(name, "Upgrade"))
		h->upgrades |= list_names(value, "websocket");
	if (is(name, "Connection"))
		h->connects |= list_names(value, "upgrade");
	return true;
}

/* Lines end with CRLF, and nothing else does. */
static bool read_head(struct head *h, const char *text, size_t size)
{
	struct span rest = { text, size - 2 };

	memset(h, 0, sizeof(*h));
	for (bool first = true; rest.size > 0; first = false) {
		struct span line = cut(&rest, '\n');

		if (line.size == 0 || line.at[line.size - 1] != '\r')
			return false;
		line.size--;
		if (first)
			h->first = line;
		else if (!read_field(h, line))
			return false;
	}
	return true;
}

/* Base64 of 16 bytes: 22 characters, the last with four bits of zero. */
static bool is_key(struct span s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	return s.size == WEBSOCKET_KEY_SIZE - 1 &&
	       !memcmp(s.at + 22, "==", 2) && strspn(s.at, digits) == 22 &&
	       strchr("AQgw", s.at[21]);
}

enum handshake_verdict handshake_read_request(
	const char *text, size_t size, char key[static WEBSOCKET_KEY_SIZE])
{
	struct head h;
	struct span line, method, target;

	if (!read_head(&h, text, size))
		return HANDSHAKE_BAD;
	line = h.first;
	method = cut(&line, ' ');
	target = cut(&line, ' ');
	if (!is_token(method) || target.size == 0 || !equals(line, "HTTP/1.1"))
		return HANDSHAKE_BAD;
	if (!equals(target, WEBSOCKET_PATH))
		return HANDSHAKE_UNKNOWN;
	if (!equals(method, "GET") || h.count[FIELD_HOST] != 1 || !h.upgrades ||
		!h.connects || h.count[FIELD_KEY] != 1 ||
		h.count[FIELD_VERSION] != 1 ||
		!is(h.fields[FIELD_VERSION], "13") ||
		!is_key(h.fields[FIELD_KEY]) || h.count[FIELD_ENCODING] > 0 ||
		(h.count[FIELD_LENGTH] > 0 && !is(h.fields[FIELD_LENGTH], "0")))
		return HANDSHAKE_BAD;
	memcpy(key, h.fields[FIELD_KEY].at, WEBSOCKET_KEY_SIZE - 1);
	key[WEBSOCKET_KEY_SIZE - 1] = '\0';
	return HANDSHAKE_DONE;
}

/* As frp's own client: what it would not take is no answer for us, either. */
const char *handshake_read_answer(
	const char *text, size_t size, const char *accept)
{
	struct head h;
	struct span line, version, status;

	if (!read_head(&h, text, size))
		return "the server's answer is no HTTP";
	line = h.first;
	version = cut(&line, ' ');
	status = cut(&line, ' ');
	if (!equals(version, "HTTP/1.1") || status.size != 3)
		return "the server's answer is no HTTP";
	if (!equals(status, "101"))
		return "the server did not switch to WebSocket";
	if (h.count[FIELD_UPGRADE] != 1 || h.count[FIELD_CONNECTION] != 1 ||
		h.count[FIELD_ACCEPT] != 1 ||
		!is(h.fields[FIELD_UPGRADE], "websocket") ||
		!is(h.fields[FIELD_CONNECTION], "upgrade") ||
		h.count[FIELD_EXTENSIONS] > 0 || h.count[FIELD_PROTOCOL] > 0)
		return "the server's WebSocket handshake is wrong";
	if (!equals(h.fields[FIELD_ACCEPT], accept))
		return "the server's WebSocket handshake is another one's";
	return NULL;
}

size_t handshake_write_request(
	char out[static HANDSHAKE_TEXT_MAX], const char *host, const char *key)
{
	return (size_t)snprintf(out, HANDSHAKE_TEXT_MAX,
		"GET " WEBSOCKET_PATH " HTTP/1.1\r\n"
		"Host: %s\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\n"
		"Origin: http://%s\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\n",
		host, key, host);
}

size_t handshake_write_answer(char out[static HANDSHAKE_TEXT_MAX],
	enum handshake_verdict verdict, const char *accept)
{
	if (verdict != HANDSHAKE_DONE)
		return (size_t)snprintf(out, HANDSHAKE_TEXT_MAX,
			"HTTP/1.1 %s\r\n"
			"Connection: close\r\n"
			"Content-Length: 0\r\n"
			"%s\r\n",
			verdict == HANDSHAKE_UNKNOWN ? "404 Not Found"
						     : "400 Bad Request",
			verdict == HANDSHAKE_UNKNOWN
				? ""
				: "Sec-WebSocket-Version: 13\r\n");
	return (size_t)snprintf(out, HANDSHAKE_TEXT_MAX,
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
}
