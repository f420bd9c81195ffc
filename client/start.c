/* SPDX-License-Identifier: Apache-2.0 */

#include "client/start.h"

#include <string.h>

#include "client/client.h"
#include "client/proxy_table.h"
#include "common/base/log.h"
#include "common/crypto/base64.h"
#include "common/wire/frame.h"

/* The first byte of a message's frame. */
#define START_TYPE 's'

struct proxy *start_find_proxy(const struct client *c,
	const struct message_start_work_conn *s, bool plain)
{
	struct proxy *p;

	if (*s->error) {
		log_warn("StartWorkConn contains error: %s", s->error);
		return NULL;
	}
	p = proxy_table_find(c->proxies, s->proxy_name);
	if (!p) {
		log_warn("the server starts an unknown proxy [%.64s]",
			s->proxy_name);
		return NULL;
	}
	if (plain && !settings_proxy_may_be_plain(p->all, p->settings)) {
		log_warn("the server starts [%s] on a work connection without "
			 "TLS, which transport.dataEncryption does not let it",
			p->settings->name);
		return NULL;
	}
	return p;
}

/* The message in the box, as a frame in `frame`; its size, or -1. */
static ssize_t unseal(uint8_t frame[static FRAME_MAX], const char *text,
	const struct start_key *key)
{
	uint8_t sealed[BASE64URL_BYTES(FRAME_BODY_MAX)];
	ssize_t n = base64url_decode(sealed, text, strlen(text));

	if (n >= 0)
		n = start_open(
			frame + FRAME_HEADER_SIZE, key, 0, sealed, (size_t)n);
	if (n < 0)
		return -1;
	frame_header(frame, START_TYPE, (size_t)n);
	return FRAME_HEADER_SIZE + n;
}

bool start_unbox(struct message *m_r, const struct message_start_work_conn *box,
	const struct start_key *key)
{
	const char *text = box->adit.present ? box->adit.b : "";
	const char *error = "its box was sealed by somebody else";
	uint8_t frame[FRAME_MAX];
	ssize_t n = -1;

	if (!*text)
		error = *box->error ? box->error : "its start is in no box";
	else if (strlen(text) <= FRAME_BODY_MAX)
		n = unseal(frame, text, key);
	if (n >= 0 && message_decode(frame, (size_t)n, m_r, &error) == 0)
		return true;
	log_warn("a work connection without TLS is not used: %s", error);
	return false;
}
