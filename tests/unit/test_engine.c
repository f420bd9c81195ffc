/* SPDX-License-Identifier: Apache-2.0 */

/* The decision between copying and splicing, row by row. */
// links: common/relay/engine.c

#include "common/relay/engine.h"

#include <criterion/criterion.h>

#include "common/base/compiler.h"

#define AUTO(kind, thin)                         \
	{                                        \
		ENGINE_AUTO, ENGINE_##kind, thin \
	}

static const struct {
	const char *what;
	struct engine before;
	struct engine_wake wake;
	struct engine after;
} rows[] = {
	{ "small bytes are copied", AUTO(COPY, 0), { 32, 0, false, false },
		AUTO(COPY, 0) },
	{ "a full buffer alone says nothing", AUTO(COPY, 0),
		{ 16376, 0, true, false }, AUTO(COPY, 0) },
	{ "bytes left behind a part of a buffer say nothing", AUTO(COPY, 0),
		{ 9000, 0, false, true }, AUTO(COPY, 0) },
	{ "a full buffer and more in the socket is bulk", AUTO(COPY, 0),
		{ 16376, 0, true, true }, AUTO(SPLICE, 0) },
	{ "a long known rest is bulk", AUTO(COPY, 0),
		{ 300, ENGINE_BULK, false, false }, AUTO(SPLICE, 0) },
	{ "a short known rest is not", AUTO(COPY, 0),
		{ 300, ENGINE_BULK - 1, false, true }, AUTO(COPY, 0) },
	{ "bulk goes on", AUTO(SPLICE, 0), { 65536, 0, false, true },
		AUTO(SPLICE, 0) },
	{ "a thin wake is counted", AUTO(SPLICE, 0),
		{ ENGINE_THIN - 1, 0, false, false }, AUTO(SPLICE, 1) },
	{ "a fat one forgives", AUTO(SPLICE, 3),
		{ ENGINE_THIN, 0, false, false }, AUTO(SPLICE, 0) },
	{ "the last thin one ends the bulk",
		AUTO(SPLICE, ENGINE_THIN_WAKES - 1), { 1, 0, false, false },
		AUTO(COPY, 0) },
	{ "copy stays copy", { ENGINE_ALWAYS_COPY, ENGINE_COPY, 0 },
		{ 16376, 1 << 20, true, true },
		{ ENGINE_ALWAYS_COPY, ENGINE_COPY, 0 } },
	{ "splice stays splice", { ENGINE_ALWAYS_SPLICE, ENGINE_SPLICE, 0 },
		{ 1, 0, false, false },
		{ ENGINE_ALWAYS_SPLICE, ENGINE_SPLICE, 0 } },
};

Test(engine, decides)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct engine e = engine_next(rows[i].before, &rows[i].wake);

		cr_assert_eq(e.mode, rows[i].after.mode, "%s", rows[i].what);
		cr_assert_eq(e.kind, rows[i].after.kind, "%s", rows[i].what);
		cr_assert_eq(e.thin, rows[i].after.thin, "%s", rows[i].what);
	}
}

Test(engine, starts)
{
	cr_assert_eq(engine_start(ENGINE_AUTO).kind, ENGINE_COPY);
	cr_assert_eq(engine_start(ENGINE_ALWAYS_COPY).kind, ENGINE_COPY);
	cr_assert_eq(engine_start(ENGINE_ALWAYS_SPLICE).kind, ENGINE_SPLICE);
}
