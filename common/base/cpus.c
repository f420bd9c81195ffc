/* SPDX-License-Identifier: Apache-2.0 */

#include "common/base/cpus.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 4608

/* The first line of a file; false if there is none. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(line, size, f);
	fclose(f);
	return ok;
}

/* CPUs that this much time (us) of a period (us) is; 0: no limit. */
static int to_cpus(int64_t quota, int64_t period)
{
	int64_t n;

	if (quota <= 0 || period <= 0)
		return 0;
	n = (quota + period - 1) / period;
	return n > INT32_MAX ? 0 : (int)n;
}

/* cgroup v2: "max 100000" or "150000 100000" (cgroups(7)). */
static int quota_v2(const char *dir)
{
	char path[PATH_SIZE + 16], line[64];
	int64_t quota, period;

	snprintf(path, sizeof(path), "%s/cpu.max", dir);
	if (!read_line(path, line, sizeof(line)) ||
		sscanf(line, "%" SCNd64 " %" SCNd64, &quota, &period) != 2)
		return 0;
	return to_cpus(quota, period);
}

/* cgroup v1: two files; -1 is no limit. */
static int quota_v1(const char *dir)
{
	char path[PATH_SIZE + 32], line[64];
	int64_t quota;

	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", dir);
	if (!read_line(path, line, sizeof(line)))
		return 0;
	quota = strtoll(line, NULL, 10);
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", dir);
	if (!read_line(path, line, sizeof(line)))
		return 0;
	return to_cpus(quota, strtoll(line, NULL, 10));
}

/* The smallest limit from the group up to its mount, `top` bytes long. */
static int smallest(char *dir, size_t top, int (*quota)(const char *dir))
{
	int least = 0;

	for (;;) {
		int n = quota(dir);
		char *slash = strrchr(dir, '/');

		if (n > 0 && (least == 0 || n < least))
			least = n;
		if (strlen(dir) <= top || !slash)
			return least;
		*slash = '\0';
	}
}

/* Whether a comma-separated list has the word "cpu". */
static bool has_cpu(const char *controllers)
{
	while (controllers) {
		if (!strncmp(controllers, "cpu", 3) &&
			(controllers[3] == '\0' || controllers[3] == ','))
			return true;
		controllers = strchr(controllers, ',');
		controllers += controllers ? 1 : 0;
	}
	return false;
}

/* One line of /proc/self/cgroup: "ID:CONTROLLERS:PATH". */
static int quota_of_line(const char *root, char *line)
{
	char *controllers = strchr(line, ':'), *path, dir[PATH_SIZE];
	const char *mount;
	int n;

	path = controllers ? strchr(++controllers, ':') : NULL;
	if (!path)
		return 0;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (path[0] == '/' && path[1] == '\0')
		path++;
	if (*controllers == '\0')
		mount = "sys/fs/cgroup";
	else if (has_cpu(controllers))
		mount = "sys/fs/cgroup/cpu";
	else
		return 0;
	n = snprintf(dir, sizeof(dir), "%s/%s%s", root, mount, path);
	if (n >= (int)sizeof(dir))
		return 0;
	return smallest(dir, strlen(root) + 1 + strlen(mount),
		*controllers ? quota_v1 : quota_v2);
}

int cpus_quota(const char *root)
{
	char path[PATH_SIZE], line[4096];
	int least = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		int n = quota_of_line(root, line);

		if (n > 0 && (least == 0 || n < least))
			least = n;
	}
	fclose(f);
	return least;
}

int cpus_available(const char *root)
{
	cpu_set_t set;
	int n = 1, quota = cpus_quota(root);

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	if (quota > 0 && quota < n)
		n = quota;
	return n > 0 ? n : 1;
}
