/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The framing of a work connection that carries visitors one after another
 * (capability `reuse`; README.md has the rules). A frame is a header of
 * CARRY_HEADER bytes, the type and the length of what follows, 24 bits, most
 * significant first. Pure: no input or output.
 */

#ifndef ADIT_WIRE_CARRY_H
#define ADIT_WIRE_CARRY_H

#include <stdint.h>

#include "common/base/compiler.h"

#define CARRY_HEADER 4

/* Bytes in a frame at most, and in CARRY_START, which is one frp message. */
#define CARRY_DATA_MAX 0xffffff
#define CARRY_START_MAX 10249

enum carry_type {
	CARRY_START = 1, /* a visitor begins: its StartWorkConn */
	CARRY_DATA,      /* its bytes */
	CARRY_END,       /* no more of them in this direction */
	CARRY_ABORT,     /* the same, and it is a cut */
	CARRY_TYPES
};

/* What may come in one direction. */
enum carry_state {
	CARRY_READY,  /* START */
	CARRY_OPEN,   /* DATA, END or ABORT */
	CARRY_CLOSED, /* nothing, until the visitor is done both ways */
	CARRY_STATES,
	CARRY_BAD = CARRY_STATES, /* what has come breaks the rules */
};

struct carry_frame {
	enum carry_type type;
	uint32_t length; /* of what follows the header */
};

void carry_encode(
	uint8_t out[static CARRY_HEADER], const struct carry_frame *f);

/* 0, or -EPROTO: no such type, or not with that length. */
int carry_decode(struct carry_frame *f,
	const uint8_t in[static CARRY_HEADER]) must_check;

/* The state of a direction after such a frame; CARRY_BAD: it must not come. */
enum carry_state carry_next(enum carry_state s, enum carry_type t) must_check;

#endif
