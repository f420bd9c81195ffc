/* SPDX-License-Identifier: Apache-2.0 */

/* Users by name and number, and what is left of root. */
// links: common/host/privileges.c

#include "common/host/privileges.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/forked.h"

static struct privileges_user user;
static char why[128];

static int find(const char *text)
{
	return privileges_find(&user, text, why, sizeof(why));
}

Test(privileges, a_user_has_a_name_or_a_number)
{
	cr_assert_eq(find("root"), 0);
	cr_assert(user.uid == 0 && user.gid == 0 && user.own_group);
	cr_assert_eq(find("0"), 0);
	cr_assert_str_eq(user.name, "root");
	cr_assert_eq(find("4000000000:0"), 0);
	cr_assert(user.uid == 4000000000 && user.gid == 0 && !user.own_group);
	cr_assert_str_eq(user.name, "");
	cr_assert_eq(find("4000000000"), 0);
	cr_assert_eq(user.gid, 4000000000);
	cr_assert_eq(find("nobody:root"), 0);
	cr_assert(user.uid != 0 && user.gid == 0);
}

Test(privileges, who_is_not_there_is_named)
{
	cr_assert_eq(find("no-such-user"), -ENOENT);
	cr_assert_str_eq(why, "there is no user no-such-user");
	cr_assert_eq(find("root:no-such-group"), -ENOENT);
	cr_assert_str_eq(why, "there is no group no-such-group");
	cr_assert_eq(find(":root"), -EINVAL);
	cr_assert_eq(find("root:"), -EINVAL);
	cr_assert_eq(find("4294967295"), -ENOENT);
	cr_assert_eq(find("12x"), -ENOENT);
}

static void run(int (*child)(void))
{
	forked(child, "only root can become another user");
}

/* 0, or errno, of a port that not everybody may have. */
static int bind_low(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

	do {
		uint16_t port = (uint16_t)(ntohs(a.sin_port) + 1);

		a.sin_port = htons(port);
		rc = bind(fd, (struct sockaddr *)&a, sizeof(a)) ? errno : 0;
	} while (rc == EADDRINUSE);
	close(fd);
	return rc;
}

static int become_nobody(void)
{
	gid_t groups[8];

	if (geteuid() != 0 || !privileges_have_ports() || bind_low() != 0)
		return FORKED_SKIPS;
	if (privileges_find(&user, "65534:65534", why, sizeof(why)) < 0 ||
		privileges_become(&user) < 0)
		return 1;
	if (getuid() != 65534 || geteuid() != 65534 || getegid() != 65534 ||
		getgroups(8, groups) != 1 || groups[0] != 65534)
		return 2;
	if (setuid(0) == 0 || !privileges_have_ports() || bind_low() != 0)
		return 3;
	/* It is that user now. */
	return privileges_become(&user) < 0 ? 4 : 0;
}

Test(privileges, another_user_keeps_low_ports_and_nothing_else)
{
	run(become_nobody);
}

static int drop_but_ports(void)
{
	/* In a user namespace they may be another's nevertheless. */
	if (!privileges_have_ports() || bind_low() != 0)
		return FORKED_SKIPS;
	if (privileges_drop(PRIVILEGES_PORTS) < 0 || bind_low() != 0)
		return 1;
	if (setgroups(0, NULL) == 0 || prctl(PR_CAPBSET_READ, 21) != 0)
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

Test(privileges, low_ports_are_left)
{
	run(drop_but_ports);
}

static int drop_all(void)
{
	if (privileges_drop(PRIVILEGES_NONE) < 0 || privileges_have_ports())
		return 1;
	/* Again, and by who has none. */
	return privileges_drop(PRIVILEGES_PORTS) < 0 || privileges_have_ports();
}

Test(privileges, nothing_is_left)
{
	run(drop_all);
}
