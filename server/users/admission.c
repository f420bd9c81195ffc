/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/admission.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/login.h"
#include "server/settings.h"

#define MINUTE 60
#define HOUR 3600
#define WINDOW_BARE (15 * MINUTE)
#define WINDOW_TLS (24 * HOUR)

/* As long as a token of ours, so that it takes as long to be wrong. */
#define NOBODYS "adit_nobody------------------------------------------"

const char *admission_secret(const struct settings *s, const struct user *user)
{
	return user ? user->says->frp_token : s->auth_token;
}

/* By how much the clock may be off; -1: that is not looked at. */
static int64_t window(
	const struct settings *s, const struct user *user, bool secure)
{
	int64_t seconds = s->login_window_s;

	if (user && user->says->max_skew_s != SETTINGS_SKEW_DEFAULT)
		seconds = user->says->max_skew_s;
	if (seconds != SETTINGS_SKEW_DEFAULT)
		return seconds;
	if (!user)
		return SETTINGS_SKEW_ANY;
	return secure ? WINDOW_TLS : WINDOW_BARE;
}

/* "1 h 5 min", "5 min 0 s", "7 s" */
static const char *write_span(char out[static 40], int64_t seconds)
{
	int64_t hours = seconds / HOUR, minutes = seconds / MINUTE % MINUTE;

	if (hours > 0)
		snprintf(out, 40, "%" PRId64 " h %" PRId64 " min", hours,
			minutes);
	else if (minutes > 0)
		snprintf(out, 40, "%" PRId64 " min %" PRId64 " s", minutes,
			seconds % MINUTE);
	else
		snprintf(out, 40, "%" PRId64 " s", seconds);
	return out;
}

static bool refuse(struct admission *a, const char *cause)
{
	snprintf(a->error, sizeof(a->error), "%s", ADMISSION_WRONG);
	a->cause = cause;
	return false;
}

static bool check_active(
	struct admission *a, const struct user *user, int64_t now)
{
	if (user->says->disabled)
		return refuse(a, "user is disabled");
	if (!user_is_active(user, now))
		return refuse(a, "user has expired");
	return true;
}

/* The secret was right. */
static bool check_time(
	struct admission *a, int64_t theirs, int64_t now, int64_t allowed)
{
	/* Of numbers that may be anything. */
	uint64_t off = theirs > now ? (uint64_t)theirs - (uint64_t)now
				    : (uint64_t)now - (uint64_t)theirs;
	char by[40], at_most[40];

	if (allowed == SETTINGS_SKEW_ANY || off <= (uint64_t)allowed)
		return true;
	if (off > INT64_MAX)
		off = INT64_MAX;
	snprintf(a->error, sizeof(a->error),
		"the client's clock is %s %s the server's, %s at most are "
		"allowed: set it right, or set maxClockSkew for this user",
		write_span(by, (int64_t)off),
		theirs > now ? "ahead of" : "behind",
		write_span(at_most, allowed));
	a->cause = "its clock is off";
	return false;
}

/* A signature, whoever it is of, for just this session. */
static bool is_signed(struct admission *a, const struct admission_terms *t,
	const struct message_login *login)
{
	static const uint8_t nowhere[PROOF_BINDING_SIZE];
	uint8_t signature[PROOF_SIGNATURE_SIZE] = { 0 };
	struct proof_login what = { .binding =
					    t->binding ? t->binding : nowhere,
		.user = login->user,
		.client_id = login->client_id };
	bool read = proof_public_read(a->key, login->adit.key) &&
		    proof_signature_read(signature, login->adit.sig);

	return proof_verify(signature, a->key, &what) && read && t->binding;
}

/*
 * Whose record is looked at: another one's for a name that nobody has, so that
 * it takes as long (users.h). NULL: it names nobody, or nobody is there.
 */
static bool find_record(struct admission *a, const struct admission_terms *t,
	const struct message_login *login)
{
	/* By an index, as a branch would take longer one way. */
	const struct user *by_known[2] = { NULL, NULL };
	bool known = false;

	if (t->users && *login->user)
		a->record = users_find_evenly(t->users, login->user, &known);
	by_known[true] = a->record;
	a->user = by_known[known];
	return known;
}

/* By a signature: never by anything less that it may hold, too. */
static bool check_signed(struct admission *a, const struct admission_terms *t,
	const struct message_login *login)
{
	/* By whether there is such a user, and the signature is right. */
	static const char *const causes[2][2] = { { "wrong signature",
							  "unknown user" },
		{ "wrong signature", "unknown key" } };
	bool named = t->users && *login->user;
	bool right = is_signed(a, t, login);
	bool there = find_record(a, t, login) | !named, known;

	if (named)
		known = (a->record && user_has_key(a->record, a->key)) & there;
	else
		known = t->token_key &&
			memcmp(t->token_key, a->key, PROOF_PUBLIC_SIZE) == 0;
	a->failed = !(right & known);
	if (a->failed)
		return refuse(a, causes[there][right]);
	if (a->user && !check_active(a, a->user, t->now))
		return false;
	a->proven = true;
	return true;
}

/* As frp does: by the secret and a time. */
static bool check_secret(struct admission *a, const struct admission_terms *t,
	const struct message_login *login)
{
	/* By whether there is such a user, and a secret. */
	static const char *const causes[2][2] = { { "unknown user",
							  "unknown user" },
		{ "no frpToken", "wrong token" } };
	const struct settings *s = t->settings;
	bool named = t->users && *login->user;
	bool there = find_record(a, t, login) | !named;
	const char *secret = a->record ? a->record->says->frp_token
			     : named   ? ""
				       : s->auth_token;
	bool has_one = *secret || !t->users, right;
	int64_t allowed, widest;

	/* Whatever is wrong already, the proof is looked at. */
	right = login_key_verify(login->privilege_key,
		has_one ? secret : NOBODYS, login->timestamp);
	a->failed = !(right & has_one & there);
	if (a->failed)
		return refuse(a, named || has_one ? causes[there][has_one]
						  : "no auth.token");
	if (a->user && !check_active(a, a->user, t->now))
		return false;
	allowed = window(s, a->user, t->secure);
	/* What was heard in the open may come again over TLS. */
	widest = window(s, a->user, true);
	if (a->user)
		a->keep_s = 2 * (widest < 0 ? WINDOW_TLS : widest);
	return check_time(a, login->timestamp, t->now, allowed);
}

bool admission_check(struct admission *a, const struct admission_terms *t,
	const struct message_login *login)
{
	*a = (struct admission){ 0 };
	if (admission_is_signed(login))
		return check_signed(a, t, login);
	return check_secret(a, t, login);
}

void admission_text(char out[static ADMISSION_TEXT_SIZE], const char *text)
{
	size_t n = 0;

	for (; *text && n + 3 < ADMISSION_TEXT_SIZE; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "abcdefghijklmnopqrstuvwxyz0123456789._:-",
			    c))
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(
				out + n, ADMISSION_TEXT_SIZE - n, "%%%02X", c);
	}
	out[n] = '\0';
}
