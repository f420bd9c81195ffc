/* SPDX-License-Identifier: Apache-2.0 */

#include "common/load/load.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/socket.h"
#include "common/event/loop.h"
#include "common/load/pattern.h"
#include "common/relay/raw_stream.h"

enum connection_state {
	/* Nothing to do: waits for an exchange, or is over. */
	CONNECTION_RESTING,
	CONNECTION_CONNECTING,
	/* In an exchange. */
	CONNECTION_BUSY,
	/* Answered already, while the end of its write is still to be told. */
	CONNECTION_ANSWERED,
};

enum connection_role {
	ROLE_BUSY,
	ROLE_IDLE,
	ROLE_SLOW,
};

struct load_connection {
	struct load *load;
	struct stream *stream; /* NULL: not connected */
	struct stream_reader reader;
	struct stream_writer writer;
	struct op connect;
	struct timer pause;
	struct list link; /* load's free */
	int64_t due;      /* when the exchange was to begin, clock.h */
	int64_t dialed;
	uint64_t out_left, in_left; /* of the exchange, bytes */
	uint32_t offset;            /* of its bytes in the pattern */
	int fd;                     /* while CONNECTING */
	uint8_t state;              /* enum connection_state */
	uint8_t role;               /* enum connection_role */
	struct response response;
};

/* Before a connection that failed is tried again. */
#define PAUSE (10 * CLOCK_MS)

static void begin(struct load_connection *c);

uint32_t load_operations(const struct load_params *p)
{
	return 3 * (p->connections + p->idle + p->slow) + 16;
}

/* --- when the next exchange is due --- */

static int64_t due_at(const struct load *l, uint64_t number)
{
	return l->began + (int64_t)((double)number * 1e9 / l->params.rate);
}

static void give_out(struct timer *t)
{
	struct load *l = container_of(t, struct load, timer);
	int64_t now = clock_now();

	while (!list_empty(&l->free) && due_at(l, l->due) <= now) {
		struct list *node = list_take(&l->free);
		struct load_connection *c =
			container_of(node, struct load_connection, link);

		c->due = due_at(l, l->due++);
		begin(c);
	}
	if (!list_empty(&l->free) && !l->stopping)
		loop_set_timer(l->loop, t, due_at(l, l->due) - now, give_out);
}

/* The connection has nothing to do: now, or when the next one is due. */
static void next(struct load_connection *c)
{
	struct load *l = c->load;

	c->state = CONNECTION_RESTING;
	if (l->stopping)
		return;
	if (l->params.rate == 0) {
		c->due = clock_now();
		l->due++;
		begin(c);
		return;
	}
	list_append(&l->free, &c->link);
	if (!timer_is_set(&l->timer))
		loop_set_timer(l->loop, &l->timer,
			due_at(l, l->due) - clock_now(), give_out);
}

/* --- an exchange --- */

static void leave_exchange(struct load_connection *c)
{
	if (c->load->params.close || c->response.close)
		stream_close(&c->stream, false);
	next(c);
}

static void over(struct load_connection *c)
{
	struct load *l = c->load;

	histogram_record(&l->result.latency, clock_now() - c->due);
	l->result.exchanges++;
	if (stream_is_writing(c->stream))
		c->state = CONNECTION_ANSWERED;
	else
		leave_exchange(c);
}

static void resume(struct timer *t)
{
	next(container_of(t, struct load_connection, pause));
}

/* It goes on with a new connection, soon: a target that is down is no spin. */
static void failed(struct load_connection *c, enum load_error why)
{
	struct load *l = c->load;

	stream_close(&c->stream, true);
	c->state = CONNECTION_RESTING;
	if (l->stopping)
		return;
	l->result.errors[why]++;
	if (c->role == ROLE_BUSY)
		loop_set_timer(l->loop, &c->pause, PAUSE, resume);
}

static void send_some(struct load_connection *c)
{
	struct load *l = c->load;
	struct chunk *k = chunk_take(l->loop->chunks);
	uint32_t n = 0;

	if (!k) {
		failed(c, LOAD_ERROR_closed);
		return;
	}
	if (l->params.kind == LOAD_HTTP) {
		n = l->request_size;
		memcpy(k->data, l->request, n);
	} else {
		uint64_t at = l->params.size - c->out_left + c->offset;

		while (n < k->size && n < c->out_left) {
			uint32_t from = (uint32_t)((at + n) % PATTERN_SIZE);
			uint32_t part = PATTERN_SIZE - from;

			part = part < k->size - n ? part : k->size - n;
			if (part > c->out_left - n)
				part = (uint32_t)(c->out_left - n);
			memcpy(k->data + n, pattern + from, part);
			n += part;
		}
	}
	k->to = n;
	c->out_left -= n;
	l->result.bytes_out += n;
	stream_write(c->stream, k, c->out_left > 0, &c->writer);
}

static void sent(struct stream_writer *w, struct chunk *k, int result)
{
	struct load_connection *c =
		container_of(w, struct load_connection, writer);

	chunk_give(k);
	if (result < 0)
		failed(c, LOAD_ERROR_closed);
	else if (c->out_left > 0)
		send_some(c);
	else if (c->state == CONNECTION_ANSWERED)
		leave_exchange(c);
}

/* Whether the bytes are what was sent; more than that is wrong too. */
static bool same(const struct load_connection *c, const struct chunk *k)
{
	const struct load *l = c->load;
	uint64_t at = l->params.size - c->in_left + c->offset;
	uint32_t n = 0, size = chunk_length(k);

	if (size > c->in_left)
		return false;
	while (n < size) {
		uint32_t from = (uint32_t)((at + n) % PATTERN_SIZE);
		uint32_t part = PATTERN_SIZE - from;

		part = part < size - n ? part : size - n;
		if (memcmp(chunk_bytes(k) + n, pattern + from, part))
			return false;
		n += part;
	}
	return true;
}

static void read_on(struct load_connection *c);

/* The end, or a failure, of the connection. */
static void connection_ended(struct load_connection *c)
{
	if (c->state == CONNECTION_BUSY && c->load->params.kind == LOAD_HTTP &&
		response_ended(&c->response)) {
		over(c);
		return;
	}
	if (c->state == CONNECTION_BUSY) {
		failed(c, LOAD_ERROR_closed);
		return;
	}
	/* A kept connection went while it rested: no exchange was hurt. */
	stream_close(&c->stream, true);
	if (c->state == CONNECTION_ANSWERED)
		next(c);
}

static void took(struct load_connection *c, const struct chunk *k)
{
	struct load *l = c->load;

	l->result.bytes_in += chunk_length(k);
	if (c->state != CONNECTION_BUSY) {
		failed(c, LOAD_ERROR_bytes);
	} else if (l->params.kind == LOAD_ECHO) {
		if (!same(c, k)) {
			failed(c, LOAD_ERROR_bytes);
			return;
		}
		c->in_left -= chunk_length(k);
		if (c->in_left == 0)
			over(c);
	} else {
		uint32_t used = response_take(
			&c->response, chunk_bytes(k), chunk_length(k));

		if (c->response.state == RESPONSE_BAD || used < chunk_length(k))
			failed(c, LOAD_ERROR_bytes);
		else if (c->response.state == RESPONSE_DONE)
			c->response.status / 100 == 2
				? over(c)
				: failed(c, LOAD_ERROR_status);
	}
}

static void received(struct stream_reader *r, struct chunk *k, int result)
{
	struct load_connection *c =
		container_of(r, struct load_connection, reader);

	if (result <= 0)
		connection_ended(c);
	else
		took(c, k);
	chunk_give(k);
	read_on(c);
}

static void read_on(struct load_connection *c)
{
	struct chunk *k;
	int n;

	while (c->stream && !c->stream->reader) {
		n = stream_take(c->stream, &k);
		if (n == -EAGAIN) {
			stream_read(c->stream, &c->reader);
			return;
		}
		if (n <= 0)
			connection_ended(c);
		else
			took(c, k);
		chunk_give(k);
	}
}

/* The connection is there. */
static void start_exchange(struct load_connection *c)
{
	const struct load_params *p = &c->load->params;

	c->state = CONNECTION_BUSY;
	if (c->role == ROLE_IDLE)
		return;
	response_reset(&c->response);
	c->out_left = p->kind == LOAD_HTTP ? c->load->request_size : p->size;
	c->in_left = p->size;
	c->offset = (c->offset + 7919) % PATTERN_SIZE;
	send_some(c);
	if (c->role == ROLE_BUSY)
		read_on(c);
}

static void connected(struct load_connection *c, int fd)
{
	struct load *l = c->load;

	histogram_record(&l->result.connect, clock_now() - c->dialed);
	l->result.connections++;
	c->stream = raw_stream_open(l->streams, l->loop, fd);
	if (!c->stream) {
		failed(c, LOAD_ERROR_connect);
		return;
	}
	c->stream->steady = true;
	start_exchange(c);
}

static void connect_ended(struct op *op, int result)
{
	struct load_connection *c =
		container_of(op, struct load_connection, connect);
	int fd = c->fd;

	c->fd = -1;
	if (result >= 0)
		result = socket_error(fd);
	if (result == 0 && !c->load->stopping) {
		connected(c, fd);
		return;
	}
	loop_close(c->load->loop, fd);
	failed(c, LOAD_ERROR_connect);
}

/* One of the sources' addresses, in turn; NULL: any. */
static const struct address *source_of(
	const struct load_connection *c, struct address *a)
{
	uint32_t sources = c->load->params.sources;
	char ip[ADDRESS_TEXT_SIZE];

	if (sources == 0)
		return NULL;
	snprintf(ip, sizeof(ip), "127.0.0.%u",
		2 + (uint32_t)(c - c->load->connections) % sources);
	return address_parse(a, ip, 0) == 0 ? a : NULL;
}

static void begin(struct load_connection *c)
{
	struct load *l = c->load;
	struct address source;
	bool pending;
	int fd;

	if (c->stream) {
		start_exchange(c);
		return;
	}
	c->state = CONNECTION_CONNECTING;
	c->dialed = clock_now();
	fd = socket_connect(&l->params.target, source_of(c, &source), &pending);
	if (fd < 0) {
		failed(c, LOAD_ERROR_connect);
		return;
	}
	if (!pending) {
		connected(c, fd);
		return;
	}
	c->fd = fd;
	op_poll(l->loop, &c->connect, fd, POLLOUT, connect_ended);
}

/* --- begin and end --- */

/* What was due and has not ended counts as long as it has lasted. */
static void count_unfinished(struct load *l, int64_t now)
{
	for (uint32_t i = 0; i < l->params.connections; i++) {
		struct load_connection *c = &l->connections[i];

		if (c->state == CONNECTION_RESTING ||
			c->state == CONNECTION_ANSWERED)
			continue;
		l->result.unfinished++;
		if (l->params.rate > 0)
			histogram_record(&l->result.latency, now - c->due);
	}
	while (l->params.rate > 0 && due_at(l, l->due) < now) {
		l->result.unfinished++;
		histogram_record(&l->result.latency, now - due_at(l, l->due++));
	}
}

void load_stop(struct load *l)
{
	int64_t now = clock_now();

	if (l->stopping)
		return;
	l->stopping = true;
	l->result.elapsed = now - l->began;
	count_unfinished(l, now);
	loop_cancel_timer(l->loop, &l->timer);
	loop_cancel_timer(l->loop, &l->end);
	for (uint32_t i = 0; i < l->count; i++) {
		struct load_connection *c = &l->connections[i];

		stream_close(&c->stream, true);
		loop_cancel_timer(l->loop, &c->pause);
		op_cancel(l->loop, &c->connect);
	}
	l->ended(l);
}

static void time_is_over(struct timer *t)
{
	load_stop(container_of(t, struct load, end));
}

static void make_request(struct load *l)
{
	const struct load_params *p = &l->params;

	if (p->kind == LOAD_HTTP)
		l->request_size =
			(uint32_t)snprintf(l->request, sizeof(l->request),
				"GET %.200s HTTP/1.1\r\nHost: %.200s\r\n%s\r\n",
				p->path, p->host,
				p->close ? "Connection: close\r\n" : "");
}

int load_start(struct load *l, struct loop *loop, const struct load_params *p,
	void (*ended)(struct load *l))
{
	*l = (struct load){ .params = *p, .loop = loop, .ended = ended };
	l->count = p->connections + p->idle + p->slow;
	l->connections = calloc(l->count, sizeof(*l->connections));
	l->streams = pool_create(sizeof(struct raw_stream), 2 * l->count + 64);
	if (!l->connections || !l->streams) {
		free(l->connections);
		pool_destroy(&l->streams);
		return -ENOMEM;
	}
	pattern_make();
	make_request(l);
	list_init(&l->free);
	l->began = clock_now();
	loop_set_timer(loop, &l->end, p->duration, time_is_over);
	/* Idle and slow ones first: they are there while the others work. */
	for (uint32_t i = l->count; i-- > 0;) {
		struct load_connection *c = &l->connections[i];

		c->load = l;
		c->fd = -1;
		c->reader.received = received;
		c->writer.sent = sent;
		list_init(&c->link);
		c->role = i < p->connections             ? ROLE_BUSY
			  : i < p->connections + p->idle ? ROLE_IDLE
							 : ROLE_SLOW;
		if (c->role == ROLE_BUSY)
			next(c);
		else
			begin(c);
	}
	return 0;
}

bool load_finish(struct load *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (op_in_flight(&l->connections[i].connect))
			return false;
	if (pool_used(l->streams) > 0)
		return false;
	free(l->connections);
	l->connections = NULL;
	l->count = 0;
	pool_destroy(&l->streams);
	return true;
}
