/* SPDX-License-Identifier: Apache-2.0 */

/* Text to sockaddr and back by inet_pton(3) and inet_ntop(3). */

#include "common/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

int address_parse(struct address *a, const char *ip, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, ip, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		a->size = sizeof(a->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, ip, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		a->size = sizeof(a->v6);
		return 0;
	}
	return -EINVAL;
}

int address_localhost(
	struct address a[static 2], const char *host, uint16_t port)
{
	if (strcasecmp(host, ADDRESS_LOCALHOST) != 0 ||
		address_parse(&a[0], "127.0.0.1", port) < 0 ||
		address_parse(&a[1], "::1", port) < 0)
		return 0;
	return 2;
}

/* One to five digits, 1 to 65535. */
static int parse_port(const char *text, uint16_t *port_r)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
		return -EINVAL;
	for (; *text; text++)
		value = value * 10 + (unsigned)(*text - '0');
	if (value == 0 || value > UINT16_MAX)
		return -EINVAL;
	*port_r = (uint16_t)value;
	return 0;
}

int address_split(const char *text, char host[static ADDRESS_HOST_SIZE],
	uint16_t *port_r, uint16_t port)
{
	const char *end, *rest;
	size_t n;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end)
			return -EINVAL;
		rest = end + 1;
	} else {
		end = strrchr(text, ':');
		/* Several colons without brackets: a bare IPv6 literal. */
		if (!end || strchr(text, ':') != end)
			end = text + strlen(text);
		rest = end;
	}
	n = (size_t)(end - text);
	if (n == 0 || n >= ADDRESS_HOST_SIZE)
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	/* A stray one would end an address that is written with brackets. */
	if (strpbrk(host, "[]"))
		return -EINVAL;
	if (*rest == ':')
		return parse_port(rest + 1, port_r);
	if (*rest || port == 0)
		return -EINVAL;
	*port_r = port;
	return 0;
}

void address_of_peer(struct address *a, int fd)
{
	a->size = sizeof(a->v6);
	if (getpeername(fd, &a->any, &a->size) < 0)
		a->size = 0;
}

void address_of_self(struct address *a, int fd)
{
	a->size = sizeof(a->v6);
	if (getsockname(fd, &a->any, &a->size) < 0)
		a->size = 0;
}

bool address_is_loopback(const struct address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
	return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool address_same_host(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

uint16_t address_port(const struct address *a)
{
	if (a->size == 0)
		return 0;
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port
						  : a->v4.sin_port);
}

void address_ip(const struct address *a, char text[static ADDRESS_TEXT_SIZE])
{
	const struct in6_addr *v6 = &a->v6.sin6_addr;

	text[0] = '\0';
	if (a->size == 0)
		return;
	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, text, ADDRESS_TEXT_SIZE);
	else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
		inet_ntop(AF_INET, &v6->s6_addr[12], text, ADDRESS_TEXT_SIZE);
	else if (a->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, v6, text, ADDRESS_TEXT_SIZE);
}

void address_text(const struct address *a, char text[static ADDRESS_TEXT_SIZE])
{
	char ip[ADDRESS_TEXT_SIZE];

	address_ip(a, ip);
	address_join(text, ADDRESS_TEXT_SIZE, ip, address_port(a));
}

void address_join(char *text, size_t size, const char *host, uint16_t port)
{
	const char *form = strchr(host, ':') ? "[%s]:%u" : "%s:%u";

	snprintf(text, size, form, host, port);
}

uint64_t address_network(const struct address *a)
{
	/* IPv4 addresses lie in ::ffff:0:0:0/96, where no network is. */
	const uint64_t v4 = UINT64_C(0x0000ffff00000000);
	const uint8_t *bytes;
	uint64_t n = 0;
	int from = 0, to = 8;

	if (a->size == 0)
		return ADDRESS_NO_NETWORK;
	if (a->any.sa_family == AF_INET)
		return v4 | ntohl(a->v4.sin_addr.s_addr);
	bytes = a->v6.sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		n = v4 >> 32;
		from = 12;
		to = 16;
	}
	for (int i = from; i < to; i++)
		n = n << 8 | bytes[i];
	return n;
}
