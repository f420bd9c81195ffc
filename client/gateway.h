/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A gateway is a proxy on the way to the server (transport.proxyURL): an HTTP
 * proxy that is asked to CONNECT (RFC 9110 section 9.3.6), or a SOCKS5 proxy
 * (RFC 1928, RFC 1929). What is said to it is a pure transform of bytes; who
 * has the connection carries them.
 */

#ifndef ADIT_CLIENT_GATEWAY_H
#define ADIT_CLIENT_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/address.h"

enum gateway_kind {
	GATEWAY_NONE,
	GATEWAY_HTTP,
	GATEWAY_SOCKS5
};

#define GATEWAY_SECRET_SIZE 256

struct gateway {
	enum gateway_kind kind;
	char host[ADDRESS_HOST_SIZE];
	uint16_t port;
	char user[GATEWAY_SECRET_SIZE]; /* "": without a login */
	char password[GATEWAY_SECRET_SIZE];
};

/*
 * Read SCHEME://[USER[:PASSWORD]@]HOST:PORT[/], user and password perhaps
 * percent-encoded. 0; or -EINVAL with the reason, which shows nothing of the
 * URL, in *reason_r (static).
 */
int gateway_parse(
	struct gateway *g, const char *url, const char **reason_r) must_check;

/* Write the URL as it may be shown: without user and password. */
#define GATEWAY_URL_SIZE (ADDRESS_HOST_SIZE + 32)
void gateway_show(const char *url, char text[static GATEWAY_URL_SIZE]);

/*
 * Whether the environment's http_proxy is for this server: as elsewhere, not
 * for this machine itself and not for what no_proxy names (hosts, or domains
 * with or without a leading dot, parted by commas; "*" is everything).
 */
bool gateway_is_for(const char *host, const char *no_proxy);

/* The longest message either way; an answer's head may not be longer. */
#define GATEWAY_ROOM 2048

enum gateway_step {
	/* `out` is to be sent, then an answer is awaited. */
	GATEWAY_SEND,
	/* More of the answer is awaited. */
	GATEWAY_AWAIT,
	/* The connection is through to the server. */
	GATEWAY_THROUGH,
	/* It is not; `error` says why. */
	GATEWAY_REFUSED,
};

/* One conversation. */
struct gateway_talk {
	const struct gateway *gateway;
	const char *host; /* of the server */
	uint16_t port;
	uint8_t stage; /* enum gateway_stage, of the .c file */
	uint8_t out[GATEWAY_ROOM], in[GATEWAY_ROOM];
	size_t out_size, in_size;
	char error[128];
};

/* Begin to ask for host:port, which outlives the talk; `out` is to be sent. */
void gateway_begin(struct gateway_talk *t, const struct gateway *g,
	const char *host, uint16_t port);

/* Bytes of the answer have come. */
enum gateway_step gateway_received(
	struct gateway_talk *t, const uint8_t *bytes, size_t n);

#endif
