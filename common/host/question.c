/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/question.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/host/health.h"
#include "common/http/head.h"

/* Bytes of a whole response, its head included. */
#define RESPONSE_MAX (HEALTH_ANSWER + 4096)

static int wait_for(int fd, short events, int64_t end)
{
	struct pollfd p = { fd, events, 0 };
	int n;

	do {
		int64_t ms = (end - clock_now()) / CLOCK_MS;

		if (ms <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int begin(int fd, const struct sockaddr *to, socklen_t size, int64_t end)
{
	int rc;

	if (connect(fd, to, size) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	rc = wait_for(fd, POLLOUT, end);
	return rc < 0 ? rc : socket_error(fd);
}

/* Everything up to the end; how much, or -errno. */
static ssize_t read_all(int fd, uint8_t *bytes, size_t size, int64_t end)
{
	size_t had = 0;

	for (;;) {
		int rc = wait_for(fd, POLLIN, end);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = recv(fd, bytes + had, size - had, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		had += n > 0 ? (size_t)n : 0;
		if (n == 0)
			return (ssize_t)had;
		if (had == size)
			return -EPROTO;
	}
}

/* Of UTF-8 nothing else is a control character's. */
static bool is_printable(uint8_t c)
{
	return (c >= ' ' && c != 0x7f) || c == '\n';
}

static int understand(const uint8_t *bytes, size_t n, char *text, size_t size)
{
	struct http_head head;
	size_t at, k = 0;
	int rc;

	head_init_response(&head);
	rc = head_parse(&head, bytes, n);
	if (rc <= 0)
		return -EPROTO;
	for (at = (size_t)rc; at < n && k + 1 < size; at++)
		text[k++] = is_printable(bytes[at]) ? (char)bytes[at] : '?';
	text[k] = '\0';
	return head.code;
}

/* The whole response; how much, or -errno. */
static ssize_t exchange(const struct sockaddr *to, socklen_t to_size,
	const struct question *q, uint8_t *bytes, size_t size)
{
	int64_t end = clock_now() + q->patience;
	char request[256];
	ssize_t got;
	int rc, fd, n;

	n = snprintf(request, sizeof(request),
		"%s %s HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n",
		q->method, q->path);
	fd = socket(
		to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = begin(fd, to, to_size, end);
	if (rc == 0 && send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		rc = -EPIPE;
	got = rc < 0 ? rc : read_all(fd, bytes, size, end);
	close(fd);
	return got;
}

int question_ask(const struct sockaddr *to, socklen_t to_size,
	const struct question *q, char *text, size_t size)
{
	uint8_t *bytes = malloc(RESPONSE_MAX);
	ssize_t got;
	int rc;

	if (!bytes)
		return -ENOMEM;
	got = exchange(to, to_size, q, bytes, RESPONSE_MAX);
	rc = got < 0 ? (int)got : understand(bytes, (size_t)got, text, size);
	free(bytes);
	return rc;
}
