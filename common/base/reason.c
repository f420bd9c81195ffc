/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/reason.h"

static const struct {
	const char *name, *text;
	bool clean;
} rows[] = {
#define REASON(name, clean, text) { #name, text, clean },
#include "common/base/reason.def"
#undef REASON
};

const char *reason_name(enum reason r)
{
	return rows[r].name;
}

const char *reason_text(enum reason r)
{
	return rows[r].text;
}

bool reason_is_clean(enum reason r)
{
	return rows[r].clean;
}
