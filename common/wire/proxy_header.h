/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The header of the PROXY protocol, which tells a service from where to where
 * its connection really is, before the first byte of it. Source: HAProxy's
 * proxy-protocol.txt, sections 2.1 and 2.2. Pure: no input or output.
 */

#ifndef ADIT_WIRE_PROXY_HEADER_H
#define ADIT_WIRE_PROXY_HEADER_H

#include <stdint.h>

#include "common/base/address.h"

/* The longest line of version 1; version 2 is shorter. */
#define PROXY_HEADER_MAX 107

enum proxy_header {
	PROXY_HEADER_NONE, /* none is sent */
	PROXY_HEADER_V1,   /* text */
	PROXY_HEADER_V2,   /* binary */
	PROXY_HEADERS,
	PROXY_HEADER_UNKNOWN = PROXY_HEADERS,
};

/* What "", "v1" and "v2" stand for; UNKNOWN: another text. */
enum proxy_header proxy_header_of(const char *text) must_check;

/*
 * Write the header of version 1 or 2; how many bytes it is. Two addresses that
 * are not of one family, or no address, are told as unknown.
 */
size_t proxy_header_write(uint8_t out[static PROXY_HEADER_MAX],
	enum proxy_header version, const struct address *from,
	const struct address *to) must_check;

#endif
