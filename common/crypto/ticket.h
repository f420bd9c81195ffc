/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A ticket admits one work connection: it names the slot of a control in which
 * the server waits for it. It is no secret and opaque to the client, which
 * returns it with a MAC under the control's ticket key, bound to the TLS
 * connection that it comes on. Used once: a slot's generation moves on.
 */

#ifndef ADIT_CRYPTO_TICKET_H
#define ADIT_CRYPTO_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"

#define TICKET_SIZE 16
#define TICKET_MAC_SIZE 32
/* What the exporter of RFC 9266 gives; all zero on a connection without TLS. */
#define TICKET_BINDING_SIZE 32

/* What a control's session exports from its TLS connection. */
#define SESSION_KEY_SIZE 32

struct session_key {
	uint8_t bytes[SESSION_KEY_SIZE];
};

/* The key of its tickets. */
struct ticket_key {
	uint8_t bytes[32];
};

enum ticket_kind {
	TICKET_TLS = 't',
	TICKET_PLAIN = 'p',
};

struct ticket {
	uint8_t kind;                /* enum ticket_kind */
	uint16_t worker;             /* the control's */
	uint32_t control;            /* its index, of 24 bits */
	uint32_t control_generation; /* with that a handle */
	uint16_t slot;
	uint32_t slot_generation;
};

/*
 * As bytes, big-endian, in the order of the struct, and back. False: the bytes
 * are no ticket. What can be read may still name nothing.
 */
void ticket_write(uint8_t bytes[static TICKET_SIZE], const struct ticket *t);
bool ticket_read(
	struct ticket *t_r, const uint8_t bytes[static TICKET_SIZE]) must_check;

void ticket_key_derive(struct ticket_key *key, const struct session_key *k);

/* HMAC-SHA256 over the ticket and the binding. */
void ticket_mac(uint8_t mac[static TICKET_MAC_SIZE],
	const struct ticket_key *key, const uint8_t ticket[static TICKET_SIZE],
	const uint8_t binding[static TICKET_BINDING_SIZE]);

/* Whether `mac` is that; as long for a wrong one as for the right. */
bool ticket_mac_verify(const uint8_t mac[static TICKET_MAC_SIZE],
	const struct ticket_key *key, const uint8_t ticket[static TICKET_SIZE],
	const uint8_t binding[static TICKET_BINDING_SIZE]) must_check;

/* Ticket and MAC as base64url, with a NUL, and back. */
#define TICKET_TEXT 23
#define TICKET_MAC_TEXT 44

void ticket_text_write(char text[static TICKET_TEXT],
	const uint8_t ticket[static TICKET_SIZE]);
bool ticket_text_read(
	uint8_t ticket[static TICKET_SIZE], const char *text) must_check;
void ticket_mac_write(char text[static TICKET_MAC_TEXT],
	const uint8_t mac[static TICKET_MAC_SIZE]);
bool ticket_mac_read(
	uint8_t mac[static TICKET_MAC_SIZE], const char *text) must_check;

/* What both ends export the session key by, with the run id as context. */
#define SESSION_KEY_LABEL "EXPERIMENTAL adit session v1"

/* Forget the keys. */
void session_key_wipe(struct session_key *k);
void ticket_key_wipe(struct ticket_key *key);

#endif
