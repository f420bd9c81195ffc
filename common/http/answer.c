/* SPDX-License-Identifier: Apache-2.0 */

/* The answers: one row a status. */

#include "common/http/answer.h"

#include <stdio.h>
#include <string.h>

struct row {
	int status;
	const char *reason;   /* RFC 9110, section 15 */
	const char *sentence; /* the body */
	const char *field;    /* one more field line, or "" */
};

static const struct row rows[] = {
	{ 200, "OK", "",
		"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" },
	{ 400, "Bad Request", "The request could not be understood.", "" },
	{ 401, "Unauthorized", "This site asks for a login.",
		"WWW-Authenticate: Basic realm=\"Restricted\"\r\n" },
	{ 404, "Not Found", "There is no site of this name here.", "" },
	{ 405, "Method Not Allowed", "This method is not carried here.",
		"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" },
	{ 407, "Proxy Authentication Required", "This site asks for a login.",
		"Proxy-Authenticate: Basic realm=\"Restricted\"\r\n" },
	{ 408, "Request Timeout", "The request took too long to arrive.", "" },
	{ 414, "URI Too Long", "The request's target is too long.", "" },
	{ 417, "Expectation Failed", "This expectation is not met here.", "" },
	{ 431, "Request Header Fields Too Large",
		"The request's head is too large.", "" },
	{ 500, "Internal Server Error", "Something went wrong here.", "" },
	{ 501, "Not Implemented", "The request's coding is not carried here.",
		"" },
	{ 502, "Bad Gateway", "The site's answer made no sense.", "" },
	{ 503, "Service Unavailable", "The site is not reachable now.", "" },
	{ 504, "Gateway Timeout", "The site took too long to answer.", "" },
	{ 505, "HTTP Version Not Supported",
		"This version of HTTP is not spoken here.", "" },
	{ 508, "Loop Detected", "The request goes in a circle.", "" },
};

static const struct row *find(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].status == status)
			return &rows[i];
	return NULL;
}

const char *answer_reason(int status)
{
	const struct row *row = find(status);

	return row ? row->reason : NULL;
}

size_t answer_build(uint8_t *out, size_t size, const struct answer *answer)
{
	const struct row *row = find(answer->status);
	const char *type = answer->content_type;
	char sentence[80];
	size_t body_len = answer->body_len;
	const char *body = answer->body;
	int n;

	if (!row)
		row = find(500);
	if (!body && !*row->sentence) {
		body = "";
		type = "text/plain; charset=utf-8";
	} else if (!body) {
		body = sentence;
		body_len = (size_t)snprintf(sentence, sizeof(sentence),
			"%d %s\n", row->status, row->sentence);
		type = "text/plain; charset=utf-8";
	}
	n = snprintf((char *)out, size,
		"HTTP/1.1 %d %s\r\n"
		"%s%s%s"
		"Content-Type: %s\r\n"
		"Content-Length: %zu\r\n"
		"%s"
		"Connection: close\r\n\r\n",
		row->status, row->reason, answer->date ? "Date: " : "",
		answer->date ? answer->date : "", answer->date ? "\r\n" : "",
		type ? type : "text/html; charset=utf-8", body_len, row->field);
	if (answer->head)
		body_len = 0;
	if (n < 0 || (size_t)n >= size || size - (size_t)n < body_len)
		return 0;
	memcpy(out + n, body, body_len);
	return (size_t)n + body_len;
}
