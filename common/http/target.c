/* SPDX-License-Identifier: Apache-2.0 */

/* The four forms of RFC 9112, section 3.2. */

#include "common/http/target.h"

#include <string.h>

#include "common/http/head.h"

static int refuse(struct http_target *target, int status, const char *error)
{
	target->error = error;
	target->host[0] = '\0';
	return -status;
}

/* Exactly one valid Host; HTTP/1.0 may have none. */
static int take_host(struct http_target *target, const struct http_head *head,
	const uint8_t *data)
{
	int i = head_find(head, data, "Host", 0);

	if (i < 0)
		return head->minor == 0 ? 0 : refuse(target, 400, "no Host");
	if (head_find(head, data, "Host", (unsigned)i + 1) >= 0)
		return refuse(target, 400, "two Host fields");
	if (!host_parse(head_value(head, data, (unsigned)i), target->host))
		return refuse(target, 400, "bad Host");
	target->authority = head->fields[i].value;
	target->authority_len = head->fields[i].value_len;
	return 0;
}

/* http://authority[/path][?query]; user information is refused. */
static int take_absolute(struct http_target *target,
	const struct http_head *head, const uint8_t *data)
{
	static const uint16_t scheme = sizeof("http://") - 1;
	struct http_text text = head_target(head, data);
	uint16_t n = scheme;

	if (!text_has_prefix(text, "http://"))
		return refuse(target, 400, "bad target");
	while (n < text.len && text.data[n] != '/' && text.data[n] != '?')
		n++;
	if (!host_parse((struct http_text){ text.data + scheme,
				(size_t)(n - scheme) },
		    target->host))
		return refuse(target, 400, "bad authority");
	target->form = TARGET_ABSOLUTE;
	target->authority = head->target + scheme;
	target->authority_len = n - scheme;
	target->path = head->target + n;
	target->path_len = (uint16_t)(text.len - n);
	target->asterisk =
		target->path_len == 0 && head_method_is(head, data, "OPTIONS");
	target->slash = !target->asterisk &&
			(target->path_len == 0 || text.data[n] == '?');
	return 0;
}

/* RFC 9110, section 9.3.6: a host and a port, which is not left out. */
static int take_connect(struct http_target *target,
	const struct http_head *head, const uint8_t *data)
{
	struct http_text text = head_target(head, data);

	if (text.data[text.len - 1] < '0' || text.data[text.len - 1] > '9' ||
		!memchr(text.data, ':', text.len) ||
		!host_parse(text, target->host))
		return refuse(target, 400, "bad authority");
	target->form = TARGET_CONNECT;
	target->authority = head->target;
	target->authority_len = head->target_len;
	return 0;
}

int target_authority(struct http_target *target, const struct http_head *head,
	const uint8_t *data)
{
	struct http_text text = head_target(head, data);
	int rc;

	*target = (struct http_target){ .form = TARGET_ORIGIN };
	if (head_method_is(head, data, "TRACE"))
		return refuse(target, 405, "method not carried");
	rc = take_host(target, head, data);
	if (rc < 0)
		return rc;
	if (head_method_is(head, data, "CONNECT"))
		return take_connect(target, head, data);
	if (text.data[0] == '/') {
		target->path = head->target;
		target->path_len = head->target_len;
		return 0;
	}
	if (text.len == 1 && text.data[0] == '*') {
		if (!head_method_is(head, data, "OPTIONS"))
			return refuse(target, 400, "bad target");
		target->form = TARGET_ASTERISK;
		target->asterisk = true;
		return 0;
	}
	return take_absolute(target, head, data);
}
