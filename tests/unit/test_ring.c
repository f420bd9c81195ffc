/* SPDX-License-Identifier: Apache-2.0 */

/* The io_uring backend against the real kernel. */
// links: common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/event/send.c
// libs: -luring

#define BACKEND backend_ring
#define SUITE ring

#include <dirent.h>
#include <stdio.h>

#include "tests/unit/backend_cases.h"

/* The kernel must not have started a thread for anything we asked. */
static void expect_no_worker_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	while ((e = readdir(d))) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		cr_assert_not_null(fgets(name, sizeof(name), f));
		cr_assert(strncmp(name, "iou-wrk", 7) != 0, "%s", name);
		fclose(f);
	}
	closedir(d);
}

static void teardown(void)
{
	expect_no_worker_threads();
	finish();
}

TestSuite(ring, .init = setup, .fini = teardown);

Test(ring, hints_say_what_to_do)
{
	cr_assert(strstr(backend_ring_hint(EPERM), "seccomp") ||
		  strstr(backend_ring_hint(EPERM), "io_uring_disabled"));
	cr_assert(strstr(backend_ring_hint(ENOSYS), "seccomp"));
	cr_assert(strstr(backend_ring_hint(ENOMEM), "ulimit -l"));
	cr_assert(strstr(backend_ring_hint(EMFILE), "ulimit -n"));
	cr_assert(strstr(backend_ring_hint(EINVAL), "Linux 6.1"));
	cr_assert_gt(strlen(backend_ring_hint(EIO)), 5);
}
