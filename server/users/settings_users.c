/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/settings_users.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/bandwidth.h"
#include "common/conf/join.h"
#include "common/crypto/login_proof.h"
#include "common/http/host.h"

#define USER(type, field) CONF_DEF(type, struct settings_user, field)
#define DAY 86400
#define YEAR (366 * DAY)

static const struct conf_choices types =
	CONF_CHOICES({ "tcp", SETTINGS_TYPE_TCP, false },
		{ "http", SETTINGS_TYPE_HTTP, false },
		{ "https", SETTINGS_TYPE_HTTPS, false });

static const struct conf_choices skews =
	CONF_CHOICES({ "loginWindow", SETTINGS_SKEW_DEFAULT, false },
		{ "any", SETTINGS_SKEW_ANY, false });

const struct conf_choices settings_windows =
	CONF_CHOICES({ "auto", SETTINGS_SKEW_DEFAULT, false },
		{ "any", SETTINGS_SKEW_ANY, false });

static const struct conf_row user_rows[] = {
	{ .path = "name",
		USER(STRING, name),
		.def = "",
		.doc = "Who it is: small letters, digits, - and _, at most "
		       "32; the names of its proxies begin with it and a "
		       "dot." },
	{ .path = "keys",
		USER(STRINGS, keys),
		.doc = "Public keys, one to four, of the tokens that it logs "
		       "in with." },
	{ .path = "frpToken",
		USER(SECRET, frp_token),
		.def = "",
		.doc = "The auth.token of this user's frpc; empty: it has "
		       "none." },
	{ .path = "domains",
		USER(STRINGS, domains),
		.doc = "The only domains that it may serve, *.DOMAIN for all "
		       "below one, and nobody else may; none: any that is in "
		       "no other's list." },
	{ .path = "ports",
		USER(RANGES, ports),
		.doc = "The same of public ports." },
	{ .path = "types",
		USER(WORDS, types),
		.choices = &types,
		.doc = "The only types of proxies that it may have; none: "
		       "all." },
	{ .path = "limits.proxies",
		USER(INT, max_proxies),
		.def = "0",
		.max = 1000000,
		.doc = "Proxies that it may have at once; 0: no limit." },
	{ .path = "limits.visitors",
		USER(INT, max_visitors),
		.def = "0",
		.max = 1000000,
		.doc = "Visitors of its proxies at once; others are closed, "
		       "of http proxies answered with 503; 0: no limit." },
	{ .path = "limits.connectionsPerSecond",
		USER(INT, max_rate),
		.def = "0",
		.max = 1000000,
		.doc = "Visitors of its proxies that may come in a second, "
		       "all at once or one by one; 0: no limit." },
	{ .path = "limits.bandwidth",
		USER(STRING, bandwidth),
		.def = "",
		.doc = "Bytes a second that the visitors of its proxies may "
		       "send together, and as many that they may be sent, "
		       "such as 500KB or 1.5MB (1 KB is 1024 bytes); empty: "
		       "no limit." },
	{ .path = "maxClockSkew",
		USER(INT, max_skew_s),
		.def = "loginWindow",
		.min = 1,
		.max = YEAR,
		.choices = &skews,
		.unit = "seconds",
		.doc = "How far the clock of its frpc may be off at a "
		       "login." },
	{ .path = "expires",
		USER(STRING, expires),
		.def = "",
		.doc = "When it may no more, 2030-12-31 (to the end of that "
		       "day, UTC) or 2030-12-31T12:00:00Z; empty: never." },
	{ .path = "disabled",
		USER(BOOL, disabled),
		.def = "false",
		.doc = "Keep the record, and let it in no more." },
};

CONF_TABLE(settings_user_table, struct settings_user, user_rows);

static const struct conf_row file_rows[] = {
	{ .path = "users",
		CONF_DEF_LIST(struct settings_users_file, users,
			struct settings_user, settings_user_table),
		.doc = "Who may log in, and what they may publish." },
};

CONF_TABLE(settings_users_file, struct settings_users_file, file_rows);

/* Two digits or four. */
static bool number(const char **text, int digits, int *value_r)
{
	*value_r = 0;
	for (; digits > 0; digits--, ++*text) {
		if (!isdigit((unsigned char)**text))
			return false;
		*value_r = 10 * *value_r + (**text - '0');
	}
	return true;
}

static bool literal(const char **text, char c)
{
	return *(*text)++ == c;
}

/* "Z", "+01:00": how far local time is ahead, in seconds. */
static bool zone(const char **text, int *ahead_r)
{
	char sign = *(*text)++;
	int hours, minutes;

	*ahead_r = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if ((sign != '+' && sign != '-') || !number(text, 2, &hours) ||
		!literal(text, ':') || !number(text, 2, &minutes) ||
		hours > 23 || minutes > 59)
		return false;
	*ahead_r = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

static bool time_of_day(const char **text, struct tm *t)
{
	if (!number(text, 2, &t->tm_hour) || !literal(text, ':') ||
		!number(text, 2, &t->tm_min) || !literal(text, ':') ||
		!number(text, 2, &t->tm_sec) || t->tm_hour > 23 ||
		t->tm_min > 59 || t->tm_sec > 60)
		return false;
	if (**text == '.')
		*text += 1 + strspn(*text + 1, "0123456789");
	return true;
}

bool settings_expiry(const char *text, int64_t *when_r)
{
	struct tm t = { 0 }, day;
	int ahead = 0;

	*when_r = INT64_MAX;
	if (!*text)
		return true;
	if (!number(&text, 4, &t.tm_year) || !literal(&text, '-') ||
		!number(&text, 2, &t.tm_mon) || !literal(&text, '-') ||
		!number(&text, 2, &t.tm_mday))
		return false;
	t.tm_year -= 1900;
	t.tm_mon--;
	day = t;
	/* A day that there is not becomes another one. */
	timegm(&day);
	if (day.tm_mon != t.tm_mon || day.tm_mday != t.tm_mday)
		return false;
	if (!*text) {
		t.tm_mday++;
	} else if (strchr("Tt ", *text++) == NULL || !time_of_day(&text, &t) ||
		   !zone(&text, &ahead) || *text) {
		return false;
	}
	*when_r = timegm(&t) - ahead;
	return true;
}

/* Which user, and where the errors go. */
struct check {
	struct conf *conf;
	struct conf_errors *errors;
	size_t index;
};

static void fault(const struct check *c, const char *key, const char *fmt, ...)
	printf_like(3, 4);

static void fault(const struct check *c, const char *key, const char *fmt, ...)
{
	char path[96], text[CONF_ERROR_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "users[%zu].%s", c->index, key);
	conf_fault(c->conf, c->errors, path, "%s", text);
}

static void check_keys(const struct check *c, const struct settings_user *u)
{
	uint8_t key[PROOF_PUBLIC_SIZE];
	char quoted[CONF_QUOTED], path[32];

	if (u->keys.n > SETTINGS_USER_KEYS)
		fault(c, "keys", "%zu keys; at most %d are allowed", u->keys.n,
			SETTINGS_USER_KEYS);
	for (size_t i = 0; i < u->keys.n; i++) {
		if (proof_public_read(key, u->keys.v[i]))
			continue;
		snprintf(path, sizeof(path), "keys[%zu]", i);
		fault(c, path, "%s; a public key of 43 characters is allowed",
			conf_quote(quoted, u->keys.v[i]));
	}
	if (u->keys.n == 0 && !*u->frp_token)
		fault(c, "name",
			"neither keys nor a frpToken; one of them is "
			"needed");
}

static void check_rights(const struct check *c, const struct settings_user *u)
{
	char quoted[CONF_QUOTED], path[32], host[HTTP_HOST_MAX];
	int64_t when, rate;

	for (size_t i = 0; i < u->domains.n; i++) {
		if (host_normalise(u->domains.v[i], true, host))
			continue;
		snprintf(path, sizeof(path), "domains[%zu]", i);
		fault(c, path,
			"%s; a domain such as www.example.com or "
			"*.example.com is allowed",
			conf_quote(quoted, u->domains.v[i]));
	}
	if (!settings_expiry(u->expires, &when))
		fault(c, "expires",
			"%s; a date such as 2030-12-31 or "
			"2030-12-31T12:00:00Z is allowed",
			conf_quote(quoted, u->expires));
	if (!bandwidth_parse(u->bandwidth, &rate))
		fault(c, "limits.bandwidth", "%s; " BANDWIDTH_ALLOWED,
			conf_quote(quoted, u->bandwidth));
}

static int by_name(const void *a, const void *b)
{
	const struct settings_user *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The later of two that have the same name. */
static void check_doubles(struct check *c, const struct settings_users *users)
{
	const struct settings_user **sorted =
		conf_alloc(c->conf, users->n + 1, sizeof(*sorted));
	char quoted[CONF_QUOTED];

	if (!sorted)
		return;
	for (size_t i = 0; i < users->n; i++)
		sorted[i] = &users->v[i];
	qsort(sorted, users->n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < users->n; i++) {
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		c->index = (size_t)(sorted[i] - users->v);
		fault(c, "name",
			"%s, as another user; a name of its own is "
			"needed",
			conf_quote(quoted, sorted[i]->name));
	}
}

void settings_users_check(struct conf *conf, struct conf_errors *errors,
	const struct settings_users *users)
{
	struct check c = { conf, errors, 0 };
	char quoted[CONF_QUOTED];

	for (; c.index < users->n; c.index++) {
		const struct settings_user *u = &users->v[c.index];

		if (!join_is_name(u->name))
			fault(&c, "name",
				"%s; small letters, digits, - and _ are "
				"allowed, a letter or digit first, 32 at most",
				conf_quote(quoted, u->name));
		check_keys(&c, u);
		check_rights(&c, u);
	}
	check_doubles(&c, users);
}

int settings_users_load(struct conf **conf_r,
	const struct settings_users **users_r, const char *file,
	struct conf_errors *errors)
{
	struct settings_users_file *base;
	struct conf *conf;
	void *memory;
	int rc = conf_new(&conf, &settings_users_file, &memory);

	if (rc < 0)
		return rc;
	base = memory;
	rc = conf_load(conf, file, errors);
	if (rc == 0)
		settings_users_check(conf, errors, &base->users);
	if (rc == 0 && errors->n > 0)
		rc = -EINVAL;
	if (rc < 0) {
		conf_free(&conf);
		return rc;
	}
	*conf_r = conf;
	*users_r = &base->users;
	return 0;
}
