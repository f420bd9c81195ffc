/* SPDX-License-Identifier: Apache-2.0 */

/* Claims of controls: who makes room for whom, and who is not disturbed. */

#include "server/registry/registry_internal.h"

#include <stdio.h>

#include "server/control/control.h"
#include "server/registry/succession.h"

void registry_decline(struct registry *reg, struct claim *c)
{
	const struct registration *r =
		names_find(&reg->grants.names, NAME_OF_CONTROL, claim_name(c));
	struct decision *d = letter_new(sizeof(*d));

	d->owner = c->owner;
	d->again = c->again;
	d->clash = r && claim_same_record(r->claim, c) ? CLASH_LIVE
						       : CLASH_FOREIGN;
	worker_post(reg->worker, c->owner.worker, &d->letter, control_decided);
	claim_free(c);
}

/* Why it is refused; "": it is not. */
static const char *refusal(const struct claim *c, enum seen_verdict v)
{
	if (v == SEEN_FULL)
		return "too many logins as this user";
	if (v != SEEN_LATE)
		return "";
	return *claim_term(c, TERM_IV) ? "its first message was used before"
				       : "this login was used before";
}

bool registry_admit(struct registry *reg, struct claim *c)
{
	struct registration *r =
		names_find(&reg->grants.names, NAME_OF_CONTROL, claim_name(c));
	enum seen_verdict v =
		replays_enter(&reg->replays, c, registry_now(reg));

	const char *error = refusal(c, v);

	c->again |= v == SEEN_AGAIN;
	if (*error) {
		registry_settle(reg, c, NULL, error);
		return false;
	}
	if (*claim_term(c, TERM_IV))
		room_prove(&reg->room, c->owner);
	if (!r && c->named) {
		registry_decline(reg, c);
		return false;
	}
	if (!r || !ref_is_same(r->claim->owner, c->owner))
		return true;
	/* It has it already, and only had to be proven. */
	registry_settle(reg, c, r, "");
	return false;
}

/* Whether it is the same client, as it seems, and no other with its id. */
static bool may_follow(
	struct registry *reg, const struct claim *c, const struct claim *rival)
{
	return takeovers_enter(&reg->takeovers, claim_term(c, TERM_CLIENT),
		claim_term(rival, TERM_ADDRESS), claim_term(c, TERM_ADDRESS),
		registry_now(reg));
}

static void evict(struct registry *reg, struct registration *r, enum reason why)
{
	if (registration_is_leaving(r))
		return;
	r->evicted = true;
	control_evict(reg->worker, r->claim->owner, why);
}

/* Nobody has its names. */
static enum verdict look_at_room(
	struct registry *reg, char error[static REGISTRY_ERROR_SIZE])
{
	struct registration *r;
	enum verdict v =
		room_look(&reg->room, reg->worker->settings->max_controls, &r);

	if (r)
		evict(reg, r, REASON_limit);
	if (v == VERDICT_TAKEN)
		snprintf(error, REGISTRY_ERROR_SIZE, "too many clients");
	return v;
}

enum verdict registry_look_at_control(struct registry *reg,
	const struct claim *c, char error[static REGISTRY_ERROR_SIZE])
{
	struct succession s;
	enum verdict v = succession_look(&s, &reg->grants.names, c);

	if (v == VERDICT_FREE)
		return look_at_room(reg, error);
	if (s.rival && !may_follow(reg, c, s.rival->claim)) {
		count(&reg->worker->core.counters, identities_shared);
		snprintf(error, REGISTRY_ERROR_SIZE,
			"two clients share one identity");
		return VERDICT_TAKEN;
	}
	for (size_t i = 0; i < s.count; i++)
		evict(reg, s.old[i], REASON_replaced);
	return v;
}
