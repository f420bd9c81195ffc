/* SPDX-License-Identifier: Apache-2.0 */

/* Pairs of sockets whose bytes the script moves. */

#include "tests/double/streams.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct loop *world_loop;
struct pool *world_streams;
struct counters world_counters;

void world_begin(void)
{
	world_loop = script_loop(&world_counters, 16);
	world_streams = pool_create(sizeof(struct raw_stream), 16);
}

void world_end(void)
{
	script_run(world_loop);
	cr_assert_eq(world_loop->in_flight, 0);
	cr_assert_eq(pool_used(world_streams), 0);
	cr_assert_eq(chunk_pool_used(world_loop->chunks), 0);
	cr_assert_eq(chunk_pool_used(world_loop->bulk), 0);
	cr_assert_eq(pipe_pool_used(world_loop->pipes), 0);
	pool_destroy(&world_streams);
	loop_destroy(&world_loop);
}

struct end end_open(void)
{
	struct end e;
	int pair[2];

	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	e.fd = pair[0];
	e.peer = pair[1];
	e.stream = raw_stream_open(world_streams, world_loop, e.fd);
	cr_assert_not_null(e.stream);
	return e;
}

bool end_is_finished(const struct end *e)
{
	char byte;

	return recv(e->peer, &byte, 1, 0) == 0;
}

bool end_take(const struct end *e, int n)
{
	struct script_op *s = script_find(OP_SEND, e->fd);

	if (!s)
		return false;
	script_complete(s, n, true);
	script_run(world_loop);
	return true;
}

void end_feed(const struct end *e, const void *bytes, int size)
{
	struct script_op *s = script_find(OP_RECV, e->fd);
	struct script_op *wait = script_find(OP_POLL, e->fd);

	cr_assert(s || wait, "nobody reads");
	if (!s && size > 0)
		cr_assert_eq(send(e->peer, bytes, (size_t)size, 0), size);
	if (!s && size == 0)
		cr_assert_eq(shutdown(e->peer, SHUT_WR), 0);
	if (!s)
		script_complete(wait, size < 0 ? size : POLLIN, true);
	else if (size > 0)
		script_receive(world_loop, s, bytes, (uint32_t)size);
	else
		script_complete(s, size, true);
	script_run(world_loop);
}

bool end_reads(const struct end *e)
{
	return script_find(OP_RECV, e->fd);
}
