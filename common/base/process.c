/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of the sanitizers' libraries, where they are there. */
extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

/* What it was when the program began; zeroed until it is asked for. */
static struct rlimit limit;

bool process_keep_standard(const char *program)
{
	int fd;

	/* The lowest one that is free is what open(2) gives. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	else
		fprintf(stderr, "%s: /dev/null: %s\n", program,
			strerror(errno));
	return fd >= 0;
}

bool process_is_sanitized(void)
{
	return __asan_init != NULL || __tsan_init != NULL;
}

void process_forbid_dumps(void)
{
	struct rlimit none;

	if (limit.rlim_max == 0)
		getrlimit(RLIMIT_CORE, &limit);
	/* The upper limit stays: it could not be raised again. */
	none = (struct rlimit){ 0, limit.rlim_max };
	setrlimit(RLIMIT_CORE, &none);
	if (!process_is_sanitized())
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void process_allow_dumps(void)
{
	setrlimit(RLIMIT_CORE, &limit);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
