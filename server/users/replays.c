/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/replays.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "server/users/seen_file.h"

/* Nobody may have proven himself so before. */
static enum seen_verdict enter_proof(
	struct replays *r, const struct claim *c, int64_t now)
{
	enum seen_verdict v = seen_enter(&r->ivs, claim_term(c, TERM_RECORD),
		claim_term(c, TERM_IV), now, c->keep_s * CLOCK_SECOND);

	return v == SEEN_AGAIN ? SEEN_LATE : v;
}

/* A login as it is known again. */
#define STAMP_SIZE 24

static const char *write_stamp(char out[static STAMP_SIZE], int64_t stamp)
{
	snprintf(out, STAMP_SIZE, "%" PRId64, stamp);
	return out;
}

enum seen_verdict replays_enter(
	struct replays *r, const struct claim *c, int64_t now)
{
	const char *user = claim_term(c, TERM_RECORD);
	char stamp[STAMP_SIZE];
	enum seen_verdict v;

	if (*claim_term(c, TERM_IV))
		return enter_proof(r, c, now);
	/* A signature is worth nothing on another connection. */
	if (c->proven || c->keep_s == 0)
		return SEEN_NEW;
	v = seen_enter(&r->logins, user, write_stamp(stamp, c->stamp), now,
		c->keep_s * CLOCK_SECOND);
	if (v == SEEN_NEW)
		seen_file_note(r->file, user, c->stamp, time(NULL) + c->keep_s);
	return v;
}

void replays_restore(
	struct replays *r, const char *user, int64_t stamp, int64_t keep_s)
{
	char text[STAMP_SIZE];

	seen_restore(&r->logins, user, write_stamp(text, stamp), clock_now(),
		keep_s * CLOCK_SECOND);
}

void replays_clear(struct replays *r)
{
	seen_clear(&r->logins);
	seen_clear(&r->ivs);
}
