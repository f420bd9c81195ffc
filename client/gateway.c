/* SPDX-License-Identifier: Apache-2.0 */

#include "client/gateway.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/crypto/base64.h"

#define SOCKS_VERSION 5
#define SOCKS_LOGIN_VERSION 1
#define SOCKS_NO_LOGIN 0
#define SOCKS_LOGIN 2
#define SOCKS_CONNECT 1
#define SOCKS_IPV4 1
#define SOCKS_NAME 3
#define SOCKS_IPV6 4

enum gateway_stage {
	STAGE_HTTP,
	STAGE_METHOD,
	STAGE_LOGIN,
	STAGE_REQUEST
};

/* --- the URL --- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded into `out`; false: too long, or no such encoding. */
static bool decode(
	char out[static GATEWAY_SECRET_SIZE], const char *text, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < n ? hex(text[i + 1]) : -1;
			int low = i + 2 < n ? hex(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || used == GATEWAY_SECRET_SIZE - 1)
			return false;
		out[used++] = c;
	}
	out[used] = '\0';
	return true;
}

static bool read_login(struct gateway *g, const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n);
	size_t user = colon ? (size_t)(colon - text) : n;

	if (!decode(g->user, text, user))
		return false;
	return !colon || decode(g->password, colon + 1, n - user - 1);
}

int gateway_parse(struct gateway *g, const char *url, const char **reason_r)
{
	char authority[ADDRESS_HOST_SIZE + 16];
	const char *rest, *at;
	size_t n;

	memset(g, 0, sizeof(*g));
	*reason_r = "http://HOST:PORT or socks5://HOST:PORT is allowed, with "
		    "USER:PASSWORD@ before the host where it needs a login";
	rest = strstr(url, "://");
	if (!rest)
		return -EINVAL;
	n = (size_t)(rest - url);
	if (n == 4 && !strncasecmp(url, "http", n)) {
		g->kind = GATEWAY_HTTP;
	} else if (n == 6 && !strncasecmp(url, "socks5", n)) {
		g->kind = GATEWAY_SOCKS5;
	} else {
		*reason_r = "http and socks5 are allowed; other schemes are "
			    "not supported yet";
		return -EINVAL;
	}
	rest += 3;
	n = strcspn(rest, "/");
	if (rest[n] && rest[n + 1])
		return -EINVAL;
	at = memrchr(rest, '@', n);
	if (at && !read_login(g, rest, (size_t)(at - rest)))
		return -EINVAL;
	if (at) {
		n -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	if (n >= sizeof(authority))
		return -EINVAL;
	snprintf(authority, sizeof(authority), "%.*s", (int)n, rest);
	if (address_split(authority, g->host, &g->port, 0) < 0)
		return -EINVAL;
	return 0;
}

void gateway_show(const char *url, char text[static GATEWAY_URL_SIZE])
{
	char target[ADDRESS_HOST_SIZE + 16];
	const char *reason;
	struct gateway g;

	if (gateway_parse(&g, url, &reason) < 0) {
		snprintf(text, GATEWAY_URL_SIZE, "%s", *url ? "***" : "");
		return;
	}
	address_join(target, sizeof(target), g.host, g.port);
	snprintf(text, GATEWAY_URL_SIZE, "%s://%s%s",
		g.kind == GATEWAY_HTTP ? "http" : "socks5",
		*g.user ? "***@" : "", target);
	explicit_bzero(&g, sizeof(g));
}

static bool is_this_machine(const char *host)
{
	struct address a;

	if (!*host || !strcasecmp(host, "localhost"))
		return true;
	if (address_parse(&a, host, 0) < 0)
		return false;
	if (a.any.sa_family == AF_INET)
		return a.v4.sin_addr.s_addr == INADDR_ANY ||
		       ntohl(a.v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr) ||
	       IN6_IS_ADDR_UNSPECIFIED(&a.v6.sin6_addr);
}

bool gateway_is_for(const char *host, const char *no_proxy)
{
	size_t length = strlen(host), n;

	if (is_this_machine(host))
		return false;
	for (const char *p = no_proxy; p && *p; p += n + (p[n] == ',')) {
		const char *name = p + strspn(p, " .");
		size_t size = strcspn(name, ", ");

		n = strcspn(p, ",");
		if (size == 1 && *name == '*')
			return false;
		if (size == 0 || size > length ||
			strncasecmp(host + length - size, name, size) != 0)
			continue;
		if (size == length || host[length - size - 1] == '.')
			return false;
	}
	return true;
}

/* --- the conversation --- */

static void put(struct gateway_talk *t, const void *bytes, size_t n)
{
	memcpy(t->out + t->out_size, bytes, n);
	t->out_size += n;
}

static void put_byte(struct gateway_talk *t, unsigned byte)
{
	t->out[t->out_size++] = (uint8_t)byte;
}

/* One byte of length, then the text, which is shorter than 256 bytes. */
static void put_text(struct gateway_talk *t, const char *text)
{
	put_byte(t, (unsigned)strlen(text));
	put(t, text, strlen(text));
}

static enum gateway_step refuse(struct gateway_talk *t, const char *why)
{
	snprintf(t->error, sizeof(t->error), "transport.proxyURL: %s", why);
	return GATEWAY_REFUSED;
}

/* What comes next: the answer so far is done with. */
static enum gateway_step proceed(struct gateway_talk *t, uint8_t stage)
{
	t->stage = stage;
	t->in_size = t->out_size = 0;
	return GATEWAY_SEND;
}

static void begin_http(struct gateway_talk *t)
{
	char target[ADDRESS_HOST_SIZE + 16];
	char login[2 * GATEWAY_SECRET_SIZE];
	char coded[BASE64_SIZE(sizeof(login))];
	char *out = (char *)t->out;

	address_join(target, sizeof(target), t->host, t->port);
	t->stage = STAGE_HTTP;
	t->out_size = (size_t)snprintf(out, GATEWAY_ROOM,
		"CONNECT %s HTTP/1.1\r\nHost: %s\r\n", target, target);
	if (*t->gateway->user) {
		int n = snprintf(login, sizeof(login), "%s:%s",
			t->gateway->user, t->gateway->password);

		base64_encode(coded, login, (size_t)n);
		t->out_size += (size_t)snprintf(out + t->out_size,
			GATEWAY_ROOM - t->out_size,
			"Proxy-Authorization: Basic %s\r\n", coded);
	}
	put(t, "\r\n", 2);
}

static void begin_socks(struct gateway_talk *t)
{
	t->stage = STAGE_METHOD;
	put_byte(t, SOCKS_VERSION);
	put_byte(t, 1);
	put_byte(t, *t->gateway->user ? SOCKS_LOGIN : SOCKS_NO_LOGIN);
}

void gateway_begin(struct gateway_talk *t, const struct gateway *g,
	const char *host, uint16_t port)
{
	*t = (struct gateway_talk){ .gateway = g, .host = host, .port = port };
	if (g->kind == GATEWAY_HTTP)
		begin_http(t);
	else
		begin_socks(t);
}

/* The head of the answer to CONNECT. The server behind says nothing first. */
static enum gateway_step http_answered(struct gateway_talk *t)
{
	const char *in = (const char *)t->in;
	const char *end = memmem(in, t->in_size, "\r\n\r\n", 4);
	char why[64];

	if (!end)
		return t->in_size < GATEWAY_ROOM
			       ? GATEWAY_AWAIT
			       : refuse(t, "the proxy's answer is too long");
	if (t->in_size < 12 || memcmp(in, "HTTP/1.", 7) != 0 || in[8] != ' ' ||
		!isdigit((unsigned char)in[9]))
		return refuse(t, "the proxy does not speak HTTP");
	if (in[9] != '2') {
		snprintf(why, sizeof(why), "the proxy answered %.3s", in + 9);
		for (char *c = why; *c; c++)
			if (!isprint((unsigned char)*c))
				*c = '?';
		return refuse(t, why);
	}
	if (end + 4 != in + t->in_size)
		return refuse(t, "the proxy sent bytes of its own");
	return GATEWAY_THROUGH;
}

static enum gateway_step request(struct gateway_talk *t)
{
	enum gateway_step step = proceed(t, STAGE_REQUEST);
	struct address a;

	put_byte(t, SOCKS_VERSION);
	put_byte(t, SOCKS_CONNECT);
	put_byte(t, 0);
	if (address_parse(&a, t->host, 0) < 0) {
		put_byte(t, SOCKS_NAME);
		put_text(t, t->host);
	} else if (a.any.sa_family == AF_INET) {
		put_byte(t, SOCKS_IPV4);
		put(t, &a.v4.sin_addr, 4);
	} else {
		put_byte(t, SOCKS_IPV6);
		put(t, &a.v6.sin6_addr, 16);
	}
	put_byte(t, t->port >> 8);
	put_byte(t, t->port & 0xff);
	return step;
}

static enum gateway_step method_chosen(struct gateway_talk *t)
{
	enum gateway_step step;

	if (t->in_size < 2)
		return GATEWAY_AWAIT;
	if (t->in[0] != SOCKS_VERSION || t->in_size > 2)
		return refuse(t, "the proxy does not speak SOCKS5");
	if (t->in[1] == SOCKS_NO_LOGIN)
		return request(t);
	if (t->in[1] != SOCKS_LOGIN || !*t->gateway->user)
		return refuse(t, "the proxy wants another login");
	step = proceed(t, STAGE_LOGIN);
	put_byte(t, SOCKS_LOGIN_VERSION);
	put_text(t, t->gateway->user);
	put_text(t, t->gateway->password);
	return step;
}

static enum gateway_step login_answered(struct gateway_talk *t)
{
	if (t->in_size < 2)
		return GATEWAY_AWAIT;
	if (t->in[1] != 0 || t->in_size > 2)
		return refuse(t, "the proxy refused the login");
	return request(t);
}

/* The meaning of a SOCKS5 reply (RFC 1928 section 6). */
static const char *reply_text(uint8_t reply)
{
	static const char *const texts[] = { "", "the proxy failed",
		"the proxy's rules forbid it",
		"the proxy finds the network unreachable",
		"the proxy finds the server unreachable",
		"the server refuses the proxy's connection",
		"the proxy's time has run out", "the proxy cannot CONNECT",
		"the proxy does not know this kind of address" };

	return reply < sizeof(texts) / sizeof(*texts) ? texts[reply] : texts[1];
}

static enum gateway_step request_answered(struct gateway_talk *t)
{
	size_t size;

	if (t->in_size < 5)
		return GATEWAY_AWAIT;
	if (t->in[0] != SOCKS_VERSION)
		return refuse(t, "the proxy does not speak SOCKS5");
	if (t->in[1] != 0)
		return refuse(t, reply_text(t->in[1]));
	size = t->in[3] == SOCKS_IPV4   ? 10
	       : t->in[3] == SOCKS_IPV6 ? 22
	       : t->in[3] == SOCKS_NAME ? 7u + t->in[4]
					: 0;
	if (size == 0 || t->in_size > size)
		return refuse(t, "the proxy does not speak SOCKS5");
	return t->in_size < size ? GATEWAY_AWAIT : GATEWAY_THROUGH;
}

enum gateway_step gateway_received(
	struct gateway_talk *t, const uint8_t *bytes, size_t n)
{
	if (n > GATEWAY_ROOM - t->in_size)
		return refuse(t, "the proxy's answer is too long");
	memcpy(t->in + t->in_size, bytes, n);
	t->in_size += n;
	switch ((enum gateway_stage)t->stage) {
	case STAGE_HTTP:
		return http_answered(t);
	case STAGE_METHOD:
		return method_chosen(t);
	case STAGE_LOGIN:
		return login_answered(t);
	case STAGE_REQUEST:
		return request_answered(t);
	}
	never_reached();
}
