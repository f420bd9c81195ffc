/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Linked with every unit test: an assertion that fails in a teardown fails the
 * test. For Criterion its test has passed by then.
 */

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>

static size_t late;

ReportHook(POST_FINI)(struct criterion_test_stats *s)
{
	if (s->test_status != CR_STATUS_PASSED || s->failed_asserts == 0)
		return;
	late++;
	printf("not ok - %s::%s: an assertion of its teardown failed\n",
		s->test->category, s->test->name);
}

ReportHook(POST_ALL)(struct criterion_global_stats *s)
{
	s->tests_failed += late;
}
