/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/start.h"

#include "common/crypto/base64.h"
#include "common/wire/frame.h"
#include "common/wire/message.h"
#include "server/registry/directory.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* The longest that fits into a frame once it is a box, as text. */
#define CLEAR_MAX (BASE64URL_BYTES(FRAME_BODY_MAX - 64) - START_SEAL_SIZE)

/* The message's JSON, without its frame, in a box, as text. */
static bool put_in_box(
	char *text, const struct message *m, const struct start_key *key)
{
	uint8_t clear[FRAME_HEADER_SIZE + CLEAR_MAX];
	uint8_t box[CLEAR_MAX + START_SEAL_SIZE];
	ssize_t n = message_encode(m, clear, sizeof(clear));

	if (n < 0)
		return false;
	n -= FRAME_HEADER_SIZE;
	start_seal(box, key, 0, clear + FRAME_HEADER_SIZE, (size_t)n);
	base64url_encode(text, box, (size_t)n + START_SEAL_SIZE);
	return true;
}

static bool encode(struct chunk *c, const struct message *m)
{
	ssize_t n = message_encode(m, c->data, c->size);

	c->to = n < 0 ? 0 : (uint32_t)n;
	return n >= 0;
}

static bool encode_sealed(
	struct chunk *c, const struct message *m, const struct start_key *key)
{
	struct message outer = { .type = MESSAGE_START_WORK_CONN };
	char text[BASE64URL_SIZE(CLEAR_MAX + START_SEAL_SIZE)];

	if (!put_in_box(text, m, key))
		return false;
	outer.start_work_conn.adit.present = true;
	outer.start_work_conn.adit.b = text;
	return encode(c, &outer);
}

struct chunk *start_make(const struct visitor *v, const struct sealing *sealing)
{
	struct message m = { .type = MESSAGE_START_WORK_CONN };
	struct message_start_work_conn *s = &m.start_work_conn;
	char src[ADDRESS_TEXT_SIZE], dst[ADDRESS_TEXT_SIZE];
	struct chunk *c = chunk_take(worker_loop(v->worker)->chunks);

	if (!c)
		return NULL;
	address_ip(&v->peer, src);
	s->proxy_name = route_name(v->route);
	s->src_addr = src;
	s->src_port = address_port(&v->peer);
	if (!v->http) {
		/* frp tells http services the source only. */
		address_ip(&v->self, dst);
		s->dst_addr = dst;
		s->dst_port = address_port(&v->self);
	}
	if (sealing->sealed ? encode_sealed(c, &m, &sealing->key)
			    : encode(c, &m))
		return c;
	chunk_give(c);
	return NULL;
}
