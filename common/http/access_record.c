/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/access_record.h"

#include <stdlib.h>

#include "common/http/head.h"

static const uint16_t most[ACCESS_TEXTS] = {
	[ACCESS_METHOD] = ACCESS_METHOD_MAX,
	[ACCESS_TARGET] = ACCESS_TARGET_MAX,
	[ACCESS_HOST] = ACCESS_HOST_MAX,
	[ACCESS_REFERER] = ACCESS_REFERER_MAX,
	[ACCESS_AGENT] = ACCESS_AGENT_MAX,
	[ACCESS_PROXY] = ACCESS_PROXY_MAX,
};

static struct http_text field(
	const struct http_head *head, const uint8_t *data, const char *name)
{
	int i = head_find(head, data, name, 0);

	return i < 0 ? (struct http_text){ 0 }
		     : head_value(head, data, (unsigned)i);
}

struct access_record *access_record_new(
	const struct http_head *head, const uint8_t *data, const char *proxy)
{
	struct http_text texts[ACCESS_TEXTS] = { 0 };
	struct access_record *r;
	size_t size = 0;
	char *at;

	if (head) {
		texts[ACCESS_METHOD] = head_method(head, data);
		texts[ACCESS_TARGET] = head_target(head, data);
		texts[ACCESS_HOST] = field(head, data, "Host");
		texts[ACCESS_REFERER] = field(head, data, "Referer");
		texts[ACCESS_AGENT] = field(head, data, "User-Agent");
	}
	if (proxy)
		texts[ACCESS_PROXY] = text_of(proxy);
	for (int i = 0; i < ACCESS_TEXTS; i++) {
		if (texts[i].len > most[i])
			texts[i].len = most[i];
		size += texts[i].len;
	}
	r = malloc(sizeof(*r) + size);
	if (!r)
		return NULL;
	*r = (struct access_record){ .minor = head ? head->minor : 0 };
	at = r->text;
	for (int i = 0; i < ACCESS_TEXTS; i++) {
		r->size[i] = (uint16_t)texts[i].len;
		if (texts[i].len)
			memcpy(at, texts[i].data, texts[i].len);
		at += texts[i].len;
	}
	return r;
}

uint32_t access_record_size(const struct access_record *r)
{
	size_t size = sizeof(*r);

	for (int i = 0; i < ACCESS_TEXTS; i++)
		size += r->size[i];
	return (uint32_t)size;
}
