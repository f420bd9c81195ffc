/* SPDX-License-Identifier: Apache-2.0 */

/* What admits a work connection: once, in time, on its own connection. */
// links: server/link/tickets.c common/crypto/ticket.c common/crypto/base64.c common/crypto/sealed_start.c
// libs: boringssl

#include "server/link/tickets.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct session_key secret = { { 1, 2, 3 } };
static const struct ref control = { 3, { 7, 9 } };
static const uint8_t here[TICKET_BINDING_SIZE] = { 1 };
static const uint8_t there[TICKET_BINDING_SIZE] = { 2 };

static struct tickets *t;
static struct ticket_key key;

static void begin(void)
{
	t = tickets_create(control, &secret);
	cr_assert_not_null(t);
	ticket_key_derive(&key, &secret);
}

static void end(void)
{
	tickets_destroy(&t);
	cr_assert_null(t);
}

TestSuite(tickets, .init = begin, .fini = end);

static const uint8_t nowhere[TICKET_BINDING_SIZE];

/* On a connection of that binding; `nowhere`: one without TLS. */
static const char *redeem_with(int64_t now, const uint8_t *ticket,
	const uint8_t *mac, const uint8_t *on)
{
	struct redemption r = { .plain = on == nowhere };

	memcpy(r.ticket, ticket, sizeof(r.ticket));
	memcpy(r.mac, mac, sizeof(r.mac));
	memcpy(r.binding, on, sizeof(r.binding));
	return tickets_redeem(t, now, &r);
}

static const char *redeem(int64_t now, const uint8_t *ticket, const uint8_t *on,
	const uint8_t *proven_for)
{
	uint8_t mac[TICKET_MAC_SIZE];

	ticket_mac(mac, &key, ticket, proven_for);
	return redeem_with(now, ticket, mac, on);
}

Test(tickets, once)
{
	uint8_t a[TICKET_SIZE], b[TICKET_SIZE];

	cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	cr_assert(tickets_issue(t, TICKET_TLS, 1, b));
	cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
	cr_assert_null(redeem(2, b, here, here));
	cr_assert_str_eq(
		redeem(2, b, here, here), "the ticket was used already");
	cr_assert_null(redeem(2, a, there, there));
}

Test(tickets, in_time)
{
	uint8_t a[TICKET_SIZE];

	cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	cr_assert_str_eq(redeem(1 + TICKETS_TIME, a, here, here),
		"the ticket is too old");
	cr_assert_null(redeem(TICKETS_TIME, a, here, here));
}

Test(tickets, a_bad_proof_uses_nothing)
{
	uint8_t a[TICKET_SIZE], mac[TICKET_MAC_SIZE] = { 0 };

	cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	cr_assert_str_eq(
		redeem_with(2, a, mac, here), "the ticket's proof is wrong");
	cr_assert_str_eq(
		redeem(2, a, there, here), "the ticket's proof is wrong");
	cr_assert_null(redeem(2, a, here, here));
}

Test(tickets, of_another_kind)
{
	static const char other[] =
		"the ticket is for another kind of connection";
	uint8_t a[TICKET_SIZE], p[TICKET_SIZE], turned[TICKET_SIZE];

	cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	cr_assert(tickets_issue(t, TICKET_PLAIN, 1, p));
	cr_assert_str_eq(redeem(2, a, nowhere, nowhere), other);
	cr_assert_str_eq(redeem(2, p, here, here), other);
	/* Nor does it help to say that it is one. */
	memcpy(turned, a, sizeof(turned));
	turned[0] = TICKET_PLAIN;
	cr_assert_str_eq(redeem(2, turned, nowhere, nowhere), other);
	cr_assert_null(redeem(2, a, here, here));
	cr_assert_null(redeem(2, p, nowhere, nowhere));
}

Test(tickets, starts_have_a_key_each)
{
	uint8_t a[TICKET_SIZE], b[TICKET_SIZE];
	struct start_key of_a, of_b, expected;

	cr_assert(tickets_issue(t, TICKET_PLAIN, 1, a));
	cr_assert(tickets_issue(t, TICKET_PLAIN, 1, b));
	tickets_start_key(t, a, &of_a);
	tickets_start_key(t, b, &of_b);
	start_key_derive(&expected, &secret, a);
	cr_assert_eq(memcmp(&of_a, &expected, sizeof(of_a)), 0);
	cr_assert_neq(memcmp(&of_a, &of_b, sizeof(of_a)), 0);
}

Test(tickets, of_another_control)
{
	struct ref others[] = { { 2, control.handle },
		{ control.worker, { 7, 10 } }, { control.worker, { 8, 9 } } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct tickets *other = tickets_create(others[i], &secret);
		uint8_t a[TICKET_SIZE];

		cr_assert(tickets_issue(other, TICKET_TLS, 1, a));
		cr_assert_str_eq(redeem(2, a, here, here),
			"the ticket is of another client");
		tickets_destroy(&other);
	}
}

Test(tickets, forged)
{
	uint8_t a[TICKET_SIZE], mac[TICKET_MAC_SIZE] = { 0 };

	cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	for (size_t i = 0; i < 256 * sizeof(a); i++) {
		uint8_t forged[TICKET_SIZE];

		memcpy(forged, a, sizeof(a));
		forged[i / 256] = (uint8_t)i;
		if (memcmp(forged, a, sizeof(a)) != 0)
			cr_assert_not_null(redeem(2, forged, here, here));
		cr_assert_not_null(redeem_with(2, forged, mac, here));
	}
	cr_assert_null(redeem(2, a, here, here));
}

/* A place that is given again is another one's. */
Test(tickets, of_a_place_that_was_given_again)
{
	uint8_t old[TICKET_SIZE], a[TICKET_SIZE];

	cr_assert(tickets_issue(t, TICKET_TLS, 1, old));
	cr_assert_null(redeem(2, old, here, here));
	for (int i = 0; i < TICKETS_MAX; i++)
		cr_assert(tickets_issue(t, TICKET_TLS, 2, a));
	cr_assert_str_eq(
		redeem(2, old, here, here), "the ticket was used already");
	cr_assert_null(redeem(2, a, here, here));
}

Test(tickets, no_more_than_may_be_out)
{
	uint8_t a[TICKET_SIZE];

	for (int i = 0; i < TICKETS_MAX; i++)
		cr_assert(tickets_issue(t, TICKET_TLS, 1, a));
	cr_assert_not(tickets_issue(t, TICKET_TLS, 2, a));
	cr_assert_null(redeem(2, a, here, here));
	cr_assert(tickets_issue(t, TICKET_TLS, 2, a));
	cr_assert_not(tickets_issue(t, TICKET_TLS, 2, a));
	/* Those that are late make room. */
	cr_assert(tickets_issue(t, TICKET_TLS, 1 + TICKETS_TIME, a));
}
