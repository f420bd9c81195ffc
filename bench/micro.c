/* SPDX-License-Identifier: Apache-2.0 */

/* Micro benchmarks: what single parts cost, in nanoseconds. */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/pool.h"
#include "common/base/timer.h"
#include "common/crypto/tls.h"
#include "common/event/backend.h"
#include "common/http/head.h"
#include "common/relay/inlet.h"
#include "common/relay/raw_stream.h"
#include "common/relay/relay.h"
#include "common/wire/message.h"

/* Each part runs in batches until so much time has passed; the best counts. */
#define BATCHES 20
#define BATCH_TIME (20 * CLOCK_MS)

static const char request[] =
	"GET /static/app.js?v=12 HTTP/1.1\r\nHost: app.example.com\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
	"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
	"Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n"
	"Cookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";

static void parse_head(void)
{
	static struct http_head head;

	head_init(&head);
	if (head_parse(&head, (const uint8_t *)request, sizeof(request) - 1) <
		0)
		never_reached();
}

static void decode_message(void)
{
	static uint8_t frame[512];
	static ssize_t size;
	struct message m = { .type = MESSAGE_START_WORK_CONN };
	const char *error;

	if (size == 0) {
		m.start_work_conn.proxy_name = "web";
		m.start_work_conn.src_addr = "192.0.2.1";
		m.start_work_conn.src_port = 40000;
		size = message_encode(&m, frame, sizeof(frame));
	}
	if (message_decode(frame, (size_t)size, &m, &error) < 0)
		never_reached();
	message_clear(&m);
}

static void unframe(void)
{
	static uint8_t bytes[64] = { 2, 0, 0, 32 };
	static struct inlet inlet = { .state = CARRY_OPEN, .visit = true };
	struct chunk c = { .data = bytes, .size = 64, .to = 36 };
	uint32_t rest;

	if (inlet_unframe(&inlet, &c, &rest) < 0)
		never_reached();
}

static void fire(struct timer *t)
{
	(void)t;
}

static void set_timers(void)
{
	static struct timers timers;
	static struct timer t[64];
	static unsigned turn;

	turn++;
	timer_set(&timers, &t[turn % 64], turn * 7919 % 1000003 + 1, fire);
	timer_cancel(&timers, &t[(turn + 32) % 64]);
}

static void use_pool(void)
{
	static struct pool *pool;
	void *object;

	if (!pool)
		pool = pool_create(256, 1024);
	object = pool_take(pool);
	if (!object)
		never_reached();
	pool_give(pool, object);
}

/* A byte there and back through a relay: four messages through the ring. */
static struct {
	struct loop *loop;
	struct relay relay;
	int a, b; /* the outer ends */
} hop;

static void relay_ended(struct relay *r, enum reason why)
{
	(void)r;
	(void)why;
}

static struct stream *open_end(int *outer)
{
	static struct pool *streams;
	int pair[2];

	if (!streams)
		streams = pool_create(sizeof(struct raw_stream), 4);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		never_reached();
	*outer = pair[1];
	return raw_stream_open(streams, hop.loop, pair[0]);
}

static void start_relay(void)
{
	static struct counters counters;
	struct loop_params params = { .ops = 64,
		.chunk_size = 16384,
		.chunks_soft = 256,
		.chunks_hard = 512,
		.counters = &counters };
	struct relay_params p = { .a_half_close = true,
		.b_half_close = true,
		.limit = PUMP_UNLIMITED,
		.counters = &counters,
		.ended = relay_ended };

	if (loop_create(&hop.loop, &backend_ring, &params) < 0 ||
		loop_enter(hop.loop) < 0)
		never_reached();
	p.a = open_end(&hop.a);
	p.b = open_end(&hop.b);
	relay_init(&hop.relay, &p);
	relay_start(&hop.relay);
}

static void wait_for(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) != 1)
		loop_turn(hop.loop);
}

static void turn_relay(void)
{
	if (!hop.loop)
		start_relay();
	if (send(hop.a, "x", 1, 0) != 1)
		never_reached();
	wait_for(hop.b);
	if (send(hop.b, "y", 1, 0) != 1)
		never_reached();
	wait_for(hop.a);
}

/* Both ends of a link as adit and aditd have it. */
static struct {
	struct tls_context *client_context, *server_context;
	struct tls_sessions *kept;
	struct transform *client, *server; /* of one that is open */
	uint8_t wire[32768], data[16384];
} tls_link;

static void make_contexts(void)
{
	char error[CERTIFICATE_ERROR_SIZE];
	struct certificate *own = certificate_make(NULL, 0);
	struct tls_server_terms server = { .certificate = own, .adit = true };
	struct tls_client_terms client = { .alpn = TLS_ALPN_REQUIRED };
	struct pin pin;

	if (!own)
		never_reached();
	certificate_pin(own, &pin);
	client.pins = &pin;
	client.pins_n = 1;
	tls_link.server_context = tls_context_server(&server, error);
	tls_link.client_context = tls_context_client(&client, error);
	tls_link.kept = tls_sessions_create();
	if (!tls_link.server_context || !tls_link.client_context ||
		!tls_link.kept)
		never_reached();
	certificate_free(&own);
}

/* Seal so many bytes, and whatever else there is; open them. */
static void carry(struct transform *from, struct transform *to, size_t n)
{
	size_t taken = n, size;
	ssize_t made = from->ops->seal(from, tls_link.data, &taken,
		tls_link.wire, sizeof(tls_link.wire));

	size = made > 0 ? (size_t)made : 0;
	if (made < 0 || taken != n ||
		to->ops->open(to, tls_link.wire, &size, tls_link.data,
			sizeof(tls_link.data)) != (ssize_t)n)
		never_reached();
}

static void shake_hands(struct transform **client, struct transform **server,
	struct tls_sessions *kept)
{
	if (!tls_link.kept)
		make_contexts();
	*client = tls_client(tls_link.client_context, NULL, kept);
	*server = tls_server(tls_link.server_context);
	if (!*client || !*server)
		never_reached();
	while ((*client)->has_words || (*server)->has_words) {
		carry(*client, *server, 0);
		carry(*server, *client, 0);
	}
	/* Tickets, too. */
	carry(*server, *client, 1);
}

static void shake_once(struct tls_sessions *kept)
{
	struct transform *client, *server;

	shake_hands(&client, &server, kept);
	transform_free(&client);
	transform_free(&server);
}

static void shake_fully(void)
{
	shake_once(NULL);
}

static void resume(void)
{
	if (!tls_link.kept)
		make_contexts();
	shake_once(tls_link.kept);
}

static void seal_and_open(void)
{
	if (!tls_link.client)
		shake_hands(&tls_link.client, &tls_link.server, NULL);
	carry(tls_link.client, tls_link.server, sizeof(tls_link.data));
}

static const struct {
	const char *name;
	void (*run)(void);
	unsigned runs; /* of the part in one call */
	size_t bytes;  /* of one run; 0: none are counted */
} parts[] = {
	{ "parse an HTTP request head of 8 lines", parse_head, 1,
		sizeof(request) - 1 },
	{ "decode StartWorkConn", decode_message, 1, 0 },
	{ "take a frame's header out of a chunk", unframe, 1, 0 },
	{ "set a timer, cancel a timer", set_timers, 1, 0 },
	{ "take an object of a pool, give it back", use_pool, 1, 0 },
	{ "relay a byte from socket to socket", turn_relay, 2, 0 },
	{ "seal and open 16 KiB of TLS", seal_and_open, 1, 16384 },
	{ "TLS 1.3 handshake, both ends", shake_fully, 1, 0 },
	{ "TLS 1.3 handshake, resumed, both ends", resume, 1, 0 },
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		double best = 0;

		for (int batch = 0; batch < BATCHES; batch++) {
			int64_t began = clock_now(), now = began;
			unsigned n = 0;
			double ns;

			while (now - began < BATCH_TIME) {
				for (int k = 0; k < 64; k++)
					parts[i].run();
				n += 64 * parts[i].runs;
				now = clock_now();
			}
			ns = (double)(now - began) / n;
			if (batch == 0 || ns < best)
				best = ns;
		}
		printf("%-42s%10.1f ns", parts[i].name, best);
		if (parts[i].bytes > 0)
			printf("%8.2f GB/s", (double)parts[i].bytes / best);
		putchar('\n');
	}
	return 0;
}
