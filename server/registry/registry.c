/* SPDX-License-Identifier: Apache-2.0 */

/* Claims in the order they come, and the ones that wait. */

#include "server/registry/registry_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/upgrade/arrival.h"
#include "server/control/control.h"
#include "server/registry/listing.h"
#include "server/registry/port.h"
#include "server/control/proxy.h"
#include "server/registry/publication.h"
#include "server/registry/registration.h"
#include "server/server.h"
#include "server/upgrade/spare.h"

/* A claim that waits for a withdrawal. */
struct pending {
	struct list link;
	struct claim *claim;
};

/* What comes from an owner. */
struct claim_letter {
	struct letter letter;
	struct claim *claim; /* owned */
};

struct release_letter {
	struct letter letter;
	struct handle entry;
	bool cut;
};

static void decide(struct registry *reg, struct claim *c);

int registry_create(struct registry **r_r, struct worker *w)
{
	const struct settings *s = w->server->settings;
	struct registry *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return -ENOMEM;
	reg->worker = w;
	reg->replays.file = &w->server->seen;
	list_init(&reg->pending);
	room_init(&reg->room);
	/* Those that are being withdrawn count as well: twice is plenty. */
	reg->registrations = pool_create(sizeof(struct registration),
		2 * (uint32_t)(s->max_controls + s->max_proxies));
	if (!reg->registrations) {
		free(reg);
		return -ENOMEM;
	}
	*r_r = reg;
	return 0;
}

static void forget_claim(void *object)
{
	claim_free(((struct registration *)object)->claim);
}

void registry_destroy(struct registry **rp)
{
	struct registry *reg = *rp;

	if (!reg)
		return;
	*rp = NULL;
	list_each_safe (l, &reg->pending) {
		struct pending *p = container_of(l, struct pending, link);

		claim_free(p->claim);
		free(p);
	}
	names_clear(&reg->grants.names);
	tenures_clear(&reg->grants.tenures);
	port_memory_clear(&reg->ports);
	replays_clear(&reg->replays);
	takeovers_clear(&reg->takeovers);
	pool_each(reg->registrations, forget_claim);
	pool_destroy(&reg->registrations);
	free(reg);
}

/* --- decisions --- */

/* Tell the owner of a claim: an error, or success with the registration. */
static void answer(struct registry *reg, const struct claim *c,
	struct registration *r, const char *error)
{
	struct decision *d = letter_new(sizeof(*d));

	d->owner = c->owner;
	d->again = c->again;
	if (r) {
		d->entry = pool_handle(r);
		d->port = r->port;
	}
	snprintf(d->error, sizeof(d->error), "%s", error);
	worker_post(reg->worker, c->owner.worker, &d->letter,
		c->kind == CLAIM_CONTROL ? control_decided : proxy_decided);
}

void registry_settle(struct registry *reg, struct claim *c,
	struct registration *r, const char *error)
{
	answer(reg, c, r, error);
	claim_free(c);
}

void registry_go_on(struct registry *reg)
{
	struct list waiting;

	list_init(&waiting);
	reg->room.waiting = 0;
	while (!list_empty(&reg->pending)) {
		struct list *l = reg->pending.next;

		list_remove(l);
		list_append(&waiting, l);
	}
	list_each_safe (l, &waiting) {
		struct pending *p = container_of(l, struct pending, link);
		struct claim *c = p->claim;

		list_remove(l);
		free(p);
		decide(reg, c);
	}
}

bool registry_is_still(const struct registry *reg)
{
	return reg->moving == 0;
}

/* Nothing refers to it any more: who waited for its names tries again. */
static void bury(struct registry *reg, struct registration *r)
{
	registration_leave(&reg->grants, r);
	if (r->claim->kind == CLAIM_CONTROL)
		room_leave(&reg->room, r);
	else
		reg->proxies--;
	claim_free(r->claim);
	pool_give(reg->registrations, r);
	registry_go_on(reg);
}

static void withdraw_done(struct mailbox *m, struct letter *letter);

static void withdraw(struct registry *reg, struct registration *r, bool cut)
{
	uint32_t n = reg->worker->server->worker_count;

	registration_withdraw(&reg->grants, r);
	r->missing = n;
	reg->moving++;
	for (uint32_t i = 0; i < n; i++)
		publication_withdraw(
			reg->worker, i, pool_handle(r), cut, withdraw_done);
}

static struct registration *find_done(
	struct registry *reg, const struct publication_done *d)
{
	struct registration *r = pool_find(reg->registrations, d->entry);

	assert(r && r->missing > 0);
	r->missing--;
	r->failed |= d->failed;
	if (r->missing > 0)
		return NULL;
	reg->moving--;
	return r;
}

static struct registry *registry_of(struct mailbox *m)
{
	return worker_of_mailbox(m)->server->registry;
}

static void withdraw_done(struct mailbox *m, struct letter *letter)
{
	struct registry *reg = registry_of(m);
	struct registration *r =
		find_done(reg, (struct publication_done *)letter);

	if (r)
		bury(reg, r);
}

static void publish_done(struct mailbox *m, struct letter *letter)
{
	struct registry *reg = registry_of(m);
	struct registration *r =
		find_done(reg, (struct publication_done *)letter);

	if (!r)
		return;
	if (r->failed) {
		answer(reg, r->claim, NULL, "no memory");
		withdraw(reg, r, false);
		return;
	}
	registration_set_state(r, ENTRY_PUBLISHED);
	if (r->port) {
		port_remember(&reg->ports, claim_name(r->claim), r->port,
			registry_now(reg));
		publication_open(reg->worker, pool_handle(r));
	}
	if (r->claim->kind != CLAIM_CONTROL)
		arrival_note(reg->worker, claim_name(r->claim),
			publication_settles(r->claim));
	answer(reg, r->claim, r, "");
}

/* Tell every worker; `fds` are theirs, or NULL. */
static void publish(struct registry *reg, struct registration *r, int *fds)
{
	uint32_t n = reg->worker->server->worker_count;

	r->missing = n;
	reg->moving++;
	for (uint32_t i = 0; i < n; i++)
		publication_send(reg->worker, i, pool_handle(r),
			claim_copy(r->claim), fds ? fds[i] : -1, r->port,
			publish_done);
}

static struct port_request port_request(
	struct registry *reg, const struct claim *c)
{
	return (struct port_request){ .worker = reg->worker,
		.names = &reg->grants.names,
		.memory = &reg->ports,
		.claim = c };
}

/* Every key is free: make them the claim's, and publish it. */
static void grant(struct registry *reg, struct claim *c)
{
	int fds[SETTINGS_WORKERS_MAX];
	struct registration *r = pool_take(reg->registrations);
	bool full = c->kind != CLAIM_CONTROL &&
		    reg->proxies >= reg->worker->settings->max_proxies;
	const char *error = r && !full ? NULL : "too many proxies";
	const struct port_request port = port_request(reg, c);
	bool tcp = c->kind == CLAIM_TCP;

	if (!error && tcp)
		error = port_open(&port, fds, &r->port);
	if (error) {
		if (r)
			pool_give(reg->registrations, r);
		registry_settle(reg, c, NULL, error);
		return;
	}
	r->claim = c;
	list_init(&r->peers);
	if (c->kind == CLAIM_CONTROL)
		room_enter(&reg->room, r);
	else
		reg->proxies++;
	/* Without memory for a key the claim fails once it is published. */
	r->failed = !registration_enter(&reg->grants, r);
	publish(reg, r, tcp ? fds : NULL);
	if (tcp)
		spare_send_port(reg->worker->server, r->port);
}

/* Another aditd takes over: it is asked for proxies that are not there yet. */
static bool is_held(const struct registry *reg, const struct claim *c)
{
	if (c->kind == CLAIM_CONTROL && yielding_has_left(reg->worker))
		return false;
	return yielding_holds(reg->worker);
}

static enum verdict look(struct registry *reg, struct claim *c,
	char error[static REGISTRY_ERROR_SIZE])
{
	const struct port_request port = port_request(reg, c);
	enum verdict v;

	if (is_held(reg, c))
		return VERDICT_WAIT;
	if (c->kind == CLAIM_CONTROL)
		return registry_look_at_control(reg, c, error);
	v = registration_look_at_proxy(&reg->grants, c, error);
	if (v == VERDICT_FREE && c->kind == CLAIM_TCP && port_is_leaving(&port))
		return VERDICT_WAIT;
	return v;
}

static void decide(struct registry *reg, struct claim *c)
{
	char error[REGISTRY_ERROR_SIZE] = "";
	enum verdict v = look(reg, c, error);
	struct pending *p;

	switch (v) {
	case VERDICT_FREE:
		grant(reg, c);
		break;
	case VERDICT_TAKEN:
		if (*error)
			registry_settle(reg, c, NULL, error);
		else
			registry_decline(reg, c);
		break;
	case VERDICT_WAIT:
		p = letter_new(sizeof(*p));
		p->claim = c;
		list_append(&reg->pending, &p->link);
		break;
	}
}

/* --- letters of the owners --- */

static void discard_claim(struct letter *letter)
{
	claim_free(((struct claim_letter *)letter)->claim);
}

void registry_remember(
	struct registry *reg, const char *user, int64_t stamp, int64_t keep_s)
{
	replays_restore(&reg->replays, user, stamp, keep_s);
}

static void remember_port(const char *name, uint16_t port, void *arg)
{
	if (port)
		port_remember(&((struct registry *)arg)->ports, name, port,
			clock_now());
}

void registry_expect(struct registry *reg, const struct awaited *a)
{
	awaited_each(a, remember_port, reg);
}

uint8_t *registry_list(const struct registry *reg, size_t *size_r)
{
	return listing_make(&reg->grants.names,
		&reg->worker->server->arrival.awaited, size_r);
}

static void deliver_claim(struct mailbox *m, struct letter *letter)
{
	struct registry *reg = registry_of(m);
	struct claim *c = ((struct claim_letter *)letter)->claim;

	if (c->kind != CLAIM_CONTROL || registry_admit(reg, c))
		decide(reg, c);
}

void registry_claim(struct worker *w, struct claim *c)
{
	struct claim_letter *l = letter_new(sizeof(*l));

	l->claim = c;
	l->letter.discard = discard_claim;
	worker_post(w, 0, &l->letter, deliver_claim);
}

static void deliver_release(struct mailbox *m, struct letter *letter)
{
	struct registry *reg = registry_of(m);
	struct registration *r = pool_find(
		reg->registrations, ((struct release_letter *)letter)->entry);

	if (r && r->state == ENTRY_PUBLISHED)
		withdraw(reg, r, ((struct release_letter *)letter)->cut);
}

static void post_release(struct worker *w, struct handle entry, bool cut)
{
	struct release_letter *l = letter_new(sizeof(*l));

	l->entry = entry;
	l->cut = cut;
	worker_post(w, 0, &l->letter, deliver_release);
}

void registry_release(struct worker *w, struct handle entry)
{
	post_release(w, entry, false);
}

void registry_revoke(struct worker *w, struct handle entry)
{
	post_release(w, entry, true);
}
