/* SPDX-License-Identifier: Apache-2.0 */

/* How bandwidths are written. */
// links: common/base/bandwidth.c

#include "common/base/bandwidth.h"

#include <criterion/criterion.h>

#include "common/base/compiler.h"

Test(bandwidth, read)
{
	static const struct {
		const char *text;
		int64_t rate;
	} rows[] = {
		{ "", 0 },
		{ "1KB", 1024 },
		{ "500KB", 500 * 1024 },
		{ "1MB", 1 << 20 },
		{ "1.5MB", 3 << 19 },
		{ "0.5MB", 1 << 19 },
		{ "1.25KB", 1280 },
		{ "0.001MB", 1048 },
		{ "2.0000000000000001KB", 2048 },
		{ "007MB", 7 << 20 },
		{ "1000000MB", BANDWIDTH_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t rate = -1;

		cr_assert(bandwidth_parse(rows[i].text, &rate), "%s",
			rows[i].text);
		cr_assert_eq(rate, rows[i].rate, "%s: %lld", rows[i].text,
			(long long)rate);
	}
}

Test(bandwidth, refused)
{
	static const char *const texts[] = { "1", "1 MB", "1mb", "1Mb", "1B",
		"1GB", "MB", "-1MB", "+1MB", ".5MB", "1.MB", "1..5MB", "1e3KB",
		"1MBs", "1MB ", " 1MB", "0KB", "0MB", "0.5KB", "1000001MB",
		"99999999999999999999999KB", "1024000001KB", "nan", "infMB" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int64_t rate;

		cr_assert_not(bandwidth_parse(texts[i], &rate), "%s", texts[i]);
	}
}
