/* SPDX-License-Identifier: Apache-2.0 */

#include "server/admission.h"

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

bool admission_check(struct admission *a, const struct settings *s,
	const struct users *users, const struct message_login *login,
	bool secure, int64_t now)
{
	bool named = users && *login->user, right;
	const struct user *user = named ? users_find(users, login->user) : NULL;
	const char *secret = named ? NOBODYS : s->auth_token;
	bool has_one = named ? user && *user->says->frp_token
			     : !users || *s->auth_token;
	int64_t allowed;

	*a = (struct admission){ .user = user };
	if (has_one)
		secret = admission_secret(s, user);
	/* Whatever is wrong already, the proof is looked at. */
	right = login_key_verify(
		login->privilege_key, secret, login->timestamp);
	a->failed = !right || !has_one;
	if (named && !user)
		return refuse(a, "unknown user");
	if (!has_one)
		return refuse(a, named ? "no frpToken" : "no auth.token");
	if (!right)
		return refuse(a, "wrong token");
	if (user && user->says->disabled)
		return refuse(a, "user is disabled");
	if (user && !user_is_active(user, now))
		return refuse(a, "user has expired");
	allowed = window(s, user, secure);
	if (user)
		a->keep_s = 2 * (allowed < 0 ? WINDOW_TLS : allowed);
	return check_time(a, login->timestamp, now, allowed);
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
