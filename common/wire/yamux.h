/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The framing of yamux, as frp uses it (README.md has the rules): a header of
 * YAMUX_HEADER bytes, big-endian, and after that of YAMUX_DATA a payload of
 * `length` bytes. Pure: no input or output.
 */

#ifndef ADIT_WIRE_YAMUX_H
#define ADIT_WIRE_YAMUX_H

#include <stdint.h>

#include "common/base/compiler.h"

#define YAMUX_HEADER 12

/* What each end may send on a new stream, before it is granted more. */
#define YAMUX_WINDOW 0x40000

/* What frp grants, and how it says so with its SYN or ACK. */
#define YAMUX_WINDOW_MAX 0x600000
#define YAMUX_FIRST_DELTA (YAMUX_WINDOW_MAX - YAMUX_WINDOW)

/* Streams that one end has opened and the other has not accepted, at most. */
#define YAMUX_BACKLOG 256

enum yamux_type {
	YAMUX_DATA,
	YAMUX_CREDIT,  /* a window update: length more bytes may be sent */
	YAMUX_PING,    /* SYN: a question; else: its answer, length as there */
	YAMUX_GO_AWAY, /* length: enum yamux_goodbye */
	YAMUX_TYPES
};

enum yamux_flag {
	YAMUX_SYN = 1, /* the stream begins */
	YAMUX_ACK = 2, /* it was accepted */
	YAMUX_FIN = 4, /* no more data in this direction */
	YAMUX_RST = 8, /* the stream is cut */
};

enum yamux_goodbye {
	YAMUX_BYE_NORMAL,
	YAMUX_BYE_PROTOCOL, /* the other end broke the rules */
	YAMUX_BYE_INTERNAL,
};

struct yamux_frame {
	uint8_t type;    /* enum yamux_type */
	uint16_t flags;  /* of enum yamux_flag; others mean nothing */
	uint32_t id;     /* the stream's; 0: the session's */
	uint32_t length; /* its meaning depends on the type */
};

void yamux_encode(
	uint8_t out[static YAMUX_HEADER], const struct yamux_frame *f);

/* 0, or -EPROTO: another version, or no such type. */
int yamux_decode(struct yamux_frame *f,
	const uint8_t in[static YAMUX_HEADER]) must_check;

/* Where one direction of a session stands; all zero is its beginning. */
struct yamux_parser {
	uint32_t left; /* bytes of payload to come */
	uint8_t have;  /* bytes in head */
	uint8_t head[YAMUX_HEADER];
};

enum yamux_step {
	YAMUX_MORE,    /* all were taken; a header is incomplete */
	YAMUX_FRAME,   /* a header is complete and in *f */
	YAMUX_PAYLOAD, /* they are payload of the last frame */
};

/*
 * What the first of the *n bytes are; *n becomes how many were taken. After
 * -EPROTO (yamux_decode) the direction is of no use.
 */
int yamux_parse(struct yamux_parser *p, const uint8_t *in, uint32_t *n,
	struct yamux_frame *f) must_check;

#endif
