/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/date.h"

#include <stdio.h>

const char *http_date(struct http_date *d, time_t second)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm t;

	if (d->text[0] && d->second == second)
		return d->text;
	/* Not strftime(3): the words are the same in all locales. */
	gmtime_r(&second, &t);
	d->second = second;
	snprintf(d->text, sizeof(d->text),
		"%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
		t.tm_mday, months[t.tm_mon], (t.tm_year + 1900) % 10000,
		t.tm_hour, t.tm_min, t.tm_sec);
	return d->text;
}
