/* SPDX-License-Identifier: Apache-2.0 */

#include "common/crypto/ticket.h"

#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <string.h>

#include "common/crypto/base64.h"

/* The labels stand before all else that a key is used on. */
#define KEY_LABEL "adit ticket v1"
#define MAC_LABEL "adit work v1"

static uint8_t *put(uint8_t *to, uint32_t value, int bytes)
{
	while (bytes-- > 0)
		*to++ = (uint8_t)(value >> 8 * bytes);
	return to;
}

static const uint8_t *get(const uint8_t *from, uint32_t *value_r, int bytes)
{
	*value_r = 0;
	while (bytes-- > 0)
		*value_r = *value_r << 8 | *from++;
	return from;
}

void ticket_write(uint8_t bytes[static TICKET_SIZE], const struct ticket *t)
{
	bytes = put(bytes, t->kind, 1);
	bytes = put(bytes, t->worker, 2);
	bytes = put(bytes, t->control, 3);
	bytes = put(bytes, t->control_generation, 4);
	bytes = put(bytes, t->slot, 2);
	put(bytes, t->slot_generation, 4);
}

bool ticket_read(struct ticket *t_r, const uint8_t bytes[static TICKET_SIZE])
{
	uint32_t kind, worker, slot;

	bytes = get(bytes, &kind, 1);
	bytes = get(bytes, &worker, 2);
	bytes = get(bytes, &t_r->control, 3);
	bytes = get(bytes, &t_r->control_generation, 4);
	bytes = get(bytes, &slot, 2);
	get(bytes, &t_r->slot_generation, 4);
	t_r->kind = (uint8_t)kind;
	t_r->worker = (uint16_t)worker;
	t_r->slot = (uint16_t)slot;
	return kind == TICKET_TLS || kind == TICKET_PLAIN;
}

void ticket_key_derive(struct ticket_key *key, const struct session_key *k)
{
	/* Fails without memory only; there is nothing to go on with then. */
	if (!HKDF_expand(key->bytes, sizeof(key->bytes), EVP_sha256(), k->bytes,
		    sizeof(k->bytes), (const uint8_t *)KEY_LABEL,
		    strlen(KEY_LABEL)))
		never_reached();
}

void ticket_mac(uint8_t mac[static TICKET_MAC_SIZE],
	const struct ticket_key *key, const uint8_t ticket[static TICKET_SIZE],
	const uint8_t binding[static TICKET_BINDING_SIZE])
{
	/* The label with its NUL. */
	uint8_t text[sizeof(MAC_LABEL) + TICKET_SIZE + TICKET_BINDING_SIZE];
	uint8_t *to = text;
	unsigned size;

	memcpy(to, MAC_LABEL, sizeof(MAC_LABEL));
	to += sizeof(MAC_LABEL);
	memcpy(to, ticket, TICKET_SIZE);
	to += TICKET_SIZE;
	memcpy(to, binding, TICKET_BINDING_SIZE);
	if (!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), text,
		    sizeof(text), mac, &size))
		never_reached();
}

bool ticket_mac_verify(const uint8_t mac[static TICKET_MAC_SIZE],
	const struct ticket_key *key, const uint8_t ticket[static TICKET_SIZE],
	const uint8_t binding[static TICKET_BINDING_SIZE])
{
	uint8_t right[TICKET_MAC_SIZE];
	bool same;

	ticket_mac(right, key, ticket, binding);
	same = CRYPTO_memcmp(mac, right, sizeof(right)) == 0;
	OPENSSL_cleanse(right, sizeof(right));
	return same;
}

void session_key_wipe(struct session_key *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

void ticket_key_wipe(struct ticket_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

void ticket_text_write(
	char text[static TICKET_TEXT], const uint8_t ticket[static TICKET_SIZE])
{
	base64url_encode(text, ticket, TICKET_SIZE);
}

bool ticket_text_read(uint8_t ticket[static TICKET_SIZE], const char *text)
{
	return strlen(text) == TICKET_TEXT - 1 &&
	       base64url_decode(ticket, text, TICKET_TEXT - 1) == TICKET_SIZE;
}

void ticket_mac_write(char text[static TICKET_MAC_TEXT],
	const uint8_t mac[static TICKET_MAC_SIZE])
{
	base64url_encode(text, mac, TICKET_MAC_SIZE);
}

bool ticket_mac_read(uint8_t mac[static TICKET_MAC_SIZE], const char *text)
{
	return strlen(text) == TICKET_MAC_TEXT - 1 &&
	       base64url_decode(mac, text, TICKET_MAC_TEXT - 1) ==
		       TICKET_MAC_SIZE;
}
