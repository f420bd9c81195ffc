/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/registration.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void registration_set_state(struct registration *r, enum entry_state state)
{
	assert(state > r->state);
	r->state = (uint8_t)state;
}

const char *registration_port(char text[static 8], uint16_t port)
{
	snprintf(text, 8, "%u", port);
	return text;
}

/* A place as one word: neither a host nor a user has a line's end in it. */
#define PLACE_KEY_SIZE (256 + CLAIM_USER_MAX + CLAIM_LOCATION_MAX + 3)

static const char *place_name(char text[static PLACE_KEY_SIZE],
	const struct claim *c, const struct claim_place *p)
{
	snprintf(text, PLACE_KEY_SIZE, "%s\n%s\n%s", p->host,
		claim_term(c, TERM_USER), p->location);
	return text;
}

/* One host may have an http proxy and an https one. */
static enum name_kind place_kind(const struct claim *c)
{
	return c->kind == CLAIM_HTTPS ? NAME_OF_TLS_PLACE : NAME_OF_PLACE;
}

/* A control is known by its run id and perhaps its client id; no proxy is. */
static const char *client_of(const struct claim *c)
{
	return c->kind == CLAIM_CONTROL ? claim_term(c, TERM_CLIENT) : "";
}

static bool enter_client(struct names *n, struct registration *r)
{
	const char *client = client_of(r->claim);

	/* Where the users have changed, one of another record may go yet. */
	return !*client || names_find(n, NAME_OF_CLIENT, client) ||
	       names_add(n, NAME_OF_CLIENT, client, r);
}

#define GROUP_KEY_SIZE (REGISTRY_ERROR_SIZE + CLAIM_GROUP_MAX + 2)

/*
 * A user's groups are the user's own: with the name that its proxies' begin
 * with. Those of auth.token's clients are in common, as in frp. "": none, and
 * no control has one, whose terms are others.
 */
static const char *group_name(
	char text[static GROUP_KEY_SIZE], const struct claim *c)
{
	const char *group = claim_term(c, TERM_GROUP), *name = claim_name(c);
	int n = c->load ? (int)strcspn(name, ".") : 0;

	*text = '\0';
	if (*group && c->kind != CLAIM_CONTROL)
		snprintf(text, GROUP_KEY_SIZE, "%.*s\n%s", n, name, group);
	return text;
}

/* Beside those that are in its group, if any. */
static bool join_group(struct names *n, struct registration *r)
{
	char group[GROUP_KEY_SIZE];
	struct registration *peer;

	if (!*group_name(group, r->claim))
		return true;
	peer = names_find(n, NAME_OF_GROUP, group);
	if (!peer)
		return names_add(n, NAME_OF_GROUP, group, r);
	list_append(&peer->peers, &r->peers);
	return true;
}

bool registration_enter(struct grants *g, struct registration *r)
{
	struct names *n = &g->names;
	const struct claim *c = r->claim;
	struct claim_place at = { 0 };
	char port[8], place[PLACE_KEY_SIZE];
	bool ok = names_add(n,
		c->kind == CLAIM_CONTROL ? NAME_OF_CONTROL : NAME_OF_PROXY,
		claim_name(c), r);

	r->tenured = ok && tenures_enter(&g->tenures, c);
	ok = r->tenured && enter_client(n, r) && join_group(n, r);
	while (ok && claim_next_place(c, &at)) {
		/* It is its own when a host is named twice, or its group's. */
		place_name(place, c, &at);
		ok = names_find(n, place_kind(c), place) ||
		     names_add(n, place_kind(c), place, r);
	}
	if (ok && r->port)
		ok = names_add(
			n, NAME_OF_PORT, registration_port(port, r->port), r);
	return ok;
}

/* One that stays in its group has what the group has. */
static void leave_key(struct names *n, enum name_kind kind, const char *text,
	struct registration *r)
{
	if (list_empty(&r->peers))
		names_drop(n, kind, text, r);
	else
		names_hand(n, kind, text, r,
			container_of(
				r->peers.next, struct registration, peers));
}

void registration_withdraw(struct grants *g, struct registration *r)
{
	registration_set_state(r, ENTRY_WITHDRAWING);
	if (r->tenured)
		tenures_end_soon(&g->tenures, r->claim);
}

void registration_leave(struct grants *g, struct registration *r)
{
	struct names *n = &g->names;
	const struct claim *c = r->claim;
	struct claim_place at = { 0 };
	char port[8], place[PLACE_KEY_SIZE], group[GROUP_KEY_SIZE];

	names_drop(n,
		c->kind == CLAIM_CONTROL ? NAME_OF_CONTROL : NAME_OF_PROXY,
		claim_name(c), r);
	names_drop(n, NAME_OF_CLIENT, client_of(c), r);
	while (claim_next_place(c, &at))
		leave_key(n, place_kind(c), place_name(place, c, &at), r);
	leave_key(n, NAME_OF_GROUP, group_name(group, c), r);
	if (r->tenured)
		tenures_leave(&g->tenures, c);
	list_remove(&r->peers);
	if (r->port)
		names_drop(
			n, NAME_OF_PORT, registration_port(port, r->port), r);
}

enum verdict registration_look(
	const struct names *n, enum name_kind kind, const char *name)
{
	const struct registration *r = names_find(n, kind, name);

	if (!r)
		return VERDICT_FREE;
	return r->state == ENTRY_WITHDRAWING ? VERDICT_WAIT : VERDICT_TAKEN;
}

static enum verdict say_taken(
	char error[static REGISTRY_ERROR_SIZE], const char *why)
{
	snprintf(error, REGISTRY_ERROR_SIZE, "%s", why);
	return VERDICT_TAKEN;
}

/* Those of a group say the same of what they share. */
static bool same_place(const struct claim *c, const struct claim *of)
{
	struct claim_place a = { 0 }, b = { 0 };

	return claim_next_place(c, &a) && claim_next_place(of, &b) &&
	       !strcmp(a.host, b.host) && !strcmp(a.location, b.location) &&
	       !strcmp(claim_term(c, TERM_USER), claim_term(of, TERM_USER));
}

/* Beside one that has the group's name; the last one leaves all of it. */
static enum verdict look_at_group(const struct claim *c,
	const struct registration *peer, char error[static REGISTRY_ERROR_SIZE])
{
	bool trusted = !strcmp(claim_term(c, TERM_GROUP_KEY),
		claim_term(peer->claim, TERM_GROUP_KEY));

	if (trusted && same_place(c, peer->claim))
		return VERDICT_FREE;
	if (peer->state == ENTRY_WITHDRAWING && list_empty(&peer->peers))
		return VERDICT_WAIT;
	return say_taken(
		error, trusted ? "group params invalid" : "group auth failed");
}

static enum verdict look_at_places(const struct names *n, const struct claim *c,
	char error[static REGISTRY_ERROR_SIZE])
{
	enum verdict v, worst = VERDICT_FREE;
	struct claim_place at = { 0 };
	char place[PLACE_KEY_SIZE], group[GROUP_KEY_SIZE];
	const struct registration *peer =
		names_find(n, NAME_OF_GROUP, group_name(group, c));

	if (peer)
		return look_at_group(c, peer, error);
	while (claim_next_place(c, &at)) {
		v = registration_look(
			n, place_kind(c), place_name(place, c, &at));
		if (v == VERDICT_TAKEN)
			return say_taken(error, "router config conflict");
		if (v > worst)
			worst = v;
	}
	return worst;
}

static enum verdict look_at_hosts(const struct tenures *t,
	const struct claim *c, char error[static REGISTRY_ERROR_SIZE])
{
	const char *host;
	enum verdict v = tenures_look(t, c, &host);

	if (v == VERDICT_TAKEN)
		snprintf(error, REGISTRY_ERROR_SIZE,
			"domain [%.256s] is in use by another user", host);
	return v;
}

static enum verdict worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

enum verdict registration_look_at_proxy(const struct grants *g,
	const struct claim *c, char error[static REGISTRY_ERROR_SIZE])
{
	const struct names *n = &g->names;
	enum verdict v = registration_look(n, NAME_OF_PROXY, claim_name(c));

	if (v == VERDICT_TAKEN) {
		snprintf(error, REGISTRY_ERROR_SIZE,
			"proxy [%.256s] already exists", claim_name(c));
		return v;
	}
	v = worse(v, look_at_hosts(&g->tenures, c, error));
	return v == VERDICT_TAKEN ? v : worse(v, look_at_places(n, c, error));
}
