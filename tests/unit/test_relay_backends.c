/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What test_relay_property finds with a script, on the real kernel and each
 * backend: several relays of one loop, which is short of buffers and pipes,
 * between connections whose far ends send, read, rest, end and reset as chance
 * will have it. Every byte arrives in its place, or the end is reported as a
 * cut and seen as one; nothing is left. BACKEND_SEEDS says how many seeds (40),
 * BACKEND_SEED which single one.
 */
// links: common/relay/relay.c common/relay/pump.c common/relay/inspector.c common/relay/throttle.c common/relay/engine.c common/relay/drain.c common/relay/raw_stream.c common/relay/stream.c common/event/epoll.c common/event/epoll_place.c common/event/epoll_try.c common/event/ring.c common/event/ring_right.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_hint.c common/event/lent.c common/event/send.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c
// libs: -luring

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/event/backend.h"
#include "common/relay/raw_stream.h"
#include "common/relay/relay.h"
#include "tests/unit/chance.h"

#define SEEDS 40
#define RELAYS 6
#define BYTES_MAX 300000
#define TURNS 30000

/* The far end of a connection. */
struct peer {
	int fd;
	uint8_t sends[BYTES_MAX + 1];
	uint32_t size, sent, got;
	int resets_at; /* after so many bytes it resets; -1: never */
	int rests;     /* turns in which it does nothing */
	bool reset;    /* it did */
	bool heard;    /* it has seen an end, or a cut */
	bool cut;      /* a cut */
};

struct both {
	struct relay relay;
	struct stream *streams[2];
	struct peer peers[2];
	bool ended;
	enum reason why;
};

static struct both all[RELAYS];
static struct counters counters;
static struct loop *l;
static struct pool *streams;
static struct throttle limit;
static unsigned seed;

/* A connection over loopback with small buffers, so that it fills up. */
static void connect_pair(int listener, int fds[2])
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	int small = 8192;

	getsockname(listener, (void *)&a, &size);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	cr_assert_eq(connect(fds[1], (void *)&a, size), 0);
	fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	cr_assert_geq(fds[0], 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

static void relay_has_ended(struct relay *r, enum reason why)
{
	struct both *b = container_of(r, struct both, relay);

	cr_assert_not(b->ended, "seed %u: ended twice", seed);
	b->ended = true;
	b->why = why;
	for (int i = 0; i < 2; i++)
		stream_close(&b->streams[i], !reason_is_clean(why));
}

static void begin(struct both *b, int listener)
{
	struct relay_params p = { .limit = PUMP_UNLIMITED,
		.a_half_close = true,
		.b_half_close = true,
		.counters = &counters,
		.ended = relay_has_ended };

	b->ended = false;
	memset(&b->relay, 0, sizeof(b->relay));
	for (int i = 0; i < 2; i++) {
		struct peer *e = &b->peers[i];
		int fds[2];

		memset(e, 0, sizeof(*e));
		connect_pair(listener, fds);
		e->fd = fds[1];
		e->size = 1 + (rarely(6) ? pick(100) : pick(BYTES_MAX));
		for (uint32_t k = 0; k < e->size; k++)
			e->sends[k] = (uint8_t)pick(256);
		e->resets_at = rarely(6) ? (int)pick(e->size + 1) : -1;
		b->streams[i] = raw_stream_open(streams, l, fds[0]);
		cr_assert_not_null(b->streams[i]);
	}
	p.a = b->streams[0];
	p.b = b->streams[1];
	p.mode = (enum engine_mode)pick(3);
	if (rarely(4))
		p.throttle_out.of[0] = &limit;
	relay_init(&b->relay, &p);
	relay_start(&b->relay);
}

static void reset(struct peer *e)
{
	struct linger now = { 1, 0 };

	setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(e->fd);
	e->reset = e->heard = true;
}

static void say(struct peer *e)
{
	uint32_t n = e->size - e->sent,
		 most = 1 + pick(rarely(2) ? 100 : 60000);
	ssize_t sent;

	if (n == 0)
		return;
	n = n < most ? n : most;
	if (e->resets_at >= 0 && e->sent + n > (uint32_t)e->resets_at)
		n = (uint32_t)e->resets_at - e->sent;
	sent = n ? send(e->fd, e->sends + e->sent, n,
			   MSG_DONTWAIT | MSG_NOSIGNAL)
		 : 0;
	/* Who sends hears of a cut first. */
	if (sent < 0 && errno != EAGAIN)
		e->heard = e->cut = true;
	e->sent += sent > 0 ? (uint32_t)sent : 0;
	if (e->resets_at >= 0 && e->sent == (uint32_t)e->resets_at)
		reset(e);
	else if (e->sent == e->size)
		shutdown(e->fd, SHUT_WR);
}

static void hear(struct peer *e, const struct peer *other)
{
	uint8_t bytes[16384];
	ssize_t n = recv(e->fd, bytes, 1 + pick(sizeof(bytes)), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	e->heard = n <= 0;
	e->cut = n < 0;
	if (n <= 0)
		return;
	cr_assert_leq(e->got + n, other->size, "seed %u: too much", seed);
	cr_assert(!memcmp(other->sends + e->got, bytes, (size_t)n),
		"seed %u: another byte after %u", seed, e->got);
	e->got += (uint32_t)n;
}

/* Whether nothing more is to come of it. */
static bool is_done(const struct peer *e)
{
	return e->reset || (e->heard && (e->cut || e->sent == e->size));
}

static void act(struct peer *e, const struct peer *other)
{
	if (e->rests > 0) {
		e->rests--;
		return;
	}
	if (rarely(20))
		e->rests = (int)pick(100);
	if (!rarely(3))
		say(e);
	if (!e->reset && !e->heard)
		hear(e, other);
}

/* A clean end is complete, and looks so; a cut does not. */
static void check_end(const struct both *b)
{
	for (int i = 0; i < 2; i++) {
		const struct peer *e = &b->peers[i], *other = &b->peers[!i];

		if (e->reset)
			continue;
		if (!e->cut)
			cr_assert(e->got == other->size && !other->reset,
				"seed %u: a cut looks complete: %u of %u (%s)",
				seed, e->got, other->size, reason_name(b->why));
		if (reason_is_clean(b->why))
			cr_assert_not(e->cut, "seed %u: cut (%s)", seed,
				reason_name(b->why));
	}
}

static void nothing(struct timer *t)
{
	(void)t;
}

/* A turn that does not wait for long: the far ends are played here. */
static void turn(void)
{
	struct timer soon = { 0 };

	loop_set_timer(l, &soon, CLOCK_MS / 5, nothing);
	loop_turn(l);
	loop_cancel_timer(l, &soon);
}

/* Whether there is more to come of it. */
static bool go_on(struct both *b)
{
	struct peer *p = b->peers;

	for (int i = 0; i < 2; i++)
		if (!is_done(&p[i]))
			act(&p[i], &p[!i]);
	return !b->ended || !is_done(&p[0]) || !is_done(&p[1]);
}

static void play(void)
{
	for (int i = 0, going = RELAYS; going > 0; i++) {
		cr_assert_lt(i, TURNS, "seed %u: it hangs", seed);
		turn();
		going = 0;
		for (int k = 0; k < RELAYS; k++)
			going += go_on(&all[k]);
	}
}

/* By which a cut is told from an end; an emulator of calls may have none. */
static bool has_tcp_info(int fd)
{
	char info[256];
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 &&
	       size > sizeof(int);
}

static void run(const struct backend *backend, unsigned with)
{
	struct loop_params params = { .ops = 8 * RELAYS,
		.chunk_size = 2048 + CHUNK_HEADROOM,
		.chunks_soft = 4,
		.chunks_hard = 8,
		.pipes = 2,
		.pipe_size = 65536,
		.counters = &counters };
	struct address a;
	int listener, rc;

	seed = with;
	chance = UINT64_C(0x9e3779b97f4a7c15) * (with + 1);
	limit = (struct throttle){ .rate = 4000000 };
	streams = pool_create(sizeof(struct raw_stream), 2 * RELAYS);
	rc = loop_create(&l, backend, &params);
	if (rc == -ENOSYS)
		cr_skip_test("no io_uring here");
	cr_assert_eq(rc, 0);
	cr_assert_eq(loop_enter(l), 0);
	cr_assert_eq(address_parse(&a, "127.0.0.1", 0), 0);
	listener = socket_listen(&a);
	cr_assert_geq(listener, 0);
	if (!has_tcp_info(listener))
		cr_skip_test("no TCP_INFO here");
	for (int i = 0; i < RELAYS; i++)
		begin(&all[i], listener);
	play();
	for (int i = 0; i < RELAYS; i++) {
		check_end(&all[i]);
		for (int k = 0; k < 2; k++)
			if (!all[i].peers[k].reset)
				close(all[i].peers[k].fd);
	}
	for (int i = 0; i < 100 && l->in_flight > 0; i++)
		turn();
	cr_assert_eq(l->in_flight, 0, "seed %u", seed);
	cr_assert_eq(pool_used(streams), 0, "seed %u", seed);
	cr_assert_eq(chunk_pool_used(l->chunks), 0, "seed %u", seed);
	cr_assert_eq(chunk_pool_used(l->bulk), 0, "seed %u", seed);
	cr_assert_eq(pipe_pool_used(l->pipes), 0, "seed %u", seed);
	close(listener);
	loop_destroy(&l);
	pool_destroy(&streams);
}

static void run_all(const struct backend *backend)
{
	const char *one = getenv("BACKEND_SEED"),
		   *many = getenv("BACKEND_SEEDS");
	unsigned n = many ? (unsigned)atoi(many) : SEEDS;

	/* splice(2) sends it, as in the programs (core_create). */
	signal(SIGPIPE, SIG_IGN);
	if (one) {
		run(backend, (unsigned)atoi(one));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		run(backend, i);
	/* Else it has not seen what it is for. */
	cr_assert_gt(counters.value[COUNTER_buffer_waits], 0);
	cr_assert_gt(counters.value[COUNTER_send_waits], 0);
	cr_assert_gt(counters.value[COUNTER_pipes_short], 0);
	cr_assert_gt(counters.value[COUNTER_splices], 0);
}

Test(relay_backends, holds_on_io_uring)
{
	run_all(&backend_ring);
}

Test(relay_backends, holds_on_epoll)
{
	run_all(&backend_epoll);
}
