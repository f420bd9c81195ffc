/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Socket addresses, IPv4 and IPv6, as values and as text.
 */

#ifndef ADIT_BASE_ADDRESS_H
#define ADIT_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* "[" IPv6 with scope "]:65535" and a NUL. */
#define ADDRESS_TEXT_SIZE 80

/* A host name (RFC 1035 section 2.3.4: 255 octets) and a NUL. */
#define ADDRESS_HOST_SIZE 256

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t size; /* 0: no address */
};

#define ADDRESS_LOCALHOST "localhost"

/*
 * What the name localhost stands for on every machine (RFC 6761 section 6.3),
 * whoever is asked for names: 127.0.0.1 and ::1. Their number, 0: it is not
 * `host`.
 */
int address_localhost(
	struct address a_r[static 2], const char *host, uint16_t port);

/* From an IP literal (no brackets, no name) and a port; -EINVAL otherwise. */
int address_parse(
	struct address *a_r, const char *ip, uint16_t port) must_check;

/*
 * Split "host:port", "[v6]:port" or, if `port` is not 0, a bare host, which
 * then has that port. A bare IPv6 literal needs brackets to carry a port.
 * -EINVAL for an empty host, one of 256 characters or more or with a bracket
 * in it, or no valid port.
 */
int address_split(const char *text, char host_r[static ADDRESS_HOST_SIZE],
	uint16_t *port_r, uint16_t port) must_check;

/* The other end, or our end, of a connected socket; size 0 when unknown. */
void address_of_peer(struct address *a_r, int fd);
void address_of_self(struct address *a_r, int fd);

/* 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct address *a);

uint16_t address_port(const struct address *a);

/* Whether both are of one host, whatever their ports. */
bool address_same_host(const struct address *a, const struct address *b);

/* Write the bare IP, an IPv4-mapped one as IPv4 ("" for no address). */
void address_ip(const struct address *a, char text[static ADDRESS_TEXT_SIZE]);

/* Write "ip:port", "[v6]:port". */
void address_text(const struct address *a, char text[static ADDRESS_TEXT_SIZE]);

/* Write "host:port" with brackets where the host has a colon. */
void address_join(char *text, size_t size, const char *host, uint16_t port);

/*
 * A number for all addresses that count as one client's: an IPv4 address, or
 * the /64 that an IPv6 one is in. No address has that of the discard prefix
 * 100::/64 (RFC 6666).
 */
#define ADDRESS_NO_NETWORK UINT64_C(0x0100000000000000)

uint64_t address_network(const struct address *a);

#endif
