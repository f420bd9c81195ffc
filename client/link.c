/* SPDX-License-Identifier: Apache-2.0 */

#include "client/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/crew.h"
#include "common/base/log.h"
#include "common/base/socket.h"
#include "common/crypto/random.h"
#include "common/crypto/tls.h"
#include "common/crypto/websocket_key.h"
#include "common/relay/layer.h"
#include "common/relay/raw_stream.h"
#include "common/wire/client_hello.h"
#include "common/wire/websocket.h"

/* What may be wrong where no TLS comes back. */
#define LINK_NO_TLS                                                     \
	"is serverPort that of a tunnel server? One without TLS needs " \
	"transport.tls.enable: false"

/* The same of pins. */
#define LINK_OTHER_PIN                                                       \
	"it is another aditd, or has a new identity: if its log says that, " \
	"join with a new join string of it, or set transport.tls.pins"

static void link_end(struct link *l, struct stream *s, const char *error)
{
	struct client *c = l->client;
	struct link_owner *o = l->owner;
	struct link_outcome r = { .stream = s, .error = error };

	if (s && l->secure && tls_is_adit(layer_transform(s)))
		r.adit =
			tls_channel_binding(layer_transform(s), r.binding) == 0;
	loop_cancel_timer(client_loop(c), &l->timer);
	stream_close(&l->stream, true);
	pool_give(c->pools.links, l);
	o->linked(o, &r);
}

/* What to look at after a failure of a kind. */
static const struct advice {
	int result;
	const char *text;
} advices[] = {
	{ -EACCES, "see transport.tls.trustedCaFile, transport.tls.serverName "
		   "and transport.tls.certFile" },
	{ -EPROTO, LINK_NO_TLS },
	{ -ECONNRESET, LINK_NO_TLS },
};

static const char *advice(int result)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (advices[i].result == result)
			return advices[i].text;
	return "";
}

/* What the operator is to know about a handshake that failed. */
static void describe(const struct link *l, int result, char *out, size_t size)
{
	const struct transform *t = layer_transform(l->stream);
	const char *what = l->secure ? "TLS" : "WebSocket";
	const struct conf_strings *pins = &l->client->settings->tls_pins;
	const char *hint =
		result == -EACCES && pins->n ? LINK_OTHER_PIN : advice(result);
	char text[PIN_SIZE];
	struct pin pin;
	int n;

	if (t->trouble && l->secure && tls_peer_pin(t, &pin)) {
		pin_write(text, &pin);
		n = snprintf(out, size,
			"TLS: %s; the server's pin is [%s]%s%s%s", t->trouble,
			text, pins->n ? ", pinned is [" : "",
			pins->n ? pins->v[0] : "", pins->n ? "]" : "");
	} else if (t->trouble) {
		n = snprintf(out, size, "%s: %s", what, t->trouble);
	} else {
		n = snprintf(out, size,
			"%s: the server closed the connection in the "
			"handshake: %s",
			what, strerror(-result));
	}
	if (*hint && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, "; %s", hint);
}

static void link_late(struct timer *t)
{
	struct link *l = container_of(t, struct link, timer);

	link_end(l, NULL,
		l->secure ? "TLS: the server does not answer the "
			    "handshake; " LINK_NO_TLS
			  : "WebSocket: the server does not answer");
}

/* The stream is inside the transform from now on; false: the link is over. */
static bool link_enter(struct link *l, struct transform *t)
{
	l->stream = layer_open(l->client->pools.layers, l->stream, t);
	if (l->stream)
		return true;
	link_end(l, NULL, "no memory");
	return false;
}

/* All that was to be agreed on is. */
static void link_ready(struct link *l)
{
	struct stream *s = l->stream;

	l->stream = NULL;
	link_end(l, s, NULL);
}

static void link_secure(struct link *l);

/* The handshake of the outermost transform is over, TLS's or WebSocket's. */
static void link_shaken(struct stream_writer *w, struct chunk *c, int result)
{
	struct link *l = container_of(w, struct link, writer);
	char error[LINK_ERROR_SIZE];

	(void)c;
	if (result < 0) {
		describe(l, result, error, sizeof(error));
		link_end(l, NULL, error);
	} else if (l->secure) {
		link_ready(l);
	} else {
		link_secure(l);
	}
}

/* --- TLS --- */

static void link_shake(struct link *l)
{
	struct client *c = l->client;
	const struct settings *set = c->settings;
	uint16_t port;
	const char *name = client_server(c, &port);

	if (*set->tls_server_name)
		name = set->tls_server_name;
	l->secure = true;
	if (!link_enter(l, tls_client(c->tls, name, c->tls_sessions)))
		return;
	l->writer.sent = link_shaken;
	stream_await_room(l->stream, &l->writer);
}

static void mark_written(struct stream_writer *w, struct chunk *c, int result)
{
	struct link *l = container_of(w, struct link, writer);

	chunk_give(c);
	if (result < 0)
		link_end(l, NULL, strerror(-result));
	else
		link_shake(l);
}

/* TLS, perhaps behind frp's own first byte, if there is to be any. */
static void link_secure(struct link *l)
{
	static const uint8_t mark = CLIENT_HELLO_MARK;
	const struct settings *set = l->client->settings;
	struct chunk *k;

	if (!set->tls_enable || l->plain) {
		link_ready(l);
		return;
	}
	if (set->tls_plain_first_byte) {
		link_shake(l);
		return;
	}
	k = chunk_copy(&mark, 1);
	if (!k) {
		link_end(l, NULL, "no memory");
		return;
	}
	l->writer.sent = mark_written;
	stream_write(l->stream, k, true, &l->writer);
}

/* --- WebSocket --- */

static void link_upgrade(struct link *l)
{
	static const struct websocket_means means = { .random = random_bytes,
		.key = websocket_key_make,
		.accept = websocket_key_accept };
	char host[WEBSOCKET_HOST_MAX];
	uint16_t port;
	const char *server = client_server(l->client, &port);

	address_join(host, sizeof(host), server, port);
	if (!link_enter(l, websocket_call(&means, host)))
		return;
	l->writer.sent = link_shaken;
	stream_await_room(l->stream, &l->writer);
}

static void link_dialed(struct dial_owner *o, int fd, const char *error)
{
	struct link *l = container_of(o, struct link, dial_owner);
	struct client *c = l->client;

	l->dial = NULL;
	if (fd < 0) {
		link_end(l, NULL, error);
		return;
	}
	socket_tune(fd, c->settings->dial_server_keepalive_s);
	l->stream = raw_stream_open(c->pools.streams, client_loop(c), fd);
	if (!l->stream) {
		link_end(l, NULL, "limits.visitors is reached");
		return;
	}
	loop_set_timer(client_loop(c), &l->timer, LINK_SHAKE_TIME, link_late);
	if (c->settings->protocol == SETTINGS_WEBSOCKET)
		link_upgrade(l);
	else
		link_secure(l);
}

struct link *link_start(struct client *c, struct link_owner *owner, bool plain)
{
	struct link *l = pool_take(c->pools.links);
	struct handle self;
	struct dial *d;

	if (!l) {
		owner->linked(owner,
			&(struct link_outcome){ .error = "too many connections "
							 "are being made" });
		return NULL;
	}
	l->client = c;
	l->owner = owner;
	l->plain = plain;
	l->dial_owner.done = link_dialed;
	self = pool_handle(l);
	/* It may be over inside the call. */
	d = client_dial_server(c, &l->dial_owner);
	l = pool_find(c->pools.links, self);
	if (l)
		l->dial = d;
	return l;
}

void link_cancel(struct link **lp)
{
	struct link *l = *lp;

	if (!l)
		return;
	*lp = NULL;
	loop_cancel_timer(client_loop(l->client), &l->timer);
	dial_cancel(&l->dial);
	stream_close(&l->stream, true);
	pool_give(l->client->pools.links, l);
}
