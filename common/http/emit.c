/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The forwarded head, from a table of the fields that are not simply copied.
 */

#include "common/http/emit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/http/framing.h"
#include "common/http/head.h"
#include "common/http/target.h"

/* What happens to a field of the request. */
enum policy {
	COPY,          /* forwarded as it came */
	DROP,          /* of one connection, or written anew at the end */
	HOST,          /* the authority of the target, in its place */
	EXPECT,        /* kept only while it means something */
	FORWARDED_FOR, /* gathered; written at the end with the peer */
	TRUSTED,       /* kept from a trusted peer only */
	COUNTED,       /* of OPTIONS: one less */
	TUNNEL,        /* kept for CONNECT only */
};

struct rule {
	const char *name;
	enum policy policy;
	bool fixed; /* a nomination by Connection is ignored */
};

static const struct rule rules[] = {
	{ "Host", HOST, true },
	{ "Content-Length", COPY, true },
	{ "Transfer-Encoding", DROP, true },
	{ "Authorization", COPY, true },
	{ "Cookie", COPY, true },
	{ "Expect", EXPECT, true },
	{ "X-Forwarded-For", FORWARDED_FOR, true },
	{ "X-Forwarded-Host", TRUSTED, true },
	{ "X-Forwarded-Proto", TRUSTED, true },
	{ "Forwarded", TRUSTED, true },
	{ "X-Real-IP", TRUSTED, true },
	{ "Connection", DROP, true },
	{ "Upgrade", DROP, true },
	{ "Keep-Alive", DROP, true },
	{ "Proxy-Connection", DROP, true },
	{ "Proxy-Authenticate", DROP, true },
	{ "Proxy-Authorization", TUNNEL, true },
	{ "Max-Forwards", COUNTED, true },
	{ "HTTP2-Settings", DROP, true },
	{ "TE", DROP, true },
	{ "Trailer", DROP, true },
};

/* What is written so far; beyond `size` nothing is, but it is counted. */
struct writer {
	uint8_t *out;
	size_t size, used;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
	if (len > 0 && w->used + len <= w->size)
		memcpy(w->out + w->used, bytes, len);
	w->used += len;
}

static void put_word(struct writer *w, const char *word)
{
	put(w, word, strlen(word));
}

static void put_text(struct writer *w, struct http_text text)
{
	put(w, text.data, text.len);
}

static void put_field(struct writer *w, const char *name, const char *value)
{
	put_word(w, name);
	put_word(w, ": ");
	put_word(w, value);
	put_word(w, "\r\n");
}

size_t emit_set_size(const struct emit_set *set)
{
	size_t size = 0;

	for (size_t i = 0; set && i < set->count; i++)
		size += strlen(set->v[i].name) + strlen(set->v[i].value) + 4;
	return size;
}

static void put_set(struct writer *w, const struct emit_set *set)
{
	for (size_t i = 0; set && i < set->count; i++)
		put_field(w, set->v[i].name, set->v[i].value);
}

static bool is_set(const struct emit_set *set, struct http_text name)
{
	for (size_t i = 0; set && i < set->count; i++)
		if (text_equal(name, set->v[i].name))
			return true;
	return false;
}

/* The same for a service that takes `_` for `-`: no other is to pass for it. */
static bool is_set_loosely(const struct emit_set *set, struct http_text name)
{
	for (size_t i = 0; set && i < set->count; i++)
		if (text_equal_loose(name, set->v[i].name))
			return true;
	return false;
}

/* Whether a field of ours is set to something else. */
static bool is_set_anew(const struct emit_set *set, const char *name)
{
	return is_set(set, text_of(name));
}

/* RFC 3986 knows no bytes above 0x7f. */
static void put_encoded(struct writer *w, struct http_text text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.data[i];
		char hex[3] = { '%', digits[byte >> 4], digits[byte & 15] };

		if (byte < 0x80)
			put(w, &byte, 1);
		else
			put(w, hex, sizeof(hex));
	}
}

static void put_request_line(struct writer *w, const struct emit_params *p)
{
	const struct http_target *t = p->target;

	put_text(w, head_method(p->head, p->data));
	put_word(w, " ");
	if (t->form == TARGET_CONNECT || p->absolute) {
		put_encoded(w, head_target(p->head, p->data));
		put_word(w, " HTTP/1.1\r\n");
		return;
	}
	if (t->slash)
		put_word(w, "/");
	if (t->asterisk)
		put_word(w, "*");
	else
		put_encoded(w,
			(struct http_text){ p->data + t->path, t->path_len });
	put_word(w, " HTTP/1.1\r\n");
}

/* The rule of a name; one with `_` for `-` is nobody's and dropped. */
static const struct rule *find_rule(struct http_text name)
{
	static const struct rule imitation = { "", DROP, true };
	static const struct rule plain = { "", COPY, false };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (text_equal(name, rules[i].name))
			return &rules[i];
		if (text_equal_loose(name, rules[i].name))
			return &imitation;
	}
	return &plain;
}

static bool is_nominated(const struct http_head *head, const uint8_t *data,
	struct http_text name)
{
	int i = head_find(head, data, "Connection", 0);

	while (i >= 0) {
		struct http_text rest = head_value(head, data, (unsigned)i);
		struct http_text member;

		while (text_list_next(&rest, &member))
			if (text_same(member, name))
				return true;
		i = head_find(head, data, "Connection", (unsigned)i + 1);
	}
	return false;
}

/* The authority as it came: of the target, or of Host. */
static struct http_text authority(const struct emit_params *p)
{
	if (p->target->authority_len > 0)
		return (struct http_text){ p->data + p->target->authority,
			p->target->authority_len };
	return text_of(p->host ? p->host : "");
}

static void put_host(struct writer *w, const struct emit_params *p)
{
	put_word(w, "Host: ");
	if (p->rewrite)
		put_word(w, p->rewrite);
	else
		put_text(w, authority(p));
	put_word(w, "\r\n");
}

static void put_copy(struct writer *w, const struct emit_params *p, unsigned i)
{
	put_text(w, head_name(p->head, p->data, i));
	put_word(w, ": ");
	put_text(w, head_value(p->head, p->data, i));
	put_word(w, "\r\n");
}

/* RFC 9110, section 7.6.2; what is no number is passed on as it is. */
static void put_counted(
	struct writer *w, const struct emit_params *p, unsigned i)
{
	struct http_text value = head_value(p->head, p->data, i);
	uint64_t left;
	char text[24];

	if (!head_method_is(p->head, p->data, "OPTIONS") ||
		!text_number(value, &left) || left == 0) {
		put_copy(w, p, i);
		return;
	}
	snprintf(text, sizeof(text), "%llu", (unsigned long long)left - 1);
	put_field(w, "Max-Forwards", text);
}

static void put_request_field(
	struct writer *w, const struct emit_params *p, unsigned i)
{
	struct http_text name = head_name(p->head, p->data, i);
	const struct rule *rule = find_rule(name);

	if (is_set_loosely(p->set, name))
		return;
	switch (rule->policy) {
	case COPY:
		if (rule->fixed || !is_nominated(p->head, p->data, name))
			put_copy(w, p, i);
		break;
	case HOST:
		put_host(w, p);
		break;
	case EXPECT:
		if (p->framing->expect)
			put_copy(w, p, i);
		break;
	case TRUSTED:
		if (p->trusted)
			put_copy(w, p, i);
		break;
	case COUNTED:
		put_counted(w, p, i);
		break;
	case TUNNEL:
		if (p->target->form == TARGET_CONNECT)
			put_copy(w, p, i);
		break;
	case DROP:
	case FORWARDED_FOR:
		break;
	}
}

/* All addresses so far, then the peer's. False: they go in a circle. */
static bool put_forwarded_for(struct writer *w, const struct emit_params *p)
{
	unsigned entries = 0;
	int i = head_find(p->head, p->data, "X-Forwarded-For", 0);

	put_word(w, "X-Forwarded-For: ");
	while (i >= 0) {
		struct http_text rest =
			head_value(p->head, p->data, (unsigned)i);
		struct http_text member;

		while (text_list_next(&rest, &member)) {
			if (member.len == 0)
				continue;
			if (++entries > EMIT_FORWARDED_MAX)
				return false;
			put_text(w, member);
			put_word(w, ", ");
		}
		i = head_find(
			p->head, p->data, "X-Forwarded-For", (unsigned)i + 1);
	}
	put_word(w, p->peer);
	put_word(w, "\r\n");
	return true;
}

/* Whether a trusted peer has said this itself, or it is set. */
static bool is_told(const struct emit_params *p, const char *name)
{
	return is_set_anew(p->set, name) ||
	       (p->trusted && head_find(p->head, p->data, name, 0) >= 0);
}

/* False: they go in a circle. */
static bool put_forwarded(struct writer *w, const struct emit_params *p)
{
	if (!is_set_anew(p->set, "X-Forwarded-For") && !put_forwarded_for(w, p))
		return false;
	if (!is_told(p, "X-Forwarded-Host")) {
		put_word(w, "X-Forwarded-Host: ");
		put_text(w, authority(p));
		put_word(w, "\r\n");
	}
	return true;
}

static void put_via(struct writer *w, const struct http_head *head)
{
	put_field(w, "Via", head->minor == 0 ? "1.0 adit" : "1.1 adit");
}

static void put_request_connection(
	struct writer *w, const struct emit_params *p)
{
	if (p->framing->body == FRAMING_CHUNKED)
		put_field(w, "Transfer-Encoding", "chunked");
	if (p->upgrade && *p->upgrade) {
		put_field(w, "Connection", "Upgrade");
		put_field(w, "Upgrade", p->upgrade);
	} else if (p->framing->trailers) {
		put_field(w, "TE", "trailers");
		put_field(w, "Connection", "TE");
	}
}

ssize_t emit_request(
	uint8_t *out, size_t size, const struct emit_params *params)
{
	struct writer w = { .out = out, .size = size };
	bool tunnel = params->target->form == TARGET_CONNECT;

	put_request_line(&w, params);
	if (head_find(params->head, params->data, "Host", 0) < 0)
		put_host(&w, params);
	for (unsigned i = 0; i < params->head->count; i++)
		put_request_field(&w, params, i);
	if (!tunnel && !put_forwarded(&w, params))
		return -508;
	put_set(&w, params->set);
	if (!tunnel && !is_told(params, "X-Forwarded-Proto"))
		put_field(&w, "X-Forwarded-Proto",
			params->tls ? "https" : "http");
	if (params->via)
		put_via(&w, params->head);
	put_request_connection(&w, params);
	put_word(&w, "\r\n");
	return w.used <= size ? (ssize_t)w.used : -EMSGSIZE;
}

/* --- for the visitor --- */

/* What happens to a field of the response; others are copied. */
enum response_policy {
	KEEP,
	LOSE,
	LENGTH,  /* kept once, where there can be a body */
	UPGRADE, /* kept where it says something */
	DATE,    /* kept, and not added */
	TRAILER, /* kept where trailers are passed */
};

static const struct response_rule {
	const char *name;
	enum response_policy policy;
} response_rules[] = {
	{ "Content-Length", LENGTH },
	{ "Date", DATE },
	{ "Connection", LOSE },
	{ "Transfer-Encoding", LOSE },
	{ "Keep-Alive", LOSE },
	{ "Proxy-Connection", LOSE },
	{ "Upgrade", UPGRADE },
	{ "Trailer", TRAILER },
	{ "TE", LOSE },
	{ "Set-Cookie", KEEP },
	{ "WWW-Authenticate", KEEP },
};

static bool has_upgrade(const struct http_head *head)
{
	return head->code == 101 || head->code == 426;
}

/* Whether field i passes, whatever Connection says. */
static bool passes(const struct emit_response_params *p, unsigned i,
	const struct response_rule *rule)
{
	switch (rule->policy) {
	case KEEP:
	case DATE:
		return true;
	case LOSE:
		return false;
	case TRAILER:
		return p->trailers;
	case LENGTH:
		return !p->connect && p->head->code >= 200 &&
		       p->head->code != 204 &&
		       head_find(p->head, p->data, rule->name, 0) == (int)i;
	case UPGRADE:
		return has_upgrade(p->head);
	}
	never_reached();
}

/* A folded value's line ends become spaces. */
static void put_value(
	struct writer *w, const struct http_head *head, struct http_text value)
{
	if (!head->folded) {
		put_text(w, value);
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		uint8_t byte = value.data[i];

		put(w, byte == '\r' || byte == '\n' ? " " : (char *)&byte, 1);
	}
}

static void put_response_field(
	struct writer *w, const struct emit_response_params *p, unsigned i)
{
	struct http_text name = head_name(p->head, p->data, i);
	const struct response_rule *rule = NULL;

	for (size_t k = 0; !rule && k < ARRAY_SIZE(response_rules); k++)
		if (text_equal(name, response_rules[k].name))
			rule = &response_rules[k];
	if (is_set(p->set, name) ||
		(rule ? !passes(p, i, rule)
		      : is_nominated(p->head, p->data, name)))
		return;
	put_text(w, name);
	put_word(w, ": ");
	put_value(w, p->head, head_value(p->head, p->data, i));
	put_word(w, "\r\n");
}

/* What the visitor has to know of its connection. */
static void put_connection(
	struct writer *w, const struct emit_response_params *p)
{
	if (p->connect || (p->head->code < 200 && p->head->code != 101))
		return;
	if (has_upgrade(p->head))
		put_field(w, "Connection",
			p->close ? "Upgrade, close" : "Upgrade");
	else if (p->close)
		put_field(w, "Connection", "close");
	else if (p->old)
		put_field(w, "Connection", "keep-alive");
}

ssize_t emit_response(
	uint8_t *out, size_t size, const struct emit_response_params *params)
{
	struct writer w = { .out = out, .size = size };
	const struct http_head *head = params->head;
	char status[] = "HTTP/1.1 000 ";

	for (int i = 0, code = head->code; i < 3; i++, code /= 10)
		status[11 - i] = (char)('0' + code % 10);
	put_word(&w, status);
	put_text(&w, head_reason(head, params->data));
	put_word(&w, "\r\n");
	for (unsigned i = 0; i < head->count; i++)
		put_response_field(&w, params, i);
	if (head->code >= 200 && !is_set_anew(params->set, "Date") &&
		head_find(head, params->data, "Date", 0) < 0)
		put_field(&w, "Date", params->date);
	put_set(&w, params->set);
	if (params->via && head->code >= 200)
		put_via(&w, head);
	if (params->framing->body == FRAMING_CHUNKED && !params->old)
		put_field(&w, "Transfer-Encoding", "chunked");
	put_connection(&w, params);
	put_word(&w, "\r\n");
	return w.used <= size ? (ssize_t)w.used : -EMSGSIZE;
}
