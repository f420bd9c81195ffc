/* SPDX-License-Identifier: Apache-2.0 */

/* What the environment asks for, and what a service manager reads. */
// links: common/host/notify.c
// libs:

#include "common/host/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_back(
	const char *name, const struct sockaddr_un *a, socklen_t size)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct notify n;
	char line[64] = "";

	cr_assert_eq(bind(fd, (const struct sockaddr *)a, size), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&n);
	notify_send(&n, "READY=1");
	cr_expect_eq(recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT), 7);
	cr_expect_str_eq(line, "READY=1");
	close(fd);
	/* Nobody listens any more: nothing happens. */
	notify_send(&n, "STOPPING=1");
	notify_close(&n);
}

Test(notify, a_path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/adit-notify-XXXXXX";

	cr_assert(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
	read_back(a.sun_path, &a, sizeof(a));
	unlink(a.sun_path);
	rmdir(dir);
}

Test(notify, an_abstract_name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[64];

	snprintf(name, sizeof(name), "@adit-notify-%d", getpid());
	memcpy(a.sun_path, name, strlen(name));
	a.sun_path[0] = '\0';
	read_back(name, &a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(name)));
}

Test(notify, nobody_asks)
{
	static const char *const names[] = { "", "/", "@", "relative",
		"vsock:2:1234" };
	char longest[256];
	struct notify n;

	unsetenv("NOTIFY_SOCKET");
	notify_open(&n);
	cr_expect_eq(n.fd, -1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_open(&n);
		cr_expect_eq(n.fd, -1, "%s", names[i]);
	}
	memset(longest, '/', sizeof(longest));
	longest[sizeof(n.to.sun_path)] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	notify_open(&n);
	cr_expect_eq(n.fd, -1);
	notify_send(&n, "READY=1");
	notify_close(&n);
}

Test(notify, watchdog)
{
	char own[32];
	const struct {
		const char *us, *pid;
		int64_t ns;
	} rows[] = {
		{ "30000000", NULL, 30000000000 },
		{ "30000000", own, 30000000000 },
		{ "30000000", "1", 0 },
		{ "30000000", "x", 0 },
		{ NULL, own, 0 },
		{ "0", NULL, 0 },
		{ "-5", NULL, 0 },
		{ "5s", NULL, 0 },
		{ "", NULL, 0 },
		{ "9223372036854775807", NULL, 0 },
		{ "99999999999999999999", NULL, 0 },
	};
	struct notify n;

	snprintf(own, sizeof(own), "%d", getpid());
	setenv("NOTIFY_SOCKET", "@adit", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].us)
			setenv("WATCHDOG_USEC", rows[i].us, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		notify_open(&n);
		cr_expect_eq(n.watchdog, rows[i].ns, "row %zu", i);
		notify_close(&n);
	}
}

Test(notify, watched_as_who_was_before)
{
	struct notify n;

	unsetenv("WATCHDOG_USEC");
	setenv("NOTIFY_SOCKET", "@adit", 1);
	notify_open(&n);
	notify_watch(&n, 0);
	cr_expect_eq(n.watchdog, 0);
	notify_watch(&n, 30000);
	cr_expect_eq(n.watchdog, 30000000000);
	notify_watch(&n, 0);
	cr_expect_eq(n.watchdog, 30000000000);
	notify_close(&n);
	/* Nobody is to be told. */
	unsetenv("NOTIFY_SOCKET");
	notify_open(&n);
	notify_watch(&n, 30000);
	cr_expect_eq(n.watchdog, 0);
}
