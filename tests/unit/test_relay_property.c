/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What must hold for a relay whatever the kernel does: short counts, results
 * in any order, failures, cancels that come too late, buffers running out,
 * ends and aborts at any moment; copied, spliced, or both in turns, with the
 * spliced bytes in real sockets and pipes; throttled or not, by rates that
 * change. Every byte arrives in its place, or
 * the end is reported as a cut; memory stays bounded. PUMP_SEEDS says how many
 * seeds (500), PUMP_SEED which single one.
 */
// links: common/relay/relay.c common/relay/pump.c common/relay/inspector.c common/relay/throttle.c common/relay/engine.c common/relay/drain.c common/relay/raw_stream.c common/relay/stream.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/pool.c common/base/socket.c common/base/address.c common/base/counter.c common/base/reason.c tests/double/script.c tests/double/streams.c

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/relay/pump.h"
#include "common/relay/relay.h"
#include "tests/double/streams.h"
#include "tests/unit/chance.h"

#define SEEDS 500
#define BYTES_MAX 30000
#define CHUNK 1024
#define STEPS 20000
#define CHUNKS_HARD 32 /* of world_begin */

/* One side: what its peer sends us, and what its peer got from us. */
struct side {
	struct end end;
	uint8_t sends[BYTES_MAX], got[BYTES_MAX];
	uint32_t size, sent, received;
	int fails_at; /* its peer resets after so many bytes; -1: never */
	bool ended;   /* the end, or the failure, was delivered */
	bool failed;
};

static struct side sides[2];
static struct relay relay;
static unsigned seed;
static struct chunk *hoard[24]; /* buffers that others hold */
static unsigned hoarded;
static int ends;
static enum reason why;
static uint64_t limit;
static struct throttle throttles[3];

/* Others take buffers, or give all of theirs back. */
static void compete(void)
{
	struct chunk *c;

	if (rarely(2)) {
		while (hoarded > 0)
			chunk_give(hoard[--hoarded]);
		return;
	}
	while (hoarded < ARRAY_SIZE(hoard) && !rarely(8)) {
		c = chunk_take(world_loop->chunks);
		if (!c)
			break;
		hoard[hoarded++] = c;
	}
}

/* What a receive or a send may fail with. */
static int failure(void)
{
	static const int errors[] = { ECONNRESET, EPIPE, ETIMEDOUT, ENOBUFS,
		EAGAIN, ENOMEM };

	return -errors[pick(ARRAY_SIZE(errors))];
}

static void relay_has_ended(struct relay *r, enum reason reason)
{
	cr_assert_eq(r, &relay);
	ends++;
	why = reason;
}

/* Bytes of side `from` have gone out to side `to`: each as it was sent. */
static void check_bytes(const struct side *from, struct side *to,
	const uint8_t *bytes, uint32_t n)
{
	cr_assert_leq(to->received + n, from->size, "seed %u: too much", seed);
	cr_assert(!memcmp(from->sends + to->received, bytes, n),
		"seed %u: another byte after %u", seed, to->received);
	to->received += n;
}

/* What was spliced to side i lies at its peer: up to `max` bytes of it. */
static void gather(int i, uint32_t max)
{
	uint8_t bytes[4096];
	ssize_t n;

	while (max > 0) {
		n = max < sizeof(bytes) ? (ssize_t)max : (ssize_t)sizeof(bytes);
		n = recv(sides[i].end.peer, bytes, (size_t)n, MSG_DONTWAIT);
		if (n <= 0)
			break;
		check_bytes(&sides[!i], &sides[i], bytes, (uint32_t)n);
		max -= (uint32_t)n;
	}
}

static void complete_send(struct script_op *s, int i)
{
	uint32_t n = 1 + pick(s->args.size);

	if (rarely(3))
		n = s->args.size;
	if (s->cancelled && rarely(2)) {
		script_complete(s, -ECANCELED, true);
		return;
	}
	if (rarely(400)) {
		sides[i].failed = true;
		script_complete(s, failure(), true);
		return;
	}
	gather(i, UINT32_MAX);
	check_bytes(&sides[!i], &sides[i], s->args.data, n);
	script_complete(s, (int)n, true);
}

static void complete_recv(struct script_op *s, int i)
{
	struct side *d = &sides[i];
	uint32_t n = 1 + pick(CHUNK), left = d->size - d->sent;

	if (s->cancelled && rarely(2)) {
		script_complete(s, -ECANCELED, true);
		return;
	}
	if (d->fails_at >= 0 && d->sent >= (uint32_t)d->fails_at) {
		d->failed = d->ended = true;
		script_complete(s, failure(), true);
		return;
	}
	if (left == 0) {
		d->ended = true;
		script_complete(s, 0, true);
		return;
	}
	if (chunk_pool_used(world_loop->chunks) == CHUNKS_HARD)
		/* ENOBUFS: as a backend does, it waits for a buffer. */
		return;
	n = rarely(3) ? CHUNK : n;
	n = n > left ? left : n;
	script_receive(world_loop, s, d->sends + d->sent, n);
	d->sent += n;
	/*
	 * For each pump PUMP_MARK wait and one is on its way out; or what is
	 * spilled, until buffers are scarce.
	 */
	cr_assert_leq(chunk_pool_used(world_loop->chunks),
		hoarded + 2 * (PUMP_MARK + 1) + CHUNKS_HARD / 4 + 1,
		"seed %u: too much in memory", seed);
}

/* Bytes that were written for a splice, and are received after all. */
static bool receive_real(struct script_op *s, int i)
{
	uint8_t bytes[CHUNK];
	ssize_t n = recv(
		sides[i].end.fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK);

	if (n > 0 && s->cancelled)
		script_complete(s, -ECANCELED, true);
	if (s->cancelled || n <= 0 ||
		chunk_pool_used(world_loop->chunks) == CHUNKS_HARD)
		return n > 0;
	n = recv(sides[i].end.fd, bytes, (size_t)n, MSG_DONTWAIT);
	script_receive(world_loop, s, bytes, (uint32_t)n);
	return true;
}

/* Readable, or writable: what the wait was for is made so. */
static void complete_poll(struct script_op *s, int i)
{
	struct side *d = &sides[i];
	uint32_t left = d->size - d->sent, n = 1 + pick(12000);
	ssize_t written;

	if (s->cancelled && rarely(2)) {
		script_complete(s, -ECANCELED, true);
		return;
	}
	if (rarely(400)) {
		d->failed = true;
		d->ended = !(s->args.events & POLLOUT);
		script_complete(s, failure(), true);
		return;
	}
	if (s->args.events & POLLOUT) {
		gather(i, 1 + pick(8000));
		script_complete(s, POLLOUT, true);
		return;
	}
	n = n > left ? left : n;
	written =
		n ? send(d->end.peer, d->sends + d->sent, n, MSG_DONTWAIT) : 0;
	if (written > 0)
		d->sent += (uint32_t)written;
	if (left == 0) {
		d->ended = true;
		shutdown(d->end.peer, SHUT_WR);
	}
	script_complete(s, POLLIN, true);
}

/* Complete any one operation; false: none is in flight. */
static bool step(void)
{
	unsigned n = 0;
	struct script_op *s;

	while (script_nth(n))
		n++;
	if (n == 0)
		return false;
	s = script_nth(pick(n));
	for (int i = 0; i < 2; i++) {
		if (s->args.fd != sides[i].end.fd)
			continue;
		if (s->kind == OP_SEND)
			complete_send(s, i);
		else if (s->kind == OP_POLL)
			complete_poll(s, i);
		else if (!receive_real(s, i))
			complete_recv(s, i);
		/* Sometimes several complete in one turn. */
		if (!rarely(4))
			script_run(world_loop);
		return true;
	}
	return false;
}

static void make_side(int i)
{
	struct side *d = &sides[i];

	int small = 4096;

	memset(d, 0, sizeof(*d));
	d->end = end_open();
	setsockopt(d->end.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	d->size = rarely(8) ? 0 : pick(BYTES_MAX);
	for (uint32_t k = 0; k < d->size; k++)
		d->sends[k] = (uint8_t)pick(256);
	d->fails_at = rarely(4) && d->size ? (int)pick(d->size) : -1;
}

/* A clean end is complete; a failure is never taken for one. */
static void check_end(const struct relay_params *p)
{
	const struct side *a = &sides[0], *b = &sides[1];
	uint64_t due = a->size < limit ? a->size : limit;

	if (a->failed || b->failed)
		/* All may have been delivered before the failure came. */
		cr_assert(!reason_is_clean(why) || a->received == b->size,
			"seed %u: a cut looks complete: %s", seed,
			reason_name(why));
	if (!reason_is_clean(why))
		return;
	cr_assert_eq(a->received, b->size, "seed %u: A got %u of %u (%s)", seed,
		a->received, b->size, reason_name(why));
	/* A peer without half-close that has ended takes no more. */
	if (p->b_half_close && !b->failed && limit == PUMP_UNLIMITED)
		cr_assert_eq(b->received, due, "seed %u: B got %u of %u (%s)",
			seed, b->received, (unsigned)due, reason_name(why));
	cr_assert_leq(b->received, due, "seed %u: beyond the limit", seed);
}

/* Without a limit, or so that the bytes take seconds. */
static int64_t any_rate(void)
{
	return rarely(4) ? 0 : 1024 + pick(20000);
}

/* Each direction under any of them, both under one perhaps. */
static void throttle(struct relay_params *p)
{
	memset(throttles, 0, sizeof(throttles));
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++)
		throttles[i].rate = any_rate();
	for (int i = 0; i < THROTTLES_MAX; i++) {
		if (!rarely(3))
			p->throttle_out.of[i] = &throttles[pick(3)];
		if (!rarely(3))
			p->throttle_back.of[i] = &throttles[pick(3)];
	}
}

static void run(unsigned with)
{
	struct relay_params p = { .limit = PUMP_UNLIMITED,
		.a_half_close = true,
		.counters = &world_counters,
		.ended = relay_has_ended };
	bool abandon;
	int idle = 0;

	seed = with;
	chance = UINT64_C(0x9e3779b97f4a7c15) * (with + 1);
	ends = 0;
	world_begin();
	script_hold_cancels(rarely(2));
	make_side(0);
	make_side(1);
	p.a = sides[0].end.stream;
	p.b = sides[1].end.stream;
	p.b_half_close = !rarely(4);
	if (rarely(4))
		p.limit = pick(BYTES_MAX);
	limit = p.limit;
	p.mode = (enum engine_mode)pick(3);
	abandon = rarely(6);
	if (rarely(2))
		throttle(&p);
	memset(&relay, 0, sizeof(relay));
	relay_init(&relay, &p);
	relay_start(&relay);
	for (int i = 0; ends == 0 && i < STEPS; i++) {
		if (abandon && rarely(60))
			break;
		if (rarely(50))
			compete();
		if (rarely(200))
			throttle_set_rate(&throttles[pick(3)], any_rate());
		if (step()) {
			idle = 0;
			continue;
		}
		/* Only time can help: a held end, a drain. */
		cr_assert_lt(idle++, 100, "seed %u: it hangs", seed);
		script_pass(world_loop, CLOCK_SECOND);
	}
	cr_assert(ends == 1 || abandon, "seed %u: no end", seed);
	gather(0, UINT32_MAX);
	gather(1, UINT32_MAX);
	if (ends)
		check_end(&p);
	relay_stop(&relay);
	while (hoarded > 0)
		chunk_give(hoard[--hoarded]);
	stream_close(&sides[0].end.stream, !ends || !reason_is_clean(why));
	stream_close(&sides[1].end.stream, !ends || !reason_is_clean(why));
	script_run(world_loop);
	while (step())
		script_run(world_loop);
	cr_assert_leq(ends, 1, "seed %u: ended twice", seed);
	close(sides[0].end.peer);
	close(sides[1].end.peer);
	world_end();
}

Test(relay_property, holds_for_every_seed)
{
	const char *one = getenv("PUMP_SEED"), *many = getenv("PUMP_SEEDS");
	unsigned n = many ? (unsigned)atoi(many) : SEEDS;

	if (one) {
		run((unsigned)atoi(one));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		run(i);
}
