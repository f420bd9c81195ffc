/* SPDX-License-Identifier: Apache-2.0 */

#include "common/event/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/event/loop.h"

/* Less than this is not worth a system call: the user's quota is used up. */
#define PIPE_SIZE_MIN 65536

/* Free pipes are closed when none was taken for that long, or twice that. */
#define REST_TIME CLOCK_SECOND

/* How long nothing is tried after the system has refused a pipe. */
#define REFUSED_TIME CLOCK_SECOND

struct pipe_pool {
	struct loop *loop;
	uint32_t limit, size, made, used;
	int64_t refused_until; /* clock.h */
	struct pipe *free;
	struct list held; /* the one held longest first */
	struct timer timer;
	struct timer rest; /* set while free ones are open */
	bool busy;         /* one was taken since it was set */
	struct pipe pipes[];
};

struct pipe_pool *pipe_pool_create(
	struct loop *l, uint32_t count, uint32_t size)
{
	struct pipe_pool *p =
		calloc(1, sizeof(*p) + count * sizeof(p->pipes[0]));

	if (!p)
		return NULL;
	p->loop = l;
	p->limit = count;
	p->size = size;
	list_init(&p->held);
	return p;
}

/* Its ends; the struct stays and may be made a pipe again. */
static void close_ends(struct pipe *p)
{
	close(p->in);
	close(p->out);
	p->in = p->out = -1;
}

static void close_free(struct pipe_pool *pool)
{
	for (struct pipe *p = pool->free; p; p = p->next)
		if (p->in >= 0)
			close_ends(p);
}

/* Nothing is held open for a bulk that has ended. */
static void rest(struct timer *t)
{
	struct pipe_pool *pool = container_of(t, struct pipe_pool, rest);

	if (pool->busy)
		loop_set_timer(pool->loop, t, REST_TIME, rest);
	else
		close_free(pool);
	pool->busy = false;
}

void pipe_pool_destroy(struct pipe_pool **pp)
{
	struct pipe_pool *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	close_free(p);
	loop_cancel_timer(p->loop, &p->rest);
	free(p);
}

uint32_t pipe_pool_used(const struct pipe_pool *p)
{
	return p->used;
}

uint32_t pipe_pool_size(const struct pipe_pool *p)
{
	return p->size;
}

/* 0, or -errno: no ends. */
static int open_ends(struct pipe *p)
{
	int ends[2], has;

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -errno;
	p->out = ends[0];
	p->in = ends[1];
	has = fcntl(p->in, F_GETPIPE_SZ);
	if (has < (int)p->pool->size)
		/* EPERM: beyond the user's quota; then it stays as it is. */
		has = fcntl(p->in, F_SETPIPE_SZ, (int)p->pool->size);
	if (has < 0)
		has = fcntl(p->in, F_GETPIPE_SZ);
	if (has >= PIPE_SIZE_MIN)
		return 0;
	close_ends(p);
	return -EPERM;
}

/* A free place without a pipe in it becomes one. */
static struct pipe *make_pipe(struct pipe_pool *pool, struct pipe *p)
{
	if (pool->loop->now < pool->refused_until)
		return NULL;
	p->pool = pool;
	if (open_ends(p) == 0)
		return p;
	count(pool->loop->counters, pipes_refused);
	pool->refused_until = pool->loop->now + REFUSED_TIME;
	return NULL;
}

struct pipe *pipe_take(struct pipe_pool *pool)
{
	struct pipe *p = pool->free;

	if (p) {
		if (p->in < 0 && !make_pipe(pool, p))
			p = NULL;
		else
			pool->free = p->next;
	} else if (pool->made < pool->limit) {
		p = make_pipe(pool, &pool->pipes[pool->made]);
		if (p)
			pool->made++;
	}
	if (!p) {
		count(pool->loop->counters, pipes_short);
		return NULL;
	}
	p->overdue = NULL;
	pool->used++;
	pool->busy = true;
	return p;
}

void pipe_give(struct pipe *p)
{
	struct pipe_pool *pool;

	if (!p)
		return;
	pool = p->pool;
	if (p->overdue) {
		list_remove(&p->link);
		if (list_empty(&pool->held))
			loop_cancel_timer(pool->loop, &pool->timer);
	}
	if (p->bytes > 0) {
		close_ends(p);
		p->bytes = 0;
	}
	p->next = pool->free;
	pool->free = p;
	pool->used--;
	if (!timer_is_set(&pool->rest))
		loop_set_timer(pool->loop, &pool->rest, REST_TIME, rest);
}

/* Tell the holders of those that are due; each may give its pipe back. */
static void patience_ends(struct timer *t)
{
	struct pipe_pool *pool = container_of(t, struct pipe_pool, timer);
	int64_t now = pool->loop->now;
	struct pipe *p;

	while (!list_empty(&pool->held)) {
		p = container_of(pool->held.next, struct pipe, link);
		if (p->since + PIPE_PATIENCE > now)
			break;
		p->since = now;
		list_remove(&p->link);
		list_append(&pool->held, &p->link);
		p->overdue(p);
	}
	if (list_empty(&pool->held))
		return;
	p = container_of(pool->held.next, struct pipe, link);
	loop_set_timer(
		pool->loop, t, p->since + PIPE_PATIENCE - now, patience_ends);
}

void pipe_hold(struct pipe *p, void (*overdue)(struct pipe *p), void *holder)
{
	struct pipe_pool *pool = p->pool;

	if (p->overdue)
		return;
	p->overdue = overdue;
	p->holder = holder;
	p->since = pool->loop->now;
	list_append(&pool->held, &p->link);
	if (!timer_is_set(&pool->timer))
		loop_set_timer(
			pool->loop, &pool->timer, PIPE_PATIENCE, patience_ends);
}

ssize_t pipe_fill(struct pipe *p, int fd, uint32_t max)
{
	ssize_t n = splice(
		fd, NULL, p->in, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	count(p->pool->loop->counters, splices);
	if (n < 0) {
		n = -errno;
		if (n == -EAGAIN)
			count(p->pool->loop->counters, splices_in_vain);
		return n;
	}
	p->bytes += (uint32_t)n;
	return n;
}

ssize_t pipe_drain(struct pipe *p, int fd, bool more)
{
	unsigned flags =
		SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0);
	ssize_t n = splice(p->out, NULL, fd, NULL, p->bytes, flags);

	count(p->pool->loop->counters, splices);
	if (n < 0) {
		n = -errno;
		if (n == -EAGAIN)
			count(p->pool->loop->counters, splices_in_vain);
		return n;
	}
	p->bytes -= (uint32_t)n;
	return n;
}

uint32_t pipe_spill(struct pipe *p, struct chunk *c)
{
	uint32_t room = c->size - c->to;
	ssize_t n;

	if (room > p->bytes)
		room = p->bytes;
	n = room > 0 ? read(p->out, c->data + c->to, room) : 0;
	if (n <= 0)
		return 0;
	c->to += (uint32_t)n;
	p->bytes -= (uint32_t)n;
	count_add(p->pool->loop->counters, bytes_spilled, (uint64_t)n);
	return (uint32_t)n;
}
