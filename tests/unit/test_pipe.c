/* SPDX-License-Identifier: Apache-2.0 */

/* Pipes: how many, what becomes of bytes inside, of holders that wait. */
// links: common/event/pipe.c common/event/loop.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c tests/double/script.c

#include "common/event/pipe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/double/script.h"

static struct counters counters;
static struct loop *l;
static int a[2], b[2];
static int told;

static void setup(void)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK;

	l = script_loop(&counters, 8);
	cr_assert_eq(socketpair(AF_UNIX, type, 0, a), 0);
	cr_assert_eq(socketpair(AF_UNIX, type, 0, b), 0);
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	cr_assert_eq(pipe_pool_used(l->pipes), 0);
	cr_assert_eq(chunk_pool_used(l->chunks), 0);
	loop_destroy(&l);
}

TestSuite(pipe, .init = setup, .fini = teardown);

static struct pipe *with(const char *bytes)
{
	struct pipe *p = pipe_take(l->pipes);

	cr_assert_not_null(p);
	cr_assert_eq(
		send(a[1], bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
	cr_assert_eq(pipe_fill(p, a[0], 65536), (ssize_t)strlen(bytes));
	return p;
}

Test(pipe, moves_bytes)
{
	struct pipe *p = with("hello");
	char got[8] = "";

	cr_assert_eq(p->bytes, 5);
	cr_assert_eq(pipe_drain(p, b[0], false), 5);
	cr_assert_eq(p->bytes, 0);
	cr_assert_eq(recv(b[1], got, sizeof(got), 0), 5);
	cr_assert_str_eq(got, "hello");
	cr_assert_eq(pipe_fill(p, a[0], 65536), -EAGAIN);
	shutdown(a[1], SHUT_WR);
	cr_assert_eq(pipe_fill(p, a[0], 65536), 0);
	pipe_give(p);
	cr_assert_eq(counters.value[COUNTER_splices_in_vain], 1);
}

Test(pipe, as_many_as_allowed)
{
	struct pipe *p = pipe_take(l->pipes), *q = pipe_take(l->pipes);

	cr_assert(p && q);
	cr_assert_null(pipe_take(l->pipes));
	cr_assert_eq(counters.value[COUNTER_pipes_short], 1);
	pipe_give(q);
	cr_assert_eq(pipe_take(l->pipes), q);
	pipe_give(p);
	pipe_give(q);
}

Test(pipe, never_kept_with_bytes_inside)
{
	struct pipe *p = with("stale");
	char got[8] = "";

	pipe_give(p);
	p = with("new");
	cr_assert_eq(p->bytes, 3);
	cr_assert_eq(pipe_drain(p, b[0], false), 3);
	pipe_give(p);
	cr_assert_eq(recv(b[1], got, sizeof(got), 0), 3);
	cr_assert_str_eq(got, "new");
}

Test(pipe, no_descriptor_is_left)
{
	struct rlimit old, none = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	cr_assert_null(pipe_take(l->pipes));
	setrlimit(RLIMIT_NOFILE, &old);
	/* Not asked again at once. */
	cr_assert_null(pipe_take(l->pipes));
	cr_assert_eq(counters.value[COUNTER_pipes_refused], 1);
	script_pass(l, 2 * CLOCK_SECOND);
	pipe_give(pipe_take(l->pipes));
	cr_assert_eq(counters.value[COUNTER_pipes_refused], 1);
}

Test(pipe, free_ones_are_closed_in_time)
{
	struct pipe *p = pipe_take(l->pipes);
	int in = p->in;

	pipe_give(p);
	script_pass(l, CLOCK_SECOND / 2);
	cr_assert_eq(p->in, in);
	script_pass(l, 3 * CLOCK_SECOND);
	cr_assert_eq(p->in, -1);
	pipe_give(with("again"));
}

static void spill(struct pipe *p)
{
	struct chunk *c = chunk_take(l->chunks);

	cr_assert_eq(p->holder, &told);
	told++;
	cr_assert_eq(pipe_spill(p, c), 4);
	cr_assert(memcmp(chunk_bytes(c), "held", 4) == 0);
	chunk_give(c);
	pipe_give(p);
}

static void only_told(struct pipe *p)
{
	(void)p;
	told++;
}

Test(pipe, who_holds_one_is_told)
{
	struct pipe *p = with("held"), *q = pipe_take(l->pipes);

	pipe_hold(p, spill, &told);
	pipe_hold(q, only_told, NULL);
	pipe_hold(q, only_told, NULL);
	script_pass(l, PIPE_PATIENCE / 2);
	cr_assert_eq(told, 0);
	script_pass(l, PIPE_PATIENCE);
	cr_assert_eq(told, 2);
	cr_assert_eq(counters.value[COUNTER_bytes_spilled], 4);
	script_pass(l, PIPE_PATIENCE);
	cr_assert_eq(told, 3);
	pipe_give(q);
	script_pass(l, PIPE_PATIENCE);
	cr_assert_eq(told, 3);
}
