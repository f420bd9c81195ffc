/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first words of a TLS client, as far as somebody who does not speak TLS
 * has to know them: for whom they are, which protocols and versions they
 * offer, whether they say that they have been here. Strict and bounded, over
 * bytes that the caller keeps and passes on untouched. Records may split the
 * message anywhere. Pure: no input or output. Sources: RFC 8446, sections
 * 4.1.2, 4.2.1 and 5.1; RFC 6066, section 3; RFC 7301, section 3.1; RFC 5077.
 *
 * What is not judged here is left to who answers: the versions, the suites,
 * and extensions that have no row (GREASE, padding, ECH, whatever comes).
 */

#ifndef ADIT_WIRE_CLIENT_HELLO_H
#define ADIT_WIRE_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

/* The longest message, its header of four bytes included. */
#define CLIENT_HELLO_MESSAGE_MAX 16384

/* The most bytes that it may take with the headers of its records. */
#define CLIENT_HELLO_MAX 32768

/* Bytes of a name with its NUL. */
#define CLIENT_HELLO_NAME_SIZE 254

/* The first byte of a record of the handshake. */
#define CLIENT_HELLO_FIRST 0x16

/* The byte that frp may put before a ClientHello. */
#define CLIENT_HELLO_MARK 0x17

enum client_hello_verdict {
	CLIENT_HELLO_PARTIAL,   /* nothing wrong so far, more is needed */
	CLIENT_HELLO_COMPLETE,  /* all of it is there */
	CLIENT_HELLO_NOT_TLS,   /* it does not begin as TLS does */
	CLIENT_HELLO_MALFORMED, /* it breaks a rule */
	CLIENT_HELLO_TOO_LONG,  /* one of the limits is passed */
};

enum client_hello_naming {
	CLIENT_HELLO_NAMELESS, /* no server_name was sent */
	CLIENT_HELLO_NAMED,
	CLIENT_HELLO_MISNAMED, /* what was sent is an address, or no name */
};

/* A place in the message, within a vector of it. */
struct client_hello_cursor {
	uint32_t at;     /* in the caller's bytes */
	uint32_t record; /* bytes left of the record */
	uint32_t vector; /* bytes left of the vector */
};

/* All zero: nothing has come yet. What it says counts when it is COMPLETE. */
struct client_hello {
	/* How far it has been read. */
	uint32_t record; /* where the next record begins */
	uint32_t have;   /* bytes of the message before that */
	uint8_t header[4];
	/* What it says. */
	uint8_t naming; /* enum client_hello_naming */
	bool tls13;     /* 1.3 is among the versions */
	bool resumes;   /* it offers a session that was (RFC 5077 or 8446) */
	struct client_hello_cursor protocols; /* at the first; empty: none */
	/*
	 * Lower-case letters, digits, `-`, `_` and `.`: labels of 1 to 63
	 * bytes, 253 in all, without the dot at its end, and no IPv4 address.
	 */
	char name[CLIENT_HELLO_NAME_SIZE];
};

/*
 * Look at the first `len` bytes of a connection: those of the call before, and
 * more behind them. Not to be called again after another verdict than PARTIAL,
 * and then `len` is below CLIENT_HELLO_MAX. What comes behind the message is
 * not looked at.
 */
enum client_hello_verdict client_hello_read(
	struct client_hello *h, const uint8_t *data, size_t len) must_check;

/* Whether a COMPLETE one, of those bytes, offers the protocol (ALPN). */
bool client_hello_offers(const struct client_hello *h, const uint8_t *data,
	const char *protocol) must_check;

/* A fatal alert, which refuses it (RFC 8446, section 6). */
#define CLIENT_HELLO_ALERT_SIZE 7

enum client_hello_alert {
	CLIENT_HELLO_DECODE_ERROR = 50,
	CLIENT_HELLO_UNRECOGNIZED_NAME = 112,
};

void client_hello_refuse(uint8_t out[static CLIENT_HELLO_ALERT_SIZE],
	enum client_hello_alert alert);

#endif
