/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tickets: their bytes, keys and MACs. The known answers were computed apart,
 * with Python's hmac.
 */
// links: common/crypto/ticket.c common/crypto/base64.c
// libs: boringssl

#include "common/crypto/ticket.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct ticket known = { TICKET_TLS, 3, 0x010203, 0x0a0b0c0d,
	0x00ff, 0x11223344 };
static uint8_t bytes[TICKET_SIZE], binding[TICKET_BINDING_SIZE];
static struct session_key session;
static struct ticket_key key;

static void setup(void)
{
	for (int i = 0; i < SESSION_KEY_SIZE; i++)
		session.bytes[i] = (uint8_t)(0x40 + i);
	for (int i = 0; i < TICKET_BINDING_SIZE; i++)
		binding[i] = (uint8_t)(0x80 + i);
	ticket_write(bytes, &known);
	ticket_key_derive(&key, &session);
}

TestSuite(ticket, .init = setup);

static void expect_hex(const uint8_t *data, size_t n, const char *want)
{
	char have[65];

	for (size_t i = 0; i < n; i++)
		snprintf(have + 2 * i, 3, "%02x", data[i]);
	cr_assert_str_eq(have, want);
}

Test(ticket, layout)
{
	struct ticket back;

	expect_hex(bytes, sizeof(bytes), "7400030102030a0b0c0d00ff11223344");
	cr_assert(ticket_read(&back, bytes));
	cr_assert_eq(back.kind, known.kind);
	cr_assert_eq(back.worker, known.worker);
	cr_assert_eq(back.control, known.control);
	cr_assert_eq(back.control_generation, known.control_generation);
	cr_assert_eq(back.slot, known.slot);
	cr_assert_eq(back.slot_generation, known.slot_generation);
}

Test(ticket, kinds)
{
	struct ticket t;

	for (int kind = 0; kind < 256; kind++) {
		bytes[0] = (uint8_t)kind;
		cr_assert_eq(ticket_read(&t, bytes), kind == 't' || kind == 'p',
			"%d", kind);
	}
}

Test(ticket, known_answers)
{
	static const uint8_t bare[TICKET_BINDING_SIZE];
	uint8_t mac[TICKET_MAC_SIZE];

	expect_hex(key.bytes, sizeof(key.bytes),
		"59724f14eb24b236974bb711b9fad720"
		"25e330751786478dfaee7c5a6b783eb4");
	ticket_mac(mac, &key, bytes, binding);
	expect_hex(mac, sizeof(mac),
		"70626a693f2f44908222e2879632eb5d"
		"cc6adb29338326f48c6039fd4f7ea207");
	ticket_mac(mac, &key, bytes, bare);
	expect_hex(mac, sizeof(mac),
		"ae02e3f2d9843525b695c673544b235a"
		"0c9a3c9a6da764c7524bb4cfa2d34483");
}

/* Any other bit of MAC, ticket, binding or key, and it is refused. */
Test(ticket, verify)
{
	uint8_t mac[TICKET_MAC_SIZE];

	ticket_mac(mac, &key, bytes, binding);
	cr_assert(ticket_mac_verify(mac, &key, bytes, binding));
	for (int bit = 0; bit < 8 * TICKET_MAC_SIZE; bit++) {
		uint8_t flip = (uint8_t)(1 << bit % 8);

		mac[bit / 8] ^= flip;
		cr_assert_not(ticket_mac_verify(mac, &key, bytes, binding));
		mac[bit / 8] ^= flip;
		binding[bit / 8] ^= flip;
		cr_assert_not(ticket_mac_verify(mac, &key, bytes, binding));
		binding[bit / 8] ^= flip;
		key.bytes[bit / 8] ^= flip;
		cr_assert_not(ticket_mac_verify(mac, &key, bytes, binding));
		key.bytes[bit / 8] ^= flip;
		if (bit >= 8 * TICKET_SIZE)
			continue;
		bytes[bit / 8] ^= flip;
		cr_assert_not(ticket_mac_verify(mac, &key, bytes, binding));
		bytes[bit / 8] ^= flip;
	}
}

Test(ticket, wiping_forgets)
{
	static const struct session_key no_session;
	static const struct ticket_key no_key;

	session_key_wipe(&session);
	ticket_key_wipe(&key);
	cr_assert_eq(memcmp(&session, &no_session, sizeof(session)), 0);
	cr_assert_eq(memcmp(&key, &no_key, sizeof(key)), 0);
}
