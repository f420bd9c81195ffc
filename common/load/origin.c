/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/origin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/event/backend.h"
#include "common/event/mailbox.h"
#include "common/relay/pump.h"
#include "common/relay/raw_stream.h"

#define CONNECTIONS 4096

struct echo {
	struct origin *origin;
	struct stream *stream;
	struct pump pump;
	struct list link;
};

struct origin {
	struct loop *loop;
	struct counters counters;
	struct mailbox mailbox;
	struct pool *streams, *echoes;
	struct list all;
	struct op accept;
	pthread_t thread;
	int fd;
	bool stopping;
};

static void echo_end(struct echo *e, bool cut)
{
	struct origin *o = e->origin;

	pump_stop(&e->pump);
	stream_close(&e->stream, cut);
	list_remove(&e->link);
	pool_give(o->echoes, e);
}

static void echo_ended(struct pump *p, enum pump_end how)
{
	echo_end(container_of(p, struct echo, pump), how != PUMP_EOF);
}

static void accepted(struct op *op, int fd)
{
	struct origin *o = container_of(op, struct origin, accept);
	struct echo *e;
	struct stream *s;

	if (fd >= 0) {
		e = pool_take(o->echoes);
		s = raw_stream_open(o->streams, o->loop, fd);
		if (e && s) {
			struct pump_params p = { .source = s,
				.sink = s,
				.ended = echo_ended,
				.limit = PUMP_UNLIMITED,
				.counters = &o->counters,
				.counter = COUNTER_bytes_in };

			e->origin = o;
			e->stream = s;
			list_append(&o->all, &e->link);
			pump_init(&e->pump, &p);
			pump_start(&e->pump);
		} else {
			stream_close(&s, true);
			if (e)
				pool_give(o->echoes, e);
		}
	}
	if (!op_in_flight(op) && !o->stopping)
		op_accept(o->loop, op, o->fd, accepted);
}

static void deliver_stop(struct mailbox *m, struct letter *letter)
{
	struct origin *o = container_of(m, struct origin, mailbox);

	(void)letter;
	o->stopping = true;
	op_cancel(o->loop, &o->accept);
	list_each_safe (l, &o->all)
		echo_end(container_of(l, struct echo, link), true);
	mailbox_stop(m);
}

static void *serve(void *arg)
{
	struct origin *o = arg;

	if (loop_enter(o->loop) < 0)
		return NULL;
	mailbox_start(&o->mailbox, o->loop);
	op_accept(o->loop, &o->accept, o->fd, accepted);
	while (!o->stopping || o->loop->in_flight > 0)
		loop_turn(o->loop);
	return NULL;
}

int origin_start(struct origin **o_r, uint16_t *port_r)
{
	struct origin *o = calloc(1, sizeof(*o));
	struct loop_params params = { .ops = 2 * CONNECTIONS + 16,
		.chunk_size = 16384,
		.chunks_soft = 512,
		.chunks_hard = 1024 + 2 * CONNECTIONS,
		.pipes = 64,
		.pipe_size = 262144 };
	struct address a;
	int rc = -ENOMEM;

	if (!o)
		return rc;
	list_init(&o->all);
	params.counters = &o->counters;
	o->streams = pool_create(sizeof(struct raw_stream), CONNECTIONS);
	o->echoes = pool_create(sizeof(struct echo), CONNECTIONS);
	if (!o->streams || !o->echoes)
		goto err0;
	rc = address_parse(&a, "127.0.0.1", 0);
	rc = rc < 0 ? rc : socket_listen(&a);
	if (rc < 0)
		goto err0;
	o->fd = rc;
	address_of_self(&a, o->fd);
	*port_r = address_port(&a);
	rc = mailbox_init(&o->mailbox);
	if (rc < 0)
		goto err1;
	rc = loop_create(&o->loop, backend_choose(BACKEND_AUTO, NULL), &params);
	if (rc < 0)
		goto err2;
	rc = -pthread_create(&o->thread, NULL, serve, o);
	if (rc < 0)
		goto err3;
	*o_r = o;
	return 0;
err3:
	loop_destroy(&o->loop);
err2:
	mailbox_destroy(&o->mailbox);
err1:
	close(o->fd);
err0:
	pool_destroy(&o->streams);
	pool_destroy(&o->echoes);
	free(o);
	return rc;
}

void origin_stop(struct origin **op)
{
	struct origin *o = *op;

	if (!o)
		return;
	*op = NULL;
	mailbox_post(
		&o->mailbox, letter_new(sizeof(struct letter)), deliver_stop);
	pthread_join(o->thread, NULL);
	mailbox_destroy(&o->mailbox);
	loop_destroy(&o->loop);
	close(o->fd);
	pool_destroy(&o->streams);
	pool_destroy(&o->echoes);
	free(o);
}
