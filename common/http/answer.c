/* SPDX-License-Identifier: Apache-2.0 */

/* The answers: one row a status. */

#include "common/http/answer.h"

#include <stdio.h>
#include <string.h>

struct row {
	int status;
	const char *reason;   /* RFC 9110, section 15 */
	const char *sentence; /* NULL: frp's body, the reason; "": no body */
	const char *field;    /* further field lines, or "" */
};

#define LOGIN(name)                                          \
	name "-Authenticate: Basic realm=\"Restricted\"\r\n" \
	     "X-Content-Type-Options: nosniff\r\n"

static const struct row rows[] = {
	{ 200, "OK", "",
		"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" },
	{ 400, "Bad Request", "The request could not be understood.", "" },
	{ 401, "Unauthorized", NULL, LOGIN("WWW") },
	{ 404, "Not Found", "There is no site of this name here.", "" },
	{ 405, "Method Not Allowed", "This method is not carried here.",
		"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" },
	{ 407, "Proxy Authentication Required", NULL, LOGIN("Proxy") },
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

/* One file, in the colors that the visitor likes; status, reason, sentence. */
static const char page[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>%d %s</title>\n"
	"<style>\n"
	"body { font: 1em/1.6 system-ui, sans-serif; max-width: 34em;\n"
	"  margin: 15vh auto; padding: 0 1.5em; color: #222;\n"
	"  background: #fff }\n"
	"h1 { font-size: 1.4em }\n"
	"footer { margin-top: 3em; font-size: .85em; color: #666 }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"  body { color: #ddd; background: #181818 }\n"
	"  footer { color: #999 }\n"
	"}\n"
	"</style>\n"
	"<h1>%d %s</h1>\n"
	"<p>%s</p>\n"
	"%s%s%s"
	"</html>\n";

/* Our own body; its size. */
static int write_body(char *out, size_t size, const struct row *row,
	const struct answer *a, bool html)
{
	const char *id = a->id ? a->id : "";

	if (!row->sentence)
		return snprintf(out, size, "%s\n", row->reason);
	if (!*row->sentence)
		return 0;
	if (!html)
		return snprintf(out, size, "%d %s\n%s%s%s", row->status,
			row->sentence, *id ? "Request id: " : "", id,
			*id ? "\n" : "");
	return snprintf(out, size, page, row->status, row->reason, row->status,
		row->reason, row->sentence,
		*id ? "<footer>Request id: <code>" : "", id,
		*id ? "</code></footer>\n" : "");
}

static const char *connection(const struct answer *a)
{
	if (!a->keep)
		return "Connection: close\r\n";
	return a->old ? "Connection: keep-alive\r\n" : "";
}

struct answer_size answer_build(
	uint8_t *out, size_t size, const struct answer *answer)
{
	const struct row *row = find(answer->status);
	char own[ANSWER_SIZE_MAX];
	const char *body = answer->body;
	size_t body_len = answer->body_len;
	bool html;
	int n;

	if (!row)
		row = find(500);
	html = body || (answer->html && row->sentence && *row->sentence);
	if (!body) {
		body_len =
			(size_t)write_body(own, sizeof(own), row, answer, html);
		body = own;
	}
	n = snprintf((char *)out, size,
		"HTTP/1.1 %d %s\r\n"
		"%s%s%s"
		"Content-Type: text/%s; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Cache-Control: no-store\r\n"
		"%s%s\r\n",
		row->status, row->reason, answer->date ? "Date: " : "",
		answer->date ? answer->date : "", answer->date ? "\r\n" : "",
		html ? "html" : "plain", body_len, row->field,
		connection(answer));
	if (answer->head)
		body_len = 0;
	if (n < 0 || (size_t)n >= size || size - (size_t)n < body_len)
		return (struct answer_size){ 0 };
	memcpy(out + n, body, body_len);
	return (struct answer_size){ (size_t)n + body_len, body_len };
}
