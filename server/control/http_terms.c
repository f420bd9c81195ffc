/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/http_terms.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/base64.h"
#include "common/http/text.h"
#include "server/control/proxy.h"

static int add(struct http_terms *t, const char *text, char *error)
{
	char *copy = strdup(text);

	if (!copy)
		return proxy_fault(error, "no memory");
	t->texts.v[t->texts.count++] = copy;
	return 0;
}

/* Base64 of USER:PASSWORD; "" if both are empty. */
static int add_login(
	struct http_terms *t, const struct message_new_proxy *m, char *error)
{
	size_t user = strlen(m->http_user), password = strlen(m->http_pwd);
	size_t n = user + 1 + password;
	char *pair, *coded;
	int rc;

	if (n == 1)
		return add(t, "", error);
	if (strchr(m->http_user, ':'))
		return proxy_fault(error, "http_user has a colon");
	pair = malloc(n + 1);
	coded = malloc(BASE64_SIZE(n));
	if (pair && coded) {
		sprintf(pair, "%s:%s", m->http_user, m->http_pwd);
		base64_encode(coded, pair, n);
		explicit_bzero(pair, n);
		rc = add(t, coded, error);
		explicit_bzero(coded, BASE64_SIZE(n));
	} else {
		rc = proxy_fault(error, "no memory");
	}
	free(pair);
	free(coded);
	return rc;
}

static bool is_value(const char *text)
{
	for (; *text; text++)
		if (!text_is((uint8_t)*text, TEXT_VALUE))
			return false;
	return true;
}

/* Those are not for a proxy's owner to say. */
static bool is_passed_over(const char *name)
{
	static const char *const names[] = { "Host", "Content-Length",
		"Transfer-Encoding", "Trailer", "Connection", "Upgrade", "TE",
		"Keep-Alive" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal_loose(text_of(name), names[i]))
			return true;
	return false;
}

static int add_fields(
	struct http_terms *t, const struct message_map *m, char *error)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct message_pair *p = &m->items[i];

		if (!text_is_token(text_of(p->key)))
			return proxy_fault(error, "a header has a bad name");
		if (!is_value(p->value))
			return proxy_fault(error, "a header has a bad value");
		if (is_passed_over(p->key))
			continue;
		if (add(t, p->key, error) < 0 || add(t, p->value, error) < 0)
			return -1;
	}
	return 0;
}

/* What may be part of a log line, and of the registry's names. */
static bool is_clean(const char *text, size_t most)
{
	if (strlen(text) > most)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int add_clean(struct http_terms *t, const char *text, size_t most,
	const char *bad, char *error)
{
	return is_clean(text, most) ? add(t, text, error)
				    : proxy_fault(error, "%s", bad);
}

static int add_locations(
	struct http_terms *t, const struct message_list *l, char *error)
{
	for (size_t i = 0; i < l->count; i++)
		if (add_clean(t, l->items[i], CLAIM_LOCATION_MAX,
			    "a location is too long or has control characters",
			    error) < 0)
			return -1;
	t->locations = (uint32_t)l->count;
	return 0;
}

static int read_all(
	struct http_terms *t, const struct message_new_proxy *m, char *error)
{
	size_t most = TERM_LOCATIONS + m->locations.count +
		      2 * (m->headers.count + m->response_headers.count);

	t->texts.v = calloc(most, sizeof(*t->texts.v));
	if (!t->texts.v)
		return proxy_fault(error, "no memory");
	for (const char *c = m->host_header_rewrite; *c; c++)
		if (!text_is((uint8_t)*c, TEXT_TARGET))
			return proxy_fault(
				error, "host_header_rewrite is no host");
	if (add_login(t, m, error) < 0 ||
		add(t, m->host_header_rewrite, error) < 0 ||
		add_clean(t, m->route_by_http_user, CLAIM_USER_MAX,
			"route_by_http_user is too long or has control "
			"characters",
			error) < 0 ||
		add_clean(t, m->group, CLAIM_GROUP_MAX,
			"group is too long or has control characters",
			error) < 0 ||
		add(t, *m->group ? m->group_key : "", error) < 0 ||
		add_locations(t, &m->locations, error) < 0 ||
		add_fields(t, &m->headers, error) < 0)
		return -1;
	t->set = (uint32_t)(t->texts.count - TERM_LOCATIONS - t->locations) / 2;
	return add_fields(t, &m->response_headers, error);
}

int http_terms_read(
	struct http_terms *t, const struct message_new_proxy *m, char *error)
{
	int rc = read_all(t, m, error);

	if (rc < 0)
		http_terms_clear(t);
	return rc;
}

void http_terms_clear(struct http_terms *t)
{
	for (size_t i = 0; i < t->texts.count; i++) {
		explicit_bzero(t->texts.v[i], strlen(t->texts.v[i]));
		free(t->texts.v[i]);
	}
	free(t->texts.v);
	t->texts = (struct claim_texts){ 0 };
}
