/* SPDX-License-Identifier: Apache-2.0 */

#include "client/work_bytes.h"

#include "client/client.h"
#include "client/login.h"

/* NewWorkConn at most: a run id and a key. */
#define GREETING_MAX 1024

struct chunk *work_make_greeting(const struct work *k, const uint8_t *binding)
{
	const struct client *c = k->client;
	struct message m = { .type = MESSAGE_NEW_WORK_CONN };
	struct message_new_work_conn *n = &m.new_work_conn;
	char key[LOGIN_KEY_SIZE], ticket[TICKET_TEXT], mac[TICKET_MAC_TEXT];
	uint8_t frame[GREETING_MAX], bytes[TICKET_MAC_SIZE];
	ssize_t size;

	n->run_id = c->session.run_id;
	if (k->ticketed) {
		ticket_mac(
			bytes, &c->session.tickets, k->ticket.bytes, binding);
		ticket_text_write(ticket, k->ticket.bytes);
		ticket_mac_write(mac, bytes);
		n->adit = (struct message_redemption){
			.present = true, .t = ticket, .m = mac
		};
	}
	if (c->settings->auth_new_work_conns && !c->session.proven) {
		login_sign(c, key, &n->timestamp);
		n->privilege_key = key;
	}
	size = message_encode(&m, frame, sizeof(frame));
	return size < 0 ? NULL : chunk_copy(frame, (uint32_t)size);
}

/* What the server says of an address; none if it makes no sense. */
static struct address address_said(const char *ip, int64_t port)
{
	struct address a = { 0 };

	if (port < 0 || port > UINT16_MAX ||
		address_parse(&a, ip, (uint16_t)port) < 0)
		a.size = 0;
	return a;
}

struct chunk *work_make_header(
	const struct message_start_work_conn *s, enum proxy_header version)
{
	struct address from = address_said(s->src_addr, s->src_port);
	struct address to = address_said(s->dst_addr, s->dst_port);
	uint8_t bytes[PROXY_HEADER_MAX];

	return chunk_copy(bytes,
		(uint32_t)proxy_header_write(bytes, version, &from, &to));
}
