/* SPDX-License-Identifier: Apache-2.0 */

/* What may be asked, over a local socket, and what hostile guests get. */
// links: common/host/health.c common/host/pulse.c common/host/question.c common/event/mailbox.c common/event/loop.c common/event/chunk.c common/event/pipe.c common/base/timer.c common/base/counter.c common/base/reason.c common/base/socket.c common/base/address.c common/http/head.c common/http/target.c common/http/host.c common/http/text.c common/http/answer.c
// libs:

#include "common/host/health.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/host/question.h"

static struct core core, *const cores[] = { &core };
static struct pulse pulse;
static struct health *health;
static char dir[] = "/tmp/adit-health-XXXXXX";
static char path[64];
static int ep;

static void begin(int n)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/admin.sock", dir);
	ep = epoll_create1(0);
	cr_assert_eq(mailbox_init(&core.mailbox), 0);
	cr_assert_eq(pulse_open(&pulse, cores, n), 0);
	cr_assert_eq(health_create(&health, ep), 0);
	cr_assert_eq(health_listen_local(health, path), 0);
}

static void end(void)
{
	health_destroy(&health);
	cr_assert_eq(access(path, F_OK), -1);
	pulse_close(&pulse);
	mailbox_destroy(&core.mailbox);
	close(ep);
	rmdir(dir);
}

static int guest(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Say it, and what comes back of one look; "" for nothing or an end. */
static const char *say(int fd, const char *text, const char *unready)
{
	static char answer[1024];
	ssize_t n;

	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
		(ssize_t)strlen(text));
	health_look(health, &pulse, unready, true);
	n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

static void expect(const char *request, const char *unready, const char *want)
{
	int fd = guest();
	const char *have = say(fd, request, unready);

	cr_expect(!strncmp(have, want, strlen(want)), "%s\nhave %s\nwant %s",
		request, have, want);
	close(fd);
}

#define HOST " HTTP/1.1\r\nHost: a\r\n\r\n"

Test(health, requests)
{
	static const struct {
		const char *request, *unready, *status;
	} rows[] = {
		{ "GET /healthz" HOST, NULL, "HTTP/1.1 200 OK\r\n" },
		{ "GET /healthz" HOST, "draining", "HTTP/1.1 200 " },
		{ "GET /readyz" HOST, NULL, "HTTP/1.1 200 " },
		{ "GET /readyz" HOST, "draining", "HTTP/1.1 503 " },
		{ "HEAD /readyz" HOST, "draining", "HTTP/1.1 503 " },
		{ "GET /healthz HTTP/1.0\r\n\r\n", NULL, "HTTP/1.1 200 " },
		{ "POST /healthz" HOST, NULL, "HTTP/1.1 405 " },
		{ "get /healthz" HOST, NULL, "HTTP/1.1 405 " },
		{ "GET /" HOST, NULL, "HTTP/1.1 404 " },
		{ "GET /healthz?x" HOST, NULL, "HTTP/1.1 404 " },
		{ "GET /healthz/" HOST, NULL, "HTTP/1.1 404 " },
		{ "GET http://a/healthz" HOST, NULL, "HTTP/1.1 404 " },
		{ "GET /healthz HTTP/1.1\r\n\r\n", NULL, "HTTP/1.1 400 " },
		{ "GET /healthz HTTP/2.0\r\n\r\n", NULL, "HTTP/1.1 505 " },
		{ "GET /healthz HTTP/1.1\nHost: a\n\n", NULL, "HTTP/1.1 400 " },
		{ "\x16\x03\x01", NULL, "HTTP/1.1 400 " },
	};

	begin(0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(rows[i].request, rows[i].unready, rows[i].status);
	end();
}

/* A head has no body; the other lines are there. */
Test(health, whole_answers)
{
	int fd;

	begin(0);
	fd = guest();
	cr_expect_str_eq(say(fd, "GET /readyz" HOST, "draining"),
		"HTTP/1.1 503 Service Unavailable\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 9\r\nCache-Control: no-store\r\n"
		"Connection: close\r\n\r\ndraining\n");
	close(fd);
	fd = guest();
	cr_expect_str_eq(say(fd, "HEAD /x" HOST, NULL),
		"HTTP/1.1 404 Not Found\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 31\r\nCache-Control: no-store\r\n"
		"Connection: close\r\n\r\n");
	close(fd);
	end();
}

Test(health, too_large)
{
	char head[HEALTH_REQUEST + 64] = "GET /healthz HTTP/1.1\r\nHost: ";
	size_t n = strlen(head);

	begin(0);
	memset(head + n, 'a', sizeof(head) - n - 1);
	expect(head, NULL, "HTTP/1.1 431 ");
	strcpy(head, "GET /healthz HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < HEALTH_FIELDS; i++)
		strcat(head, "a: b\r\n");
	expect(head, NULL, "HTTP/1.1 431 ");
	end();
}

Test(health, byte_by_byte)
{
	static const char request[] = "GET /healthz" HOST;
	char one[2] = "";
	int fd;

	begin(0);
	fd = guest();
	for (size_t i = 0; i + 2 < sizeof(request); i++) {
		*one = request[i];
		cr_assert_str_empty(say(fd, one, NULL));
	}
	cr_expect(!strncmp(say(fd, "\n", NULL), "HTTP/1.1 200 ", 13));
	close(fd);
	end();
}

Test(health, only_its_owner)
{
	struct stat st;

	begin(0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	end();
}

/* The oldest gives way to who comes. */
Test(health, many_guests)
{
	int fds[HEALTH_GUESTS], fd;
	char c;

	begin(0);
	for (int i = 0; i < HEALTH_GUESTS; i++) {
		fds[i] = guest();
		say(fds[i], "G", NULL);
	}
	fd = guest();
	cr_expect(!strncmp(
		say(fd, "GET /readyz" HOST, NULL), "HTTP/1.1 200", 12));
	close(fd);
	cr_expect_eq(recv(fds[0], &c, 1, MSG_DONTWAIT), 0);
	cr_expect_eq(recv(fds[2], &c, 1, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN);
	for (int i = 0; i < HEALTH_GUESTS; i++)
		close(fds[i]);
	end();
}

/* Who says nothing, or does not end, is let go. */
Test(health, silence, .timeout = 10)
{
	int fds[2], wait, said = 0;

	begin(0);
	fds[0] = guest();
	fds[1] = guest();
	say(fds[0], "GET", NULL);
	cr_expect(!strncmp(say(fds[1], "GET /readyz" HOST, NULL), "HTTP", 4));
	do {
		wait = health_look(health, &pulse, NULL, true);
		usleep(wait > 0 ? (useconds_t)wait * 1000 : 0);
	} while (wait >= 0 && ++said < 100);
	cr_expect_eq(wait, -1);
	cr_expect_eq(recv(fds[0], &said, 1, 0), 0);
	close(fds[0]);
	close(fds[1]);
	end();
}

/* One that cannot be accepted wakes nobody, until it can. */
Test(health, no_descriptor, .timeout = 10)
{
	struct epoll_event e;
	struct rlimit before, full;
	char answer[64] = "";
	int fd, last, wait;

	begin(0);
	fd = guest();
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* As many as poll(2) wants to see, and not one more. */
	while ((last = dup(ep)) < 32)
		cr_assert_geq(last, 0);
	full = before;
	full.rlim_cur = (rlim_t)last + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &full), 0);
	cr_assert_str_empty(say(fd, "GET /readyz" HOST, NULL));
	cr_expect_eq(epoll_wait(ep, &e, 1, 0), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	wait = health_look(health, &pulse, NULL, false);
	cr_expect_gt(wait, 0);
	cr_expect_leq(wait, HEALTH_PAUSE / CLOCK_MS + 1);
	usleep((useconds_t)wait * 1000);
	health_look(health, &pulse, NULL, false);
	cr_expect_eq(epoll_wait(ep, &e, 1, 0), 1);
	health_look(health, &pulse, NULL, true);
	cr_expect_gt(recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT), 0);
	cr_expect(!strncmp(answer, "HTTP/1.1 200 ", 13), "%s", answer);
	close(fd);
	end();
}

/* A core that does not turn: its letter stays where it is. */
Test(health, a_core_hangs, .timeout = 10)
{
	char answer[64] = "";
	int fd, wait;
	uint64_t round;

	begin(1);
	fd = guest();
	cr_assert_str_empty(say(fd, "GET /healthz" HOST, NULL));
	round = pulse_ask(&pulse);
	cr_expect_eq(round, 1);
	cr_expect_not(pulse_is_back(&pulse, round));
	/* And what needs no core is told at once. */
	expect("GET /readyz" HOST, "draining", "HTTP/1.1 503 ");
	do {
		wait = health_look(health, &pulse, NULL, true);
		usleep(1000);
	} while (recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT) <= 0 &&
		 wait >= 0);
	cr_expect(!strncmp(answer, "HTTP/1.1 503 ", 13), "%s", answer);
	close(fd);
	end();
}

static void *serve(void *arg)
{
	struct epoll_event e;

	while (!arg) {
		epoll_wait(ep, &e, 1, 1000);
		health_look(health, &pulse, NULL, true);
	}
	return NULL;
}

static int ask(const char *to, const char *method, const char *target,
	char *text, size_t size)
{
	struct question q = { method, target, QUESTION_PATIENCE };
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, to);
	return question_ask((struct sockaddr *)&a, sizeof(a), &q, text, size);
}

/* The other end of it. */
Test(health, questions, .timeout = 10)
{
	char text[64];
	pthread_t t;

	begin(0);
	cr_assert_eq(pthread_create(&t, NULL, serve, NULL), 0);
	cr_expect_eq(ask(path, "GET", "/healthz", text, sizeof(text)), 200);
	cr_expect_str_eq(text, "ok\n");
	cr_expect_eq(ask(path, "GET", "/no", text, sizeof(text)), 404);
	strcat(path, "x");
	cr_expect_eq(ask(path, "GET", "/healthz", text, sizeof(text)), -ENOENT);
	path[strlen(path) - 1] = '\0';
	pthread_cancel(t);
	pthread_join(t, NULL);
	end();
}

#define RELOAD "POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

static void is_answered(int fd, const char *status, const char *end)
{
	char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	cr_expect(!strncmp(text, status, strlen(status)), "%s", text);
	cr_expect(strlen(text) > strlen(end) &&
			  !strcmp(text + strlen(text) - strlen(end), end),
		"%s", text);
	close(fd);
}

/* Several who ask before it begins hear of one; a later one of the next. */
Test(health, reload, .timeout = 10)
{
	int a, b, c;

	begin(0);
	expect(RELOAD, NULL, "HTTP/1.1 404 ");
	health_allow_reload(health);
	expect("GET /reload" HOST, NULL, "HTTP/1.1 404 ");
	cr_expect_not(health_takes_reload(health));
	a = guest();
	b = guest();
	c = guest();
	cr_expect_str_empty(say(a, RELOAD, NULL));
	cr_expect_str_empty(say(b, RELOAD, "draining"));
	cr_expect(health_takes_reload(health));
	cr_expect_not(health_takes_reload(health));
	cr_expect_str_empty(say(c, RELOAD, NULL));
	health_answer_reload(health, 200, "changed: a\nneeds a restart: b");
	is_answered(a, "HTTP/1.1 200 ",
		"\r\n\r\nchanged: a\nneeds a restart: "
		"b\n");
	is_answered(b, "HTTP/1.1 200 ", "b\n");
	cr_expect(health_takes_reload(health));
	health_answer_reload(health, 409, "no");
	is_answered(c, "HTTP/1.1 409 ", "\r\n\r\nno\n");
	end();
}

/* What a port of TCP gets. */
Test(health, reload_by_the_local_socket_only, .timeout = 10)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char answer[256] = "";

	begin(0);
	health_allow_reload(health);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	cr_assert_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&a, &size);
	cr_assert_eq(health_listen(health, fd), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, size), 0);
	cr_assert_eq(
		send(fd, RELOAD, strlen(RELOAD), 0), (ssize_t)strlen(RELOAD));
	do
		health_look(health, &pulse, NULL, true);
	while (recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT) <= 0);
	cr_expect(!strncmp(answer, "HTTP/1.1 404 ", 13), "%s", answer);
	cr_expect_not(health_takes_reload(health));
	close(fd);
	end();
}
