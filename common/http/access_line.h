/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A line of the access log. What came from outside is escaped, so that a line
 * is a line and a field a field, whatever a visitor sends. Two forms:
 *
 * combined: Apache's and nginx's, with further fields behind it; what is not
 * known is `-`; a quote, a backslash and what is no printable ASCII is \xHH.
 *
 *   192.0.2.7 - - [25/Nov/2026:22:19:34 +0000] "GET / HTTP/1.1" 200 12 "-"
 *   "curl/8" host="a.test" proxy="web" in=0 first=0.001200 total=0.001300
 *   id=00f3a93e55d9c1b2 reason=done
 *
 * json: one object, with the same and the visitor's port; times in seconds,
 * UTC; what is not known is null, and bytes that are no UTF-8 are \u00HH.
 */

#ifndef ADIT_HTTP_ACCESS_LINE_H
#define ADIT_HTTP_ACCESS_LINE_H

#include <stddef.h>
#include <time.h>

#include "common/http/access_record.h"

enum access_format {
	ACCESS_COMBINED,
	ACCESS_JSON
};

/* Bytes of a line with its line feed: each byte of a text may become six. */
#define ACCESS_LINE_MAX (ACCESS_TEXT_MAX * 6 + 1024)

/* The time of the last line, down to the second; all zero is empty. */
struct access_clock {
	time_t second;
	char text[40];
};

/*
 * Write the line, of at most ACCESS_LINE_MAX bytes, with a line feed and no
 * NUL; its size. The clock is for one format only.
 */
size_t access_line(char out[static ACCESS_LINE_MAX],
	const struct access_record *r, enum access_format format,
	struct access_clock *clock);

#endif
