/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/http/host.h"

static bool refuse(char *error, const char *fmt, ...) printf_like(2, 3);

static bool refuse(char *error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, POLICY_ERROR_SIZE, fmt, args);
	va_end(args);
	return false;
}

/* --- names --- */

/* Names of proxies that begin with a user's name are that user's. */
static bool allows_name(const struct users *t, const struct user *u,
	const char *name, char *error)
{
	const char *dot = strchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : 0;

	if (u && n == strlen(user_name(u)) &&
		memcmp(name, user_name(u), n) == 0)
		return true;
	if (u)
		return refuse(error,
			"proxy name [%.64s] does not begin with the user's "
			"name and a dot",
			name);
	/* In whatever case: nobody is to take one for the other. */
	for (size_t i = 0; dot && i < t->count; i++)
		if (strlen(user_name(&t->list[i])) == n &&
			!strncasecmp(name, user_name(&t->list[i]), n))
			return refuse(error,
				"proxy name [%.64s] belongs to a user", name);
	return true;
}

/* --- domains --- */

/* Who lists the same domain, one behind the other. */
struct listings {
	const struct listing *first, *end;
};

static struct listings find_listings(const struct users *t, const char *domain)
{
	const struct listing *end = t->listings + t->listing_count;
	struct listings found = { t->listings, NULL };

	for (size_t n = t->listing_count; n > 0;) {
		size_t half = n / 2;

		if (strcmp(found.first[half].domain, domain) < 0) {
			found.first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (found.end = found.first; found.end < end; found.end++)
		if (strcmp(found.end->domain, domain) != 0)
			break;
	return found;
}

static bool is_empty(struct listings l)
{
	return l.first == l.end;
}

/*
 * Those that cover a host most closely: its own name before "*." and what it
 * ends with, the longest first, and "*" last. A host may be "*.x" itself.
 */
static struct listings closest_listings(const struct users *t, const char *host)
{
	struct listings l = find_listings(t, host);
	char above[HTTP_HOST_MAX + 1] = "*";

	for (const char *dot = strchr(host, '.'); dot && is_empty(l);
		dot = strchr(dot + 1, '.')) {
		snprintf(above + 1, sizeof(above) - 1, "%s", dot);
		l = find_listings(t, above);
	}
	return is_empty(l) ? find_listings(t, "*") : l;
}

static bool is_among(struct listings l, const struct user *u)
{
	for (; l.first < l.end; l.first++)
		if (l.first->user == u)
			return true;
	return false;
}

/* Whether another's listing lies below this wildcard. */
static bool covers_others(
	const struct users *t, const struct user *u, const char *wildcard)
{
	const char *end = wildcard + 1;
	size_t m = strlen(end);

	for (size_t i = 0; i < t->listing_count; i++) {
		const struct listing *l = &t->listings[i];
		size_t n = strlen(l->domain);

		if (l->user != u && n >= m && !strcmp(l->domain + n - m, end))
			return true;
	}
	return false;
}

static bool allows_host(const struct users *t, const struct user *u,
	const char *host, char *error)
{
	struct listings closest = closest_listings(t, host);

	if (!is_empty(closest) && !is_among(closest, u))
		return refuse(
			error, "domain [%.128s] belongs to another user", host);
	if (u && u->says->domains.n > 0 && is_empty(closest))
		return refuse(error,
			"domain [%.128s] is not among the domains of this "
			"user",
			host);
	if (host[0] == '*' && !is_among(find_listings(t, host), u) &&
		covers_others(t, u, host))
		return refuse(error,
			"domain [%.128s] has domains of another user below "
			"it",
			host);
	return true;
}

enum policy_listing policy_lists(
	const struct users *t, const char *host, const struct user_load *of)
{
	struct listings l = { 0 };

	if (t && t->listing_count > 0)
		l = closest_listings(t, host);
	if (is_empty(l))
		return POLICY_UNLISTED;
	for (; l.first < l.end; l.first++)
		if (l.first->user->load == of)
			return POLICY_LISTED;
	return POLICY_OF_OTHERS;
}

/* --- ports --- */

static bool lists_port(const struct user *u, uint16_t port)
{
	const struct conf_ranges *r = &u->says->ports;

	for (size_t i = 0; i < r->n; i++)
		if (port >= r->v[i].start && port <= r->v[i].end)
			return true;
	return false;
}

bool policy_allows_port(
	const struct users *t, const struct user *u, uint16_t port)
{
	if (u && lists_port(u, port))
		return true;
	if (u && u->says->ports.n > 0)
		return false;
	for (size_t i = 0; t && i < t->count; i++)
		if (lists_port(&t->list[i], port))
			return false;
	return true;
}

static bool allows_port(
	const struct users *t, const struct user *u, int64_t port, char *error)
{
	/* What is no port at all is refused where ports are opened. */
	if (port <= 0 || port > UINT16_MAX ||
		policy_allows_port(t, u, (uint16_t)port))
		return true;
	if (u && u->says->ports.n > 0)
		return refuse(error,
			"port %u is not among the ports of this user",
			(unsigned)port);
	return refuse(error, "port %u belongs to another user", (unsigned)port);
}

static const char *type_name(enum settings_user_type type)
{
	switch (type) {
	case SETTINGS_TYPE_TCP:
		return "tcp";
	case SETTINGS_TYPE_HTTP:
		return "http";
	case SETTINGS_TYPE_HTTPS:
		return "https";
	}
	return "";
}

bool policy_allows(const struct users *t, const struct user *u,
	const struct policy_wish *wish, char error[static POLICY_ERROR_SIZE])
{
	if (!t)
		return true;
	if (!allows_name(t, u, wish->name, error) ||
		!allows_port(t, u, wish->port, error))
		return false;
	if (u && u->says->types && !(u->says->types & (int)wish->type))
		return refuse(error,
			"this user may not have proxies of type [%s]",
			type_name(wish->type));
	for (size_t i = 0; i < wish->host_count; i++)
		if (!allows_host(t, u, wish->hosts[i], error))
			return false;
	return true;
}
