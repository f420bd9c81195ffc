/* SPDX-License-Identifier: Apache-2.0 */

#include "common/wire/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/compiler.h"

/* Version 2, the command PROXY; and a stream of either family, or unknown. */
#define V2_PROXY 0x21
#define V2_TCP4 0x11
#define V2_TCP6 0x21
#define V2_UNSPECIFIED 0

static const uint8_t v2_signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n',
	'Q', 'U', 'I', 'T', '\n' };

enum proxy_header proxy_header_of(const char *text)
{
	static const char *const texts[PROXY_HEADERS] = { "", "v1", "v2" };

	for (int i = 0; i < PROXY_HEADERS; i++)
		if (!strcmp(text, texts[i]))
			return (enum proxy_header)i;
	return PROXY_HEADER_UNKNOWN;
}

/* AF_INET or AF_INET6 if both are of it; else AF_UNSPEC. */
static int family_of(const struct address *from, const struct address *to)
{
	if (from->size == 0 || to->size == 0 ||
		from->any.sa_family != to->any.sa_family)
		return AF_UNSPEC;
	return from->any.sa_family;
}

static size_t write_text(uint8_t *out, int family, const struct address *from,
	const struct address *to)
{
	char a[ADDRESS_TEXT_SIZE], b[ADDRESS_TEXT_SIZE];
	char line[PROXY_HEADER_MAX + 1] = "PROXY UNKNOWN\r\n";

	if (family != AF_UNSPEC) {
		address_ip(from, a);
		address_ip(to, b);
		snprintf(line, sizeof(line),
			"PROXY TCP%c %.39s %.39s %u %u\r\n",
			family == AF_INET ? '4' : '6', a, b, address_port(from),
			address_port(to));
	}
	memcpy(out, line, strlen(line));
	return strlen(line);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

static size_t write_binary(uint8_t *out, int family, const struct address *from,
	const struct address *to)
{
	uint8_t *at = put(out, v2_signature, sizeof(v2_signature));
	uint8_t *length;

	*at++ = V2_PROXY;
	*at++ = family == AF_INET    ? V2_TCP4
		: family == AF_INET6 ? V2_TCP6
				     : V2_UNSPECIFIED;
	*at++ = 0;
	length = at++;
	if (family == AF_INET) {
		at = put(at, &from->v4.sin_addr, sizeof(from->v4.sin_addr));
		at = put(at, &to->v4.sin_addr, sizeof(to->v4.sin_addr));
		at = put(at, &from->v4.sin_port, sizeof(from->v4.sin_port));
		at = put(at, &to->v4.sin_port, sizeof(to->v4.sin_port));
	} else if (family == AF_INET6) {
		at = put(at, &from->v6.sin6_addr, sizeof(from->v6.sin6_addr));
		at = put(at, &to->v6.sin6_addr, sizeof(to->v6.sin6_addr));
		at = put(at, &from->v6.sin6_port, sizeof(from->v6.sin6_port));
		at = put(at, &to->v6.sin6_port, sizeof(to->v6.sin6_port));
	}
	*length = (uint8_t)(at - length - 1);
	return (size_t)(at - out);
}

size_t proxy_header_write(uint8_t out[static PROXY_HEADER_MAX],
	enum proxy_header version, const struct address *from,
	const struct address *to)
{
	int family = family_of(from, to);

	return version == PROXY_HEADER_V1 ? write_text(out, family, from, to)
					  : write_binary(out, family, from, to);
}
