/* SPDX-License-Identifier: Apache-2.0 */

/* Host names and IPv6 literals to their one form. */

#include "common/http/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 253

/* A port: nothing, or at most five digits up to 65535. */
static bool port_valid(struct http_text text)
{
	uint32_t port = 0;

	if (text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		port = port * 10 + (text.data[i] - '0');
	}
	return port <= UINT16_MAX;
}

/* Behind the host: nothing, or a colon and perhaps a port. */
static bool tail_valid(struct http_text text)
{
	if (text.len == 0)
		return true;
	return text.data[0] == ':' &&
	       port_valid((struct http_text){ text.data + 1, text.len - 1 });
}

static bool name_valid(struct http_text name)
{
	bool label = false; /* the current label has a byte */

	for (size_t i = 0; i < name.len; i++) {
		if (!text_is(name.data[i], TEXT_HOST))
			return false;
		if (name.data[i] == '.' && !label)
			return false;
		label = name.data[i] != '.';
	}
	return label && name.len <= NAME_MAX_LEN;
}

static bool take_name(struct http_text text, char out[static HTTP_HOST_MAX])
{
	struct http_text name = { text.data, 0 };

	while (name.len < text.len && text.data[name.len] != ':')
		name.len++;
	if (!tail_valid((struct http_text){
		    text.data + name.len, text.len - name.len }))
		return false;
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	if (!name_valid(name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = (char)text_lower(name.data[i]);
	out[name.len] = '\0';
	return true;
}

static bool take_literal(struct http_text text, char out[static HTTP_HOST_MAX])
{
	char literal[INET6_ADDRSTRLEN], shortest[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t n = 1;

	while (n < text.len && text.data[n] != ']')
		n++;
	if (n == text.len || n - 1 >= sizeof(literal))
		return false;
	if (!tail_valid(
		    (struct http_text){ text.data + n + 1, text.len - n - 1 }))
		return false;
	memcpy(literal, text.data + 1, n - 1);
	literal[n - 1] = '\0';
	if (inet_pton(AF_INET6, literal, &address) != 1 ||
		!inet_ntop(AF_INET6, &address, shortest, sizeof(shortest)))
		return false;
	snprintf(out, HTTP_HOST_MAX, "[%s]", shortest);
	return true;
}

bool host_parse(struct http_text text, char out[static HTTP_HOST_MAX])
{
	bool valid = false;

	if (text.len > 0)
		valid = text.data[0] == '[' ? take_literal(text, out)
					    : take_name(text, out);
	if (!valid)
		out[0] = '\0';
	return valid;
}

bool host_normalise(
	const char *in, bool wildcard, char out[static HTTP_HOST_MAX])
{
	size_t skip = 0;
	char rest[HTTP_HOST_MAX];

	out[0] = '\0';
	if (wildcard && !strcmp(in, "*")) {
		strcpy(out, "*");
		return true;
	}
	if (wildcard && !strncmp(in, "*.", 2))
		skip = 2;
	/* A configured domain has no port. */
	if (in[skip] != '[' && strchr(in, ':'))
		return false;
	if (!host_parse((struct http_text){ (const uint8_t *)in + skip,
				strlen(in) - skip },
		    rest))
		return false;
	if (skip && (rest[0] == '[' || strlen(rest) + skip > NAME_MAX_LEN))
		return false;
	memcpy(out, in, skip);
	strcpy(out + skip, rest);
	return true;
}
