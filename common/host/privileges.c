/* SPDX-License-Identifier: Apache-2.0 */

/* The system calls themselves: libcap would be one more library to load. */

#include "common/host/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORTS (UINT64_C(1) << CAP_NET_BIND_SERVICE)

/* The three sets of a thread that capset(2) changes. */
struct sets {
	uint64_t effective, permitted, inheritable;
};

static struct __user_cap_header_struct header = {
	.version = _LINUX_CAPABILITY_VERSION_3
};

static int read_sets(struct sets *s)
{
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int rc = syscall(SYS_capget, &header, d) < 0 ? -errno : 0;

	/* None, where they cannot be read. */
	s->effective = d[0].effective | (uint64_t)d[1].effective << 32;
	s->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	s->inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	return rc;
}

static int write_sets(const struct sets *s)
{
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		d[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(s->effective >> 32 * i),
			.permitted = (uint32_t)(s->permitted >> 32 * i),
			.inheritable = (uint32_t)(s->inheritable >> 32 * i)
		};
	return syscall(SYS_capset, &header, d) < 0 ? -errno : 0;
}

/* A number that is all of the text; -1: it is none. */
static int64_t read_id(const char *text)
{
	char *end;
	unsigned long long id;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	id = strtoull(text, &end, 10);
	/* (uid_t)-1 is nobody for setresuid(2). */
	return *end || id >= UINT32_MAX ? -1 : (int64_t)id;
}

static int find_user(struct privileges_user *u, const char *name)
{
	int64_t id = read_id(name);
	const struct passwd *p = id < 0 ? getpwnam(name) : getpwuid((uid_t)id);

	if (!p && id < 0)
		return -ENOENT;
	u->uid = p ? p->pw_uid : (uid_t)id;
	u->gid = p ? p->pw_gid : (gid_t)id;
	u->own_group = true;
	if (p)
		snprintf(u->name, sizeof(u->name), "%s", p->pw_name);
	return 0;
}

static int find_group(struct privileges_user *u, const char *name)
{
	int64_t id = read_id(name);
	const struct group *g = id < 0 ? getgrnam(name) : NULL;

	if (!g && id < 0)
		return -ENOENT;
	u->gid = g ? g->gr_gid : (gid_t)id;
	u->own_group = false;
	return 0;
}

int privileges_find(
	struct privileges_user *u, const char *text, char *why, size_t size)
{
	const char *colon = strchr(text, ':');
	char user[sizeof(u->name)];
	int rc = 0;

	*u = (struct privileges_user){ 0 };
	snprintf(user, sizeof(user), "%.*s",
		colon ? (int)(colon - text) : (int)strlen(text), text);
	if (!*user || (colon && !colon[1])) {
		snprintf(why, size, "USER or USER:GROUP is allowed");
		return -EINVAL;
	}
	if (find_user(u, user) < 0) {
		snprintf(why, size, "there is no user %s", user);
		rc = -ENOENT;
	} else if (colon && find_group(u, colon + 1) < 0) {
		snprintf(why, size, "there is no group %.64s", colon + 1);
		rc = -ENOENT;
	}
	return rc;
}

static bool is_already(const struct privileges_user *u)
{
	return getuid() == u->uid && geteuid() == u->uid &&
	       getgid() == u->gid && getegid() == u->gid;
}

static int change_groups(const struct privileges_user *u)
{
	int rc = *u->name && u->own_group ? initgroups(u->name, u->gid)
					  : setgroups(1, &u->gid);

	if (rc == 0)
		rc = setresgid(u->gid, u->gid, u->gid);
	return rc < 0 ? -errno : 0;
}

int privileges_become(const struct privileges_user *u)
{
	struct sets sets;
	int rc;

	if (is_already(u))
		return 0;
	rc = change_groups(u);
	if (rc < 0)
		return rc;
	/* Else all of them go with the user 0 (capabilities(7)). */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
		setresuid(u->uid, u->uid, u->uid) < 0)
		return -errno;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	rc = read_sets(&sets);
	if (rc < 0)
		return rc;
	sets.permitted &= PORTS;
	sets.effective = sets.permitted;
	sets.inheritable = 0;
	return write_sets(&sets);
}

/* What may never be had again, whatever is executed. */
static void drop_bounds(uint64_t keep)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int privileges_drop(int keep)
{
	uint64_t kept = keep & PRIVILEGES_PORTS ? PORTS : 0;
	struct sets has, sets;
	int rc = read_sets(&has);

	/* Only who has CAP_SETPCAP can, and only he has to. */
	drop_bounds(kept);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	sets = (struct sets){ .effective = has.permitted & kept,
		.permitted = has.permitted & kept };
	return memcmp(&sets, &has, sizeof(sets)) ? write_sets(&sets) : 0;
}

bool privileges_have_ports(void)
{
	struct sets s;

	return read_sets(&s) == 0 && s.effective & PORTS;
}
