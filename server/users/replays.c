/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/replays.h"

#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/conf/join.h"
#include "server/users/seen_file.h"

/* Nobody may have proven himself so before. */
static enum seen_verdict enter_proof(
	struct replays *r, const struct claim *c, int64_t now)
{
	const char *iv = claim_term(c, TERM_IV);
	char key[JOIN_NAME_SIZE + 2 * CIPHER_IV_SIZE + 1];
	enum seen_verdict v;

	snprintf(key, sizeof(key), "%s/%s", claim_term(c, TERM_RECORD), iv);
	v = seen_enter(&r->ivs, key, 0, now, c->keep_s * CLOCK_SECOND);
	return v == SEEN_NEW ? v : SEEN_LATE;
}

enum seen_verdict replays_enter(
	struct replays *r, const struct claim *c, int64_t now)
{
	const char *user = claim_term(c, TERM_RECORD);
	enum seen_verdict v;

	if (*claim_term(c, TERM_IV))
		return enter_proof(r, c, now);
	/* A signature is worth nothing on another connection. */
	if (c->proven || c->keep_s == 0)
		return SEEN_NEW;
	v = seen_enter(
		&r->logins, user, c->stamp, now, c->keep_s * CLOCK_SECOND);
	if (v == SEEN_NEW)
		seen_file_note(r->file, user, c->stamp, time(NULL) + c->keep_s);
	return v;
}

void replays_restore(
	struct replays *r, const char *user, int64_t stamp, int64_t keep_s)
{
	seen_restore(
		&r->logins, user, stamp, clock_now(), keep_s * CLOCK_SECOND);
}

void replays_clear(struct replays *r)
{
	seen_clear(&r->logins);
	seen_clear(&r->ivs);
}
