/* SPDX-License-Identifier: Apache-2.0 */

/* After an exchange: who goes on, for each combination of facts. */
// links: common/http/settle.c

#include "common/http/settle.h"

#include <criterion/criterion.h>

#define GOOD .response = RESPONSE_WHOLE, .request_whole = true

static const struct {
	const char *name;
	struct settle_facts f;
	struct settlement s;
} rows[] = {
	{ "all is well", { GOOD }, { WORK_SHARED, VISITOR_KEEPS } },
	{ "the visitor ends", { GOOD, .visitor_closes = true },
		{ WORK_SHARED, VISITOR_LINGERS } },
	{ "the service ends", { GOOD, .service_closes = true },
		{ WORK_ENDS, VISITOR_KEEPS } },
	{ "a repaired response", { GOOD, .repaired = true },
		{ WORK_ENDS, VISITOR_KEEPS } },
	{ "bytes after it", { GOOD, .surplus = true },
		{ WORK_ENDS, VISITOR_KEEPS } },
	{ "a body with GET", { GOOD, .safe_with_body = true },
		{ WORK_PRIVATE, VISITOR_KEEPS } },
	{ "NTLM", { GOOD, .pinned = true }, { WORK_PRIVATE, VISITOR_KEEPS } },
	{ "NTLM, and the visitor ends",
		{ GOOD, .pinned = true, .visitor_closes = true },
		{ WORK_ENDS, VISITOR_LINGERS } },
	{ "NTLM once, some requests ago", { GOOD, .was_private = true },
		{ WORK_PRIVATE, VISITOR_KEEPS } },
	{ "an early answer", { .response = RESPONSE_WHOLE },
		{ WORK_ENDS, VISITOR_LINGERS } },
	{ "a cut response", { .response = RESPONSE_CUT, .request_whole = true },
		{ WORK_ENDS, VISITOR_IS_CUT } },
	{ "no response", { .response = RESPONSE_NONE, .request_whole = true },
		{ WORK_ENDS, VISITOR_IS_ANSWERED } },
	{ "no response, the request is not through either",
		{ .response = RESPONSE_NONE },
		{ WORK_ENDS, VISITOR_IS_SENT_OFF } },
	{ "no response, and the visitor ends",
		{ .response = RESPONSE_NONE,
			.request_whole = true,
			.visitor_closes = true },
		{ WORK_ENDS, VISITOR_IS_SENT_OFF } },
	{ "the visitor has gone before the response",
		{ .response = RESPONSE_NONE, .visitor_failed = true },
		{ WORK_ENDS, VISITOR_IS_CUT } },
	{ "the visitor takes no more",
		{ .response = RESPONSE_CUT, .visitor_failed = true },
		{ WORK_ENDS, VISITOR_IS_CUT } },
};

Test(settle, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct settlement s = settle(&rows[i].f);

		cr_assert_eq(s.work, rows[i].s.work, "%s", rows[i].name);
		cr_assert_eq(s.visitor, rows[i].s.visitor, "%s", rows[i].name);
	}
}

/* Of all combinations: what is shared came clean out of a whole exchange. */
Test(settle, the_gate)
{
	for (unsigned bits = 0; bits < 3u << 9; bits++) {
		struct settle_facts f = {
			.response = (enum settle_response)(bits >> 9),
			.request_whole = bits & 1,
			.safe_with_body = bits & 2,
			.service_closes = bits & 4,
			.repaired = bits & 8,
			.surplus = bits & 16,
			.pinned = bits & 32,
			.visitor_closes = bits & 64,
			.visitor_failed = bits & 128,
			.was_private = bits & 256,
		};
		struct settlement s = settle(&f);

		cr_assert_eq(s.work == WORK_SHARED,
			f.response == RESPONSE_WHOLE && f.request_whole &&
				!(bits & (2 | 4 | 8 | 16 | 32 | 256)));
		if (s.visitor == VISITOR_KEEPS)
			cr_assert(f.response == RESPONSE_WHOLE &&
				  f.request_whole && !f.visitor_closes &&
				  !f.visitor_failed);
		if (s.work == WORK_PRIVATE)
			cr_assert_eq(s.visitor, VISITOR_KEEPS);
		if (f.response == RESPONSE_CUT || f.visitor_failed)
			cr_assert_eq(s.visitor, VISITOR_IS_CUT);
	}
}
