/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over the fields collects what frames the request; the decisions
 * follow from that. Whatever two recipients might read differently is refused.
 */

#include "common/http/framing.h"

#include <string.h>

#include "common/http/head.h"

/* What the fields say, before it is judged. */
struct seen {
	unsigned lengths, codings, expectations, options;
	struct http_text length, coding, expectation;
	bool close, keep_alive, upgrade_nominated, upgrade;
	bool other_length; /* two that differ */
	bool pinned, trailers;
	uint32_t keeps_s;
};

static int refuse(struct http_framing *framing, int status, const char *error)
{
	framing->error = error;
	return -status;
}

/* The members of one Connection field. */
static bool collect_options(struct seen *seen, struct http_text value)
{
	struct http_text member;

	while (text_list_next(&value, &member)) {
		if (member.len == 0)
			continue;
		if (!text_is_token(member) ||
			++seen->options > HTTP_OPTIONS_MAX)
			return false;
		if (text_equal(member, "close"))
			seen->close = true;
		else if (text_equal(member, "keep-alive"))
			seen->keep_alive = true;
		else if (text_equal(member, "upgrade"))
			seen->upgrade_nominated = true;
	}
	return true;
}

/* These schemes authenticate a connection, not a request. */
static bool is_pinning(struct http_text value)
{
	static const char *const schemes[] = { "NTLM", "Nego" };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (text_has_prefix(value, schemes[i]))
			return true;
	return false;
}

static void collect_trailers(struct seen *seen, struct http_text value)
{
	struct http_text member;

	while (text_list_next(&value, &member))
		if (text_equal(member, "trailers"))
			seen->trailers = true;
}

/* "timeout=5, max=100" */
static void collect_keep_alive(struct seen *seen, struct http_text value)
{
	static const char key[] = "timeout=";
	static const size_t n = sizeof(key) - 1;
	struct http_text member;
	uint64_t seconds;

	while (text_list_next(&value, &member))
		if (text_has_prefix(member, key) &&
			text_number((struct http_text){ member.data + n,
					    member.len - n },
				&seconds) &&
			seconds <= UINT32_MAX)
			seen->keeps_s = (uint32_t)seconds;
}

static void collect_length(struct seen *seen, struct http_text value)
{
	seen->other_length |=
		seen->lengths > 0 && !text_same(seen->length, value);
	seen->lengths++;
	seen->length = value;
}

static int collect(struct http_framing *framing, struct seen *seen,
	const struct http_head *head, const uint8_t *data)
{
	for (unsigned i = 0; i < head->count; i++) {
		struct http_text name = head_name(head, data, i);
		struct http_text value = head_value(head, data, i);

		if (text_equal(name, "Content-Length")) {
			collect_length(seen, value);
		} else if (text_equal(name, "Transfer-Encoding")) {
			seen->codings++;
			seen->coding = value;
		} else if (text_equal_loose(name, "Content-Length") ||
			   text_equal_loose(name, "Transfer-Encoding")) {
			/* Some services take `_` for `-`. */
			return refuse(framing, 400, "underscore in framing");
		} else if (text_equal(name, "Expect")) {
			seen->expectations++;
			seen->expectation = value;
		} else if (text_equal(name, "Upgrade")) {
			seen->upgrade = true;
		} else if (text_equal(name, "TE")) {
			collect_trailers(seen, value);
		} else if (text_equal(name, "Keep-Alive")) {
			collect_keep_alive(seen, value);
		} else if (text_equal(name, "Authorization") ||
			   text_equal(name, "WWW-Authenticate") ||
			   text_equal(name, "Proxy-Authenticate")) {
			seen->pinned |= is_pinning(value);
		} else if (text_equal(name, "Connection") &&
			   !collect_options(seen, value)) {
			return refuse(framing, 400, "bad Connection");
		}
	}
	return 0;
}

/* One canonical decimal number, RFC 9110, section 8.6. */
static int decide_length(struct http_framing *framing, struct http_text text)
{
	uint64_t length = 0;

	if (text.len == 0 || text.len > 19 ||
		(text.len > 1 && text.data[0] == '0'))
		return refuse(framing, 400, "bad Content-Length");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return refuse(framing, 400, "bad Content-Length");
		/* 19 digits stay below 2^64. */
		length = length * 10 + (text.data[i] - '0');
	}
	if (length > INT64_MAX)
		return refuse(framing, 400, "Content-Length too large");
	framing->body = FRAMING_LENGTH;
	framing->length = length;
	return 0;
}

/* Only `chunked`; other codings before it are known but not carried. */
static int decide_coding(struct http_framing *framing, struct http_text value)
{
	struct http_text member;
	unsigned before = 0;
	bool chunked = false;

	while (text_list_next(&value, &member)) {
		if (chunked || !text_is_token(member))
			return refuse(framing, 400, "bad Transfer-Encoding");
		chunked = text_equal(member, "chunked");
		before += !chunked;
	}
	if (!chunked)
		return refuse(framing, 400, "bad Transfer-Encoding");
	if (before > 0)
		return refuse(framing, 501, "unknown transfer coding");
	framing->body = FRAMING_CHUNKED;
	return 0;
}

static int decide_body(struct http_framing *framing, const struct seen *seen,
	const struct http_head *head)
{
	if (seen->codings > 0 && seen->lengths > 0)
		return refuse(
			framing, 400, "Content-Length and Transfer-Encoding");
	if (seen->lengths > 1 || seen->codings > 1)
		return refuse(framing, 400, "framing given twice");
	if (seen->codings > 0 && head->minor == 0)
		return refuse(framing, 400, "Transfer-Encoding in HTTP/1.0");
	if (seen->lengths > 0)
		return decide_length(framing, seen->length);
	if (seen->codings > 0)
		return decide_coding(framing, seen->coding);
	return 0;
}

int framing_request(struct http_framing *framing, const struct http_head *head,
	const uint8_t *data)
{
	struct seen seen = { 0 };
	int rc;

	*framing = (struct http_framing){ .body = FRAMING_NONE };
	rc = collect(framing, &seen, head, data);
	if (rc == 0)
		rc = decide_body(framing, &seen, head);
	if (rc < 0)
		return rc;
	if (seen.expectations > 1 ||
		(seen.expectations == 1 &&
			!text_equal(seen.expectation, "100-continue")))
		return refuse(framing, 417, "unknown expectation");
	framing->expect = seen.expectations == 1 && head->minor == 1 &&
			  framing_has_body(framing);
	framing->upgrade = seen.upgrade && seen.upgrade_nominated &&
			   head->minor == 1 && !framing_has_body(framing);
	framing->close = seen.close || (head->minor == 0 && !seen.keep_alive);
	framing->pinned = seen.pinned;
	framing->trailers = seen.trailers && head->minor == 1;
	return 0;
}

/* A response that has no body, RFC 9110, section 6.4.1. */
static bool is_bodiless(const struct http_head *head, bool bodiless)
{
	return bodiless || head->code < 200 || head->code == 204 ||
	       head->code == 304;
}

/* `identity` is what older servers say for "none". */
static bool is_identity(const struct seen *seen)
{
	return seen->codings == 1 && text_equal(seen->coding, "identity");
}

static int decide_response(struct http_framing *framing, struct seen *seen,
	const struct http_head *head)
{
	int rc = 0;

	if (is_identity(seen)) {
		framing->repaired = true;
		seen->codings = 0;
	}
	if (seen->other_length)
		return refuse(framing, 502, "two lengths");
	if (seen->lengths > 1) {
		framing->repaired = true;
		seen->lengths = 1;
	}
	if (seen->codings + seen->lengths == 0)
		framing->body = FRAMING_CLOSE;
	else
		rc = decide_body(framing, seen, head);
	/* Whatever it was refused for, it is the service's fault. */
	return rc < 0 ? refuse(framing, 502, framing->error) : 0;
}

int framing_response(struct http_framing *framing, const struct http_head *head,
	const uint8_t *data, bool bodiless)
{
	struct seen seen = { 0 };
	int rc;

	*framing = (struct http_framing){ .body = FRAMING_NONE };
	rc = collect(framing, &seen, head, data);
	if (rc == 0)
		rc = decide_response(framing, &seen, head);
	if (rc < 0)
		return -502;
	framing->upgrade = head->code == 101 && seen.upgrade &&
			   seen.upgrade_nominated && head->minor == 1;
	framing->close = seen.close || framing->body == FRAMING_CLOSE ||
			 (head->minor == 0 && !seen.keep_alive);
	framing->pinned = seen.pinned;
	framing->repaired |= head->repaired;
	framing->keeps_s = seen.keeps_s;
	if (is_bodiless(head, bodiless)) {
		framing->close =
			seen.close || (head->minor == 0 && !seen.keep_alive);
		framing->body = FRAMING_NONE;
		framing->length = 0;
	}
	return 0;
}
