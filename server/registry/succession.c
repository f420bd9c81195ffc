/* SPDX-License-Identifier: Apache-2.0 */

#include "server/registry/succession.h"

static void add(struct succession *s, struct registration *r)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->old[i] == r)
			return;
	s->old[s->count++] = r;
}

/* Who has what the claim says in this term, if that is one of its own. */
static struct registration *find_own(const struct names *n, enum name_kind kind,
	const struct claim *c, uint32_t term)
{
	const char *name = claim_term(c, term);
	struct registration *r = *name ? names_find(n, kind, name) : NULL;

	return r && claim_same_record(r->claim, c) ? r : NULL;
}

/*
 * Whether a claim of frp's kind may be somebody else's. A new IV alone does not
 * tell: frp's cipher takes any block that was on the wire for one, and goes on
 * behind it.
 */
static bool is_doubtful(const struct claim *c)
{
	return *claim_term(c, TERM_RECORD) && (!c->proven || c->again);
}

enum verdict succession_look(
	struct succession *s, const struct names *n, const struct claim *c)
{
	struct registration *r = names_find(n, NAME_OF_CONTROL, claim_name(c));

	*s = (struct succession){ 0 };
	if (r && (!claim_same_record(r->claim, c) || is_doubtful(c)))
		return VERDICT_TAKEN;
	if (r)
		add(s, r);
	r = find_own(n, NAME_OF_CONTROL, c, TERM_BEFORE);
	if (r)
		add(s, r);
	r = find_own(n, NAME_OF_CLIENT, c, TERM_CLIENT);
	if (r)
		add(s, r);
	if (r && !registration_is_leaving(r))
		s->rival = r;
	return s->count > 0 ? VERDICT_WAIT : VERDICT_FREE;
}
