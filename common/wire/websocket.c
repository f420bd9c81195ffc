/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/handshake.h"

#define MASK 4
#define HEAD_MAX (2 + 8 + MASK)
#define CONTROL_MAX 125
#define NO_PONG (-1)

enum opcode {
	FRAME_MORE = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

/* Bits of the first byte, and of the second. */
enum {
	FINAL = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	CONTROL = 0x08,
	MASKED = 0x80,
	LENGTH = 0x7f,
};

/* What a Close says (RFC 6455 section 7.4.1). */
enum {
	CLOSE_NORMAL = 1000,
	CLOSE_PROTOCOL = 1002,
};

/* While the handshake goes on, and its last bytes are not sent. */
struct shake {
	char in[WEBSOCKET_HEAD_MAX];
	size_t have;
	char out[HANDSHAKE_TEXT_MAX];
	size_t from, to;
	char accept[WEBSOCKET_ACCEPT_SIZE];
};

struct websocket {
	struct transform transform;
	const struct websocket_means *means;
	struct shake *shake; /* NULL: done and sent */
	uint64_t left;       /* bytes of the frame that are to come */
	uint8_t head[HEAD_MAX];
	uint8_t head_have;
	uint8_t mask[MASK]; /* of the frame; turned on as bytes come */
	uint8_t opcode;     /* of the frame */
	uint8_t control[CONTROL_MAX];
	uint8_t control_have;
	uint8_t pong[CONTROL_MAX];
	int16_t pong_size;   /* of what is to be answered, or NO_PONG */
	uint16_t close_code; /* of a Close to be sent, or 0 */
	bool client;
	bool message; /* fragments of one are to come */
	bool closed;  /* our Close has gone, or will */
};

static struct websocket *websocket_of(struct transform *t)
{
	return container_of(t, struct websocket, transform);
}

static void update_words(struct websocket *w)
{
	w->transform.has_words = (w->shake && w->shake->from < w->shake->to) ||
				 w->pong_size != NO_PONG || w->close_code > 0;
}

static void say_close(struct websocket *w, uint16_t code)
{
	if (!w->closed)
		w->close_code = code;
	w->closed = true;
	update_words(w);
}

static int fail(struct websocket *w, const char *trouble)
{
	w->transform.trouble = trouble;
	if (!w->transform.shaking)
		say_close(w, CLOSE_PROTOCOL);
	return -EPROTO;
}

/* out = in ^ mask, which is turned on by n bytes. */
static void flip(uint8_t *out, const uint8_t *in, size_t n, uint8_t mask[MASK])
{
	uint8_t turned[2 * MASK];
	uint64_t m, word;
	size_t i = 0;

	memcpy(turned, mask, MASK);
	memcpy(turned + MASK, mask, MASK);
	memcpy(&m, turned, sizeof(m));
	for (; i + sizeof(m) <= n; i += sizeof(m)) {
		memcpy(&word, in + i, sizeof(word));
		word ^= m;
		memcpy(out + i, &word, sizeof(word));
	}
	for (; i < n; i++)
		out[i] = in[i] ^ turned[i % MASK];
	memcpy(mask, turned + n % MASK, MASK);
}

/* --- the handshake --- */

/* The request has come; 0 or -EPROTO, with an answer to be sent. */
static int answer(struct websocket *w, size_t size)
{
	struct shake *s = w->shake;
	char key[WEBSOCKET_KEY_SIZE];
	enum handshake_verdict verdict = HANDSHAKE_BAD;

	if (size > 0)
		verdict = handshake_read_request(s->in, size, key);
	if (verdict == HANDSHAKE_DONE)
		w->means->accept(s->accept, key);
	s->to = handshake_write_answer(s->out, verdict, s->accept);
	update_words(w);
	if (verdict == HANDSHAKE_DONE)
		return 0;
	return fail(w, verdict == HANDSHAKE_UNKNOWN
			       ? "a WebSocket of another path"
			       : "no WebSocket handshake");
}

/* The answer has come. */
static int check(struct websocket *w, size_t size)
{
	const char *trouble = "the server's answer is too long";

	if (size > 0)
		trouble = handshake_read_answer(
			w->shake->in, size, w->shake->accept);
	return trouble ? fail(w, trouble) : 0;
}

static void end_shake(struct websocket *w)
{
	if (w->transform.shaking || w->transform.has_words)
		return;
	free(w->shake);
	w->shake = NULL;
}

/* Of n bytes that have come: how many were the handshake's, or -EPROTO. */
static ssize_t read_shake(struct websocket *w, const uint8_t *in, size_t n)
{
	struct shake *s = w->shake;
	size_t seen = s->have, room = sizeof(s->in) - seen, end;
	int rc;

	n = n < room ? n : room;
	memcpy(s->in + seen, in, n);
	s->have += n;
	end = handshake_head_end(s->in, s->have, seen);
	if (end == 0 && s->have < sizeof(s->in))
		return (ssize_t)n;
	rc = w->client ? check(w, end) : answer(w, end);
	if (rc < 0)
		return rc;
	w->transform.shaking = false;
	end_shake(w);
	return (ssize_t)(end - seen);
}

/* --- in --- */

/* How many bytes a head has of which these two are the first. */
static uint8_t head_size(const uint8_t *head)
{
	uint8_t length = head[1] & LENGTH;

	return 2 +
	       (length == 126          ? 2
		       : length == 127 ? 8
				       : 0) +
	       (head[1] & MASKED ? MASK : 0);
}

/* The length in the head; -1: it is not in its shortest form. */
static int64_t frame_length(const uint8_t *head)
{
	uint8_t form = head[1] & LENGTH;
	uint64_t n = 0;

	if (form < 126)
		return form;
	for (int i = 0; i < (form == 126 ? 2 : 8); i++)
		n = n << 8 | head[2 + i];
	if (n < (form == 126 ? 126 : 1 << 16) || n > INT64_MAX)
		return -1;
	return (int64_t)n;
}

/* A head is complete; 0 or -EPROTO. */
static int begin_frame(struct websocket *w)
{
	const uint8_t *head = w->head;
	int64_t length = frame_length(head);
	bool final = head[0] & FINAL;

	w->opcode = head[0] & OPCODE;
	if (head[0] & RESERVED)
		return fail(w, "a WebSocket frame with reserved bits");
	if (!(head[1] & MASKED) != w->client)
		return fail(w, w->client ? "a WebSocket frame with a mask"
					 : "a WebSocket frame without a mask");
	if (length < 0)
		return fail(w, "a WebSocket frame of a wrong length");
	if (w->opcode & CONTROL) {
		if (w->opcode > FRAME_PONG || !final || length > CONTROL_MAX)
			return fail(
				w, "a WebSocket control frame that is none");
		w->control_have = 0;
	} else {
		if (w->opcode > FRAME_BINARY ||
			w->message != (w->opcode == FRAME_MORE))
			return fail(w, "a WebSocket frame out of order");
		w->message = !final;
	}
	memset(w->mask, 0, MASK);
	if (!w->client)
		memcpy(w->mask, head + w->head_have - MASK, MASK);
	w->left = (uint64_t)length;
	w->head_have = 0;
	return 0;
}

/* Section 7.4: what a peer may say. */
static bool is_close(const uint8_t *body, unsigned n)
{
	unsigned code = n < 2 ? 0 : (unsigned)body[0] << 8 | body[1];

	return n == 0 ||
	       (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
		       code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

/* A frame is complete; 0 or -EPROTO. */
static int end_frame(struct websocket *w)
{
	if (w->opcode == FRAME_CLOSE) {
		if (!is_close(w->control, w->control_have))
			return fail(w, "a WebSocket Close that is none");
		w->transform.ended = true;
	}
	if (w->opcode == FRAME_PING && !w->closed) {
		memcpy(w->pong, w->control, w->control_have);
		w->pong_size = w->control_have;
		update_words(w);
	}
	return 0;
}

/* n bytes of the frame have come, and there is room for them. */
static void read_body(
	struct websocket *w, const uint8_t *in, size_t n, uint8_t *out)
{
	if (w->opcode & CONTROL) {
		flip(w->control + w->control_have, in, n, w->mask);
		w->control_have += (uint8_t)n;
	} else if (w->client) {
		memcpy(out, in, n);
	} else {
		flip(out, in, n, w->mask);
	}
	w->left -= n;
}

/* The next byte of a head, which may end a frame, too; 0 or -EPROTO. */
static int read_head(struct websocket *w, uint8_t byte)
{
	int rc;

	w->head[w->head_have++] = byte;
	if (w->head_have < 2 || w->head_have < head_size(w->head))
		return 0;
	rc = begin_frame(w);
	return rc == 0 && w->left == 0 ? end_frame(w) : rc;
}

static ssize_t websocket_open(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct websocket *w = websocket_of(t);
	size_t from = 0, to = 0;

	while (from < *n && !t->ended) {
		bool data = w->left > 0 && !(w->opcode & CONTROL);
		size_t k = *n - from;
		ssize_t rc;

		if (t->shaking) {
			rc = read_shake(w, in + from, k);
			if (rc < 0)
				return rc;
			from += (size_t)rc;
			continue;
		}
		if (w->left == 0) {
			rc = read_head(w, in[from++]);
			if (rc < 0)
				return rc;
			continue;
		}
		k = k < w->left ? k : (size_t)w->left;
		k = data && k > size - to ? size - to : k;
		if (k == 0)
			break;
		read_body(w, in + from, k, out + to);
		from += k;
		to += data ? k : 0;
		if (w->left == 0 && end_frame(w) < 0)
			return -EPROTO;
	}
	*n = t->ended ? *n : from;
	return (ssize_t)to;
}

/* --- out --- */

/* The head of a frame of n bytes, and its mask; its size. */
static size_t put_head(
	struct websocket *w, enum opcode opcode, size_t n, uint8_t *out)
{
	int bytes = n < 126 ? 0 : n < 1 << 16 ? 2 : 8;
	size_t at = 2;

	out[0] = (uint8_t)(FINAL | opcode);
	out[1] = (uint8_t)(bytes == 0 ? n : bytes == 2 ? 126 : 127);
	while (bytes-- > 0)
		out[at++] = (uint8_t)(n >> 8 * bytes);
	if (!w->client)
		return at;
	out[1] |= MASKED;
	w->means->random(out + at, MASK);
	return at + MASK;
}

/* A whole frame; its size. */
static size_t put_frame(struct websocket *w, enum opcode opcode,
	const uint8_t *body, size_t n, uint8_t *out)
{
	size_t head = put_head(w, opcode, n, out);
	uint8_t mask[MASK];

	if (w->client) {
		memcpy(mask, out + head - MASK, MASK);
		flip(out + head, body, n, mask);
	} else {
		memcpy(out + head, body, n);
	}
	return head + n;
}

/* Own words, as far as there is room; how many bytes. */
static size_t put_words(struct websocket *w, uint8_t *out, size_t size)
{
	struct shake *s = w->shake;
	size_t to = 0;

	if (s) {
		to = s->to - s->from < size ? s->to - s->from : size;
		memcpy(out, s->out + s->from, to);
		s->from += to;
	}
	if (w->pong_size != NO_PONG &&
		size - to >= HEAD_MAX + (size_t)w->pong_size) {
		to += put_frame(
			w, FRAME_PONG, w->pong, (size_t)w->pong_size, out + to);
		w->pong_size = NO_PONG;
	}
	if (w->close_code > 0 && w->pong_size == NO_PONG &&
		size - to >= HEAD_MAX + 2) {
		uint8_t code[] = { (uint8_t)(w->close_code >> 8),
			(uint8_t)w->close_code };

		to += put_frame(w, FRAME_CLOSE, code, 2, out + to);
		w->close_code = 0;
	}
	update_words(w);
	end_shake(w);
	return to;
}

static ssize_t websocket_seal(struct transform *t, const uint8_t *in, size_t *n,
	uint8_t *out, size_t size)
{
	struct websocket *w = websocket_of(t);
	size_t to = t->has_words ? put_words(w, out, size) : 0;

	if (t->has_words || t->shaking || size - to <= HEAD_MAX)
		*n = 0;
	if (*n == 0)
		return (ssize_t)to;
	if (*n > size - to - HEAD_MAX)
		*n = size - to - HEAD_MAX;
	to += put_frame(w, FRAME_BINARY, in, *n, out + to);
	return (ssize_t)to;
}

static void websocket_finish(struct transform *t)
{
	say_close(websocket_of(t), CLOSE_NORMAL);
}

static int websocket_below_ended(struct transform *t)
{
	return t->ended ? 0 : -ECONNRESET;
}

static void websocket_free(struct transform *t)
{
	struct websocket *w = websocket_of(t);

	free(w->shake);
	free(w);
}

static const struct transform_ops websocket_ops = {
	.open = websocket_open,
	.seal = websocket_seal,
	.finish = websocket_finish,
	.below_ended = websocket_below_ended,
	.free = websocket_free,
};

static struct websocket *websocket_new(
	const struct websocket_means *means, bool client)
{
	struct websocket *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->shake = calloc(1, sizeof(*w->shake));
	if (!w->shake) {
		free(w);
		return NULL;
	}
	w->transform.ops = &websocket_ops;
	w->transform.shaking = true;
	/* The frame's head, a pong and a Close. */
	w->transform.overhead = 3 * HEAD_MAX + CONTROL_MAX + 2;
	w->means = means;
	w->client = client;
	w->pong_size = NO_PONG;
	return w;
}

struct transform *websocket_serve(const struct websocket_means *means)
{
	struct websocket *w = websocket_new(means, false);

	return w ? &w->transform : NULL;
}

static bool is_host(const char *host)
{
	size_t n = strlen(host);

	for (size_t i = 0; i < n; i++)
		if (host[i] <= ' ' || host[i] > '~' ||
			strchr("\"#/<>?@\\^`{|}", host[i]))
			return false;
	return n > 0 && n <= WEBSOCKET_HOST_MAX;
}

struct transform *websocket_call(
	const struct websocket_means *means, const char *host)
{
	struct websocket *w = is_host(host) ? websocket_new(means, true) : NULL;
	char key[WEBSOCKET_KEY_SIZE];

	if (!w)
		return NULL;
	means->key(key);
	means->accept(w->shake->accept, key);
	w->shake->to = handshake_write_request(w->shake->out, host, key);
	update_words(w);
	return &w->transform;
}
