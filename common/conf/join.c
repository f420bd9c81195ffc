/* SPDX-License-Identifier: Apache-2.0 */

/* The parser goes through the text once, from left to right. */

#include "common/conf/join.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/address.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define WORD LOWER UPPER DIGITS "-_"

#define LABEL_MAX 63
/* The last character of a pin has four bits: the other two are zero. */
#define PIN_ENDS "AEIMQUYcgkosw048"

struct reader {
	const char *text;
	size_t n, at;
	char *error;
};

static int fail(struct reader *r, size_t at, const char *fmt, ...)
	printf_like(3, 4);

static int fail(struct reader *r, size_t at, const char *fmt, ...)
{
	int n = snprintf(r->error, JOIN_ERROR_SIZE, "character %zu: ", at + 1);
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->error + n, JOIN_ERROR_SIZE - (size_t)n, fmt, args);
	va_end(args);
	return -EINVAL;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* How many characters of the set come next. */
static size_t span(const struct reader *r, const char *set)
{
	size_t at = r->at;

	while (at < r->n && is_one_of(r->text[at], set))
		at++;
	return at - r->at;
}

/* The next character, 0 behind the end. */
static char peek(const struct reader *r)
{
	return r->at < r->n ? r->text[r->at] : '\0';
}

/* Take the next `n` characters, at most size - 1, as a text. */
static int take(
	struct reader *r, size_t n, char *out, size_t size, const char *what)
{
	if (n == 0)
		return fail(r, r->at, "%s is missing", what);
	if (n >= size)
		return fail(r, r->at + size - 1,
			"%s is longer than %zu characters", what, size - 1);
	memcpy(out, r->text + r->at, n);
	out[n] = '\0';
	r->at += n;
	return 0;
}

/* Go over the character that ends what was read. */
static int expect(struct reader *r, char c, const char *after)
{
	if (peek(r) != c)
		return fail(r, r->at, "'%c' is expected after %s", c, after);
	r->at++;
	return 0;
}

/* Go over a comma, behind which there is another of the same. */
static bool goes_on(struct reader *r)
{
	bool more = peek(r) == ',';

	r->at += more;
	return more;
}

bool join_is_name(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < JOIN_NAME_SIZE && *text != '-' && *text != '_' &&
	       strspn(text, LOWER DIGITS "-_") == n;
}

static int read_name(struct reader *r, struct join *j)
{
	int rc;

	if (is_one_of(peek(r), "-_"))
		return fail(r, r->at, "a name begins with a letter or digit");
	rc = take(r, span(r, LOWER DIGITS "-_"), j->name, sizeof(j->name),
		"the user's name");
	if (rc == 0 && is_one_of(peek(r), UPPER))
		return fail(r, r->at, "a name has small letters only");
	return rc < 0 ? rc : expect(r, ':', "the user's name");
}

static int read_token(struct reader *r, struct join *j)
{
	int rc =
		take(r, span(r, WORD), j->token, sizeof(j->token), "the token");

	return rc < 0 ? rc : expect(r, '@', "the token");
}

/* An IPv6 address, written in its shortest form. */
static int read_v6(
	struct reader *r, size_t at, char host[static JOIN_HOST_SIZE])
{
	char text[ADDRESS_TEXT_SIZE];
	struct address a;

	for (char *c = host; *c; c++)
		if (*c == '_')
			*c = ':';
	if (address_parse(&a, host, 0) < 0 || a.any.sa_family != AF_INET6)
		return fail(r, at, "this is no IPv6 address");
	/* One that stands for an IPv4 address is written as that. */
	address_ip(&a, text);
	memset(host, 0, JOIN_HOST_SIZE);
	snprintf(host, JOIN_HOST_SIZE, "%s", text);
	return 0;
}

/* A label of a name: letters, digits, and hyphens between them. */
static int check_label(struct reader *r, size_t at, const char *label, size_t n)
{
	if (n == 0)
		return fail(r, at, "a part of the host's name is empty");
	if (n > LABEL_MAX)
		return fail(r, at + LABEL_MAX,
			"a part of the host's name is longer than %d "
			"characters",
			LABEL_MAX);
	if (label[0] == '-')
		return fail(r, at, "a part of a host's name begins with '-'");
	if (label[n - 1] == '-')
		return fail(
			r, at + n - 1, "a part of a host's name ends with '-'");
	return 0;
}

/* A name whose last label is a number would be taken for an address. */
static bool ends_in_number(const char *label)
{
	return label[strspn(label, DIGITS)] == '\0' ||
	       (label[0] == '0' && label[1] == 'x' &&
		       label[2 + strspn(label + 2, DIGITS "abcdef")] == '\0');
}

/* A name or an IPv4 address. */
static int read_v4_or_name(struct reader *r, size_t at, char *host)
{
	const char *label = host;
	struct address a;
	int rc = 0;

	if (address_parse(&a, host, 0) == 0)
		return 0;
	while (rc == 0) {
		size_t n = strcspn(label, ".");

		rc = check_label(r, at + (size_t)(label - host), label, n);
		if (!label[n])
			break;
		label += n + 1;
	}
	if (rc == 0 && ends_in_number(label))
		return fail(
			r, at, "this is neither an IPv4 address nor a name");
	return rc;
}

static int read_host(struct reader *r, char host[static JOIN_HOST_SIZE])
{
	bool bracket = peek(r) == '[';
	size_t at;
	int rc;

	r->at += bracket;
	at = r->at;
	rc = take(r,
		span(r, bracket ? DIGITS "abcdefABCDEF.:_"
				: LOWER UPPER DIGITS "-._"),
		host, JOIN_HOST_SIZE, "a server's host");
	if (rc == 0 && bracket)
		rc = expect(r, ']', "the IPv6 address");
	if (rc < 0)
		return rc;
	for (char *c = host; *c; c++)
		if (is_one_of(*c, UPPER))
			*c = (char)(*c - 'A' + 'a');
	return bracket || strchr(host, '_') ? read_v6(r, at, host)
					    : read_v4_or_name(r, at, host);
}

static int read_port(struct reader *r, uint16_t *port_r)
{
	size_t n = span(r, DIGITS), at = r->at;
	unsigned value = 0;

	if (n == 0)
		return fail(r, at, "the server's port is missing");
	if (peek(r) == '0')
		return fail(r, at, "a port does not begin with 0");
	for (; n > 0 && value <= UINT16_MAX; n--)
		value = value * 10 + (unsigned)(r->text[r->at++] - '0');
	if (value > UINT16_MAX)
		return fail(r, at, "a port is at most %d", UINT16_MAX);
	*port_r = (uint16_t)value;
	return 0;
}

static int read_servers(struct reader *r, struct join *j)
{
	do {
		struct join_server *s = &j->servers[j->server_count];
		size_t at = r->at;
		int rc;

		if (j->server_count == JOIN_SERVERS)
			return fail(r, at, "there are at most %d servers",
				JOIN_SERVERS);
		rc = read_host(r, s->host);
		if (rc == 0)
			rc = expect(r, ':', "the server's host");
		if (rc == 0)
			rc = read_port(r, &s->port);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < j->server_count; i++)
			if (s->port == j->servers[i].port &&
				!strcmp(s->host, j->servers[i].host))
				return fail(r, at, "this server comes twice");
		j->server_count++;
	} while (goes_on(r));
	return expect(r, '/', "the servers");
}

static int read_pin(struct reader *r, char pin[static JOIN_PIN_SIZE])
{
	size_t at = r->at;
	int rc = take(r, span(r, WORD), pin, JOIN_PIN_SIZE, "the server's pin");

	if (rc < 0)
		return rc;
	if (r->at - at < JOIN_PIN_SIZE - 1)
		return fail(
			r, r->at, "a pin has %d characters", JOIN_PIN_SIZE - 1);
	if (!is_one_of(pin[JOIN_PIN_SIZE - 2], PIN_ENDS))
		return fail(r, r->at - 1, "no pin ends with '%c'",
			pin[JOIN_PIN_SIZE - 2]);
	return 0;
}

static int read_pins(struct reader *r, struct join *j)
{
	do {
		size_t at = r->at;
		int rc;

		if (j->pin_count == JOIN_PINS)
			return fail(
				r, at, "there are at most %d pins", JOIN_PINS);
		rc = read_pin(r, j->pins[j->pin_count]);
		if (rc < 0)
			return rc;
		if (j->pin_count && !strcmp(j->pins[0], j->pins[1]))
			return fail(r, at, "this pin comes twice");
		j->pin_count++;
	} while (goes_on(r));
	return r->at == r->n ? 0 : fail(r, r->at, "the pins end here");
}

/* Characters that stand in no join string, wherever they are. */
static int check_characters(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++) {
		char c = r->text[i];

		if (is_one_of(c, WORD ".:,@/[]"))
			continue;
		if (c > 0x20 && c < 0x7f)
			return fail(r, i, "'%c' stands in no join string", c);
		return fail(r, i, "the byte 0x%02x stands in no join string",
			(unsigned char)c);
	}
	return 0;
}

int join_parse(struct join *j_r, const char *text, size_t n,
	char error[static JOIN_ERROR_SIZE])
{
	struct reader r = { text, n, 0, error };
	int rc = check_characters(&r);

	memset(j_r, 0, sizeof(*j_r));
	if (rc == 0 &&
		(n < strlen(JOIN_SCHEME) ||
			memcmp(text, JOIN_SCHEME, strlen(JOIN_SCHEME)) != 0))
		rc = fail(&r, 0, "a join string begins with " JOIN_SCHEME);
	r.at = strlen(JOIN_SCHEME);
	if (rc == 0)
		rc = read_name(&r, j_r);
	if (rc == 0)
		rc = read_token(&r, j_r);
	if (rc == 0)
		rc = read_servers(&r, j_r);
	if (rc == 0)
		rc = read_pins(&r, j_r);
	if (rc < 0)
		join_wipe(j_r);
	return rc;
}

void join_write(char out[static JOIN_TEXT_SIZE], const struct join *j)
{
	char *to = out;

	to += sprintf(to, JOIN_SCHEME "%s:%s", j->name, j->token);
	for (size_t i = 0; i < j->server_count; i++) {
		const struct join_server *s = &j->servers[i];

		*to++ = i ? ',' : '@';
		for (const char *c = s->host; *c; c++)
			*to++ = *c == ':' ? '_' : *c;
		to += sprintf(to, ":%u", s->port);
	}
	for (size_t i = 0; i < j->pin_count; i++)
		to += sprintf(to, "%c%s", i ? ',' : '/', j->pins[i]);
}

void join_wipe(struct join *j)
{
	explicit_bzero(j, sizeof(*j));
}
