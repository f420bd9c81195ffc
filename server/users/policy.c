/* SPDX-License-Identifier: Apache-2.0 */

/* Lists are walked: a table has few users, and a proxy opens seldom. */

#include "server/users/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/*
 * How closely a listing covers a host, both normalised: the length of what
 * they share, the host's own name before all; 0: not at all.
 */
static size_t closeness(const char *listing, const char *host)
{
	size_t n = strlen(host), m = strlen(listing);

	if (!strcmp(listing, host))
		return m + 1;
	if (!strcmp(listing, "*"))
		return 1;
	/* "*.x" covers all that ends in ".x", itself written as "*.a.x" too. */
	if (listing[0] == '*' && n >= m &&
		!strcmp(host + n - (m - 1), listing + 1))
		return m;
	return 0;
}

static size_t closest_listing(const struct user *u, const char *host)
{
	size_t best = 0;

	for (size_t i = 0; i < u->says->domains.n; i++) {
		size_t now = closeness(u->domains[i], host);

		if (now > best)
			best = now;
	}
	return best;
}

/* Whether another's listing lies below this host, which is a wildcard. */
static bool covers_others(
	const struct users *t, const struct user *u, const char *host)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct user *other = &t->list[i];

		for (size_t k = 0; other != u && k < other->says->domains.n;
			k++)
			if (closeness(host, other->domains[k]) > 0)
				return true;
	}
	return false;
}

static bool allows_host(const struct users *t, const struct user *u,
	const char *host, char *error)
{
	size_t mine = u ? closest_listing(u, host) : 0;
	bool listed = mine > strlen(host); /* as it stands */

	for (size_t i = 0; i < t->count; i++)
		if (&t->list[i] != u &&
			closest_listing(&t->list[i], host) > mine)
			return refuse(error,
				"domain [%.128s] belongs to another user",
				host);
	if (u && u->says->domains.n > 0 && mine == 0)
		return refuse(error,
			"domain [%.128s] is not among the domains of this "
			"user",
			host);
	if (host[0] == '*' && !listed && covers_others(t, u, host))
		return refuse(error,
			"domain [%.128s] has domains of another user below "
			"it",
			host);
	return true;
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
