/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/health.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/host/watch.h"
#include "common/http/answer.h"
#include "common/http/head.h"
#include "common/http/target.h"

/* Of a local socket, which tells who comes then to try again. */
#define QUEUE 128

/* A local socket, and one of TCP. */
#define LISTENERS 2

/* Bytes that a guest may send in all. */
#define LAST_WORDS 65536

enum guest_state {
	GUEST_FREE,
	GUEST_READING, /* its request comes */
	GUEST_WAITING, /* for the cores; nothing of it is looked at */
	GUEST_ASKING,  /* the same, for a reload to begin, and to end: */
	GUEST_RELOADING,
	GUEST_LEAVING, /* it was answered, and has the last word */
};

/* Who asks. */
struct guest {
	enum guest_state state;
	int fd;
	int64_t until;
	uint64_t round;           /* of the pulse that it waits for */
	bool local;               /* it came by the local socket */
	bool wants_ready, silent; /* /readyz; HEAD */
	struct http_head head;
	size_t n;                          /* bytes that have come */
	uint8_t bytes[HEALTH_REQUEST + 1]; /* one too many is refused */
};

struct health {
	int epoll;
	int listeners[LISTENERS], listener_count;
	int local;      /* which one is of the file system; -1: none */
	int64_t resume; /* clock.h: of listeners that pause; or 0 */
	bool reloads;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct guest guests[HEALTH_GUESTS];
};

/* Of a guest that waits the epoll hears nothing: it would never rest. */
static void set_state(struct health *h, struct guest *g, enum guest_state state)
{
	bool was = g->state == GUEST_READING || g->state == GUEST_LEAVING;
	bool is = state == GUEST_READING || state == GUEST_LEAVING;

	g->until = clock_now() + HEALTH_PATIENCE;
	g->state = state;
	if (was && !is)
		unwatch(h->epoll, g->fd);
	if (is && !was && watch(h->epoll, g->fd) < 0)
		g->until = 0;
	if (state == GUEST_FREE)
		close(g->fd);
}

int health_create(struct health **h_r, int epoll)
{
	struct health *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->epoll = epoll;
	h->local = -1;
	*h_r = h;
	return 0;
}

int health_listen(struct health *h, int fd)
{
	int rc = h->listener_count < LISTENERS ? watch(h->epoll, fd) : -ENOSPC;

	if (rc < 0)
		close(fd);
	else
		h->listeners[h->listener_count++] = fd;
	return rc;
}

int health_listen_local(struct health *h, const char *path)
{
	/* The state directory is locked: nobody else is there. */
	int fd = socket_listen_local(path, SOCK_STREAM, QUEUE);

	if (fd < 0)
		return fd;
	strcpy(h->path, path);
	h->local = h->listener_count;
	return health_listen(h, fd);
}

static void answer(
	struct health *h, struct guest *g, int status, const char *line)
{
	const char *allow = status == 405 ? "Allow: GET, HEAD\r\n" : "";
	const char *reason = answer_reason(status);
	char text[HEALTH_ANSWER + 512];
	int n = snprintf(text, sizeof(text),
		"HTTP/1.1 %d %s\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Cache-Control: no-store\r\n%s"
		"Connection: close\r\n\r\n%s%s",
		status, reason ? reason : "Refused", strlen(line) + 1, allow,
		g->silent ? "" : line, g->silent ? "" : "\n");

	assert(strlen(line) <= HEALTH_ANSWER);
	/* The first bytes on a socket always have room. */
	if (send(g->fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n) {
		set_state(h, g, GUEST_FREE);
		return;
	}
	/* A close with bytes unread could take the answer from the peer. */
	shutdown(g->fd, SHUT_WR);
	set_state(h, g, GUEST_LEAVING);
}

static bool is_path(struct http_text path, const char *name)
{
	return path.len == strlen(name) && !memcmp(path.data, name, path.len);
}

/* A complete head: what it asks for, or its refusal. */
static void decide(struct health *h, struct guest *g, struct pulse *p)
{
	struct http_text path = head_target(&g->head, g->bytes);
	struct http_target target;

	g->silent = head_method_is(&g->head, g->bytes, "HEAD");
	if (target_authority(&target, &g->head, g->bytes) == -400) {
		answer(h, g, 400, target.error);
		return;
	}
	if (g->local && h->reloads && is_path(path, "/reload") &&
		head_method_is(&g->head, g->bytes, "POST")) {
		set_state(h, g, GUEST_ASKING);
		return;
	}
	g->wants_ready = is_path(path, "/readyz");
	if (!g->wants_ready && !is_path(path, "/healthz")) {
		answer(h, g, 404, "there are /healthz and /readyz");
		return;
	}
	if (!g->silent && !head_method_is(&g->head, g->bytes, "GET")) {
		answer(h, g, 405, "GET and HEAD are allowed");
		return;
	}
	g->round = pulse_ask(p);
	set_state(h, g, GUEST_WAITING);
}

static void read_request(struct health *h, struct guest *g, struct pulse *p)
{
	ssize_t n = recv(
		g->fd, g->bytes + g->n, sizeof(g->bytes) - g->n, MSG_DONTWAIT);
	int size;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		set_state(h, g, GUEST_FREE);
		return;
	}
	g->n += (size_t)n;
	size = head_parse(&g->head, g->bytes, g->n);
	if (size < 0)
		answer(h, g, -size, g->head.error);
	else if (size > 0)
		decide(h, g, p);
}

/* Until its end; what it says is thrown away, if it is not too much. */
static void hear_out(struct health *h, struct guest *g)
{
	ssize_t n = recv(g->fd, g->bytes, sizeof(g->bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	g->n += n > 0 ? (size_t)n : 0;
	if (n <= 0 || g->n > LAST_WORDS)
		set_state(h, g, GUEST_FREE);
}

static void look_at_pulse(struct health *h, struct guest *g,
	const struct pulse *p, const char *unready, int64_t now)
{
	if (g->wants_ready && unready)
		answer(h, g, 503, unready);
	else if (pulse_is_back(p, g->round))
		answer(h, g, 200, g->wants_ready ? "ready" : "ok");
	else if (now >= g->until)
		answer(h, g, 503, "a worker does not answer");
}

/* A free place, or that of the oldest. */
static struct guest *make_room(struct health *h)
{
	struct guest *oldest = &h->guests[0];

	for (int i = 0; i < HEALTH_GUESTS; i++) {
		struct guest *g = &h->guests[i];

		if (g->state == GUEST_FREE)
			return g;
		if (g->until < oldest->until)
			oldest = g;
	}
	set_state(h, oldest, GUEST_FREE);
	return oldest;
}

/* Who cannot be accepted would keep the epoll awake. */
static void pause_listeners(struct health *h)
{
	for (int i = 0; i < h->listener_count; i++)
		unwatch(h->epoll, h->listeners[i]);
	h->resume = clock_now() + HEALTH_PAUSE;
}

static void resume_listeners(struct health *h)
{
	int rc = 0;

	h->resume = 0;
	for (int i = 0; rc == 0 && i < h->listener_count; i++)
		rc = watch(h->epoll, h->listeners[i]);
	if (rc < 0)
		pause_listeners(h);
}

/* Mostly they have said what they want already. */
static void accept_guests(
	struct health *h, int listener, bool local, bool *readable)
{
	static const struct head_limits most = { HEALTH_REQUEST,
		HEALTH_FIELDS };

	/* Not for ever: the main thread has other things to do. */
	for (int i = 0; i < HEALTH_GUESTS; i++) {
		int fd = accept4(
			listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct guest *g;

		if (fd < 0 && socket_is_shortage(errno))
			pause_listeners(h);
		if (fd < 0)
			return;
		/* The answer is to arrive whole (socket.h). */
		socket_set_abort(fd, false);
		g = make_room(h);
		g->fd = fd;
		g->n = 0;
		g->local = local;
		g->silent = false;
		head_init(&g->head);
		head_limit(&g->head, &most);
		set_state(h, g, GUEST_READING);
		readable[g - h->guests] = true;
	}
}

/* Whoever reloads answers it. */
static bool is_promised(const struct guest *g)
{
	return g->state == GUEST_ASKING || g->state == GUEST_RELOADING;
}

static void serve(struct health *h, struct guest *g, struct pulse *p,
	const char *unready, bool readable)
{
	int64_t now = clock_now();

	if (g->state == GUEST_READING && readable)
		read_request(h, g, p);
	else if (g->state == GUEST_LEAVING && readable)
		hear_out(h, g);
	if (g->state == GUEST_WAITING)
		look_at_pulse(h, g, p, unready, now);
	else if (g->state != GUEST_FREE && !is_promised(g) && now >= g->until)
		set_state(h, g, GUEST_FREE);
}

/* Those that have something to say, without waiting. */
static void find_readable(struct health *h, bool *readable)
{
	struct pollfd fds[LISTENERS + HEALTH_GUESTS];
	int n = 0;

	for (; n < h->listener_count; n++)
		fds[n] = (struct pollfd){ h->resume ? -1 : h->listeners[n],
			POLLIN, 0 };
	for (int i = 0; i < HEALTH_GUESTS; i++) {
		const struct guest *g = &h->guests[i];

		fds[n++] = (struct pollfd){ g->state == GUEST_FREE ? -1 : g->fd,
			POLLIN, 0 };
	}
	if (poll(fds, (nfds_t)n, 0) <= 0)
		return;
	for (int i = 0; i < HEALTH_GUESTS; i++)
		readable[i] = fds[h->listener_count + i].revents;
	for (int i = 0; i < h->listener_count; i++)
		if (fds[i].revents)
			accept_guests(
				h, h->listeners[i], i == h->local, readable);
}

int health_look(
	struct health *h, struct pulse *p, const char *unready, bool woken)
{
	bool readable[HEALTH_GUESTS] = { false };
	int64_t next = INT64_MAX, wait;

	if (h->resume && clock_now() >= h->resume)
		resume_listeners(h);
	if (woken)
		find_readable(h, readable);
	for (int i = 0; i < HEALTH_GUESTS; i++) {
		struct guest *g = &h->guests[i];

		if (g->state != GUEST_FREE)
			serve(h, g, p, unready, readable[i]);
		if (g->state != GUEST_FREE && !is_promised(g) &&
			g->until < next)
			next = g->until;
	}
	if (h->resume && h->resume < next)
		next = h->resume;
	if (next == INT64_MAX)
		return -1;
	wait = (next - clock_now()) / CLOCK_MS + 1;
	return wait > 0 ? (int)wait : 0;
}

void health_allow_reload(struct health *h)
{
	h->reloads = true;
}

bool health_takes_reload(struct health *h)
{
	bool asked = false;

	for (int i = 0; i < HEALTH_GUESTS; i++) {
		struct guest *g = &h->guests[i];

		if (g->state != GUEST_ASKING)
			continue;
		set_state(h, g, GUEST_RELOADING);
		asked = true;
	}
	return asked;
}

void health_answer_reload(struct health *h, int status, const char *text)
{
	for (int i = 0; i < HEALTH_GUESTS; i++)
		if (h->guests[i].state == GUEST_RELOADING)
			answer(h, &h->guests[i], status, text);
}

void health_leave(struct health *h)
{
	/* Open elsewhere, they would stay in the epoll. */
	for (int i = 0; i < h->listener_count; i++) {
		unwatch(h->epoll, h->listeners[i]);
		close(h->listeners[i]);
	}
	h->listener_count = 0;
	h->resume = 0;
	*h->path = '\0';
}

void health_destroy(struct health **hp)
{
	struct health *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	for (int i = 0; i < HEALTH_GUESTS; i++)
		if (h->guests[i].state != GUEST_FREE)
			set_state(h, &h->guests[i], GUEST_FREE);
	for (int i = 0; i < h->listener_count; i++)
		close(h->listeners[i]);
	if (*h->path)
		unlink(h->path);
	free(h);
}
