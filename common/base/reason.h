/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Why a connection ended: one row of reason.def each.
 */

#ifndef ADIT_BASE_REASON_H
#define ADIT_BASE_REASON_H

#include <stdbool.h>

enum reason {
#define REASON(name, clean, text) REASON_##name,
#include "common/base/reason.def"
#undef REASON
	REASONS
};

/* Its short name, as in the counters. */
const char *reason_name(enum reason r);

/* One sentence for a log line. */
const char *reason_text(enum reason r);

/* Whether both directions were carried to their end. */
bool reason_is_clean(enum reason r);

#endif
