/* SPDX-License-Identifier: Apache-2.0 */

/* The time of day as HTTP writes it (RFC 9110, section 5.6.7). */

#ifndef ADIT_HTTP_DATE_H
#define ADIT_HTTP_DATE_H

#include <time.h>

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define HTTP_DATE_SIZE 30

/* The text of the last second that was asked for; all zero is empty. */
struct http_date {
	time_t second;
	char text[HTTP_DATE_SIZE];
};

/* The text for that second, written anew only when it is another one. */
const char *http_date(struct http_date *d, time_t second);

#endif
