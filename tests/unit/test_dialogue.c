/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes through transforms in blocking calls, over real sockets. */
// links: common/base/dialogue.c common/base/socket.c common/base/address.c tests/double/toy.c

#include "common/base/dialogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/socket.h"
#include "tests/double/toy.h"

#define BIG 300000

struct peer {
	pthread_t thread;
	int listener;
	struct address at;
	int layers;
	const char *instead; /* bytes in place of all else */
	bool silent;
	size_t got;
	ssize_t result;
};

static void enter_toys(struct dialogue *d, int layers, enum toy_kind inner)
{
	if (layers > 1)
		cr_assert_eq(dialogue_enter(d, toy_new(TOY_PLAIN)), 0);
	if (layers > 0)
		cr_assert_eq(dialogue_enter(d, toy_new(inner)), 0);
}

/* Echo until the end, then end. */
static void *serve(void *arg)
{
	struct peer *p = arg;
	static uint8_t bytes[8192];
	struct dialogue d = { .connected = true,
		.deadline = clock_now() + 20 * CLOCK_SECOND };
	struct transform *t;

	d.fd = accept(p->listener, NULL, NULL);
	socket_set_abort(d.fd, false);
	if (p->instead) {
		cr_assert(send(d.fd, p->instead, strlen(p->instead), 0) > 0);
	} else if (!p->silent) {
		enter_toys(&d, p->layers, TOY_SECOND);
		while ((p->result = dialogue_receive(
				&d, bytes, sizeof(bytes))) > 0) {
			p->got += (size_t)p->result;
			if (dialogue_send(&d, bytes, (size_t)p->result) < 0)
				break;
		}
		t = dialogue_transform(&d);
		if (t && t->ops->finish) {
			t->ops->finish(t);
			cr_assert_eq(dialogue_send(&d, NULL, 0), 0);
		}
	} else {
		while (recv(d.fd, bytes, sizeof(bytes), 0) > 0)
			;
	}
	dialogue_close(&d);
	return NULL;
}

static void peer_start(struct peer *p)
{
	cr_assert_eq(address_parse(&p->at, "127.0.0.1", 0), 0);
	p->listener = socket_listen(&p->at);
	cr_assert(p->listener >= 0);
	address_of_self(&p->at, p->listener);
	/* It is to wait. */
	cr_assert_eq(fcntl(p->listener, F_SETFL, 0), 0);
	cr_assert_eq(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_join(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
}

static int64_t soon(void)
{
	return clock_now() + 20 * CLOCK_SECOND;
}

static struct dialogue d;
static uint8_t out[BIG], in[BIG];

static void echo(struct dialogue *c, size_t n)
{
	size_t got = 0;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	cr_assert_eq(dialogue_send(c, out, n), 0);
	while (got < n) {
		ssize_t some = dialogue_receive(c, in + got, n - got);

		cr_assert_gt(some, 0);
		got += (size_t)some;
	}
	cr_assert(memcmp(in, out, n) == 0);
}

Test(dialogue, through_any_layers)
{
	for (int layers = 0; layers <= 2; layers++) {
		struct peer p = { .layers = layers };

		peer_start(&p);
		cr_assert_eq(dialogue_connect(&d, &p.at, NULL, soon()), 0);
		enter_toys(&d, layers, TOY_FIRST);
		cr_assert_eq(dialogue_transform(&d) != NULL, layers > 0);
		echo(&d, 1);
		echo(&d, 5000);
		echo(&d, 60000);
		if (layers > 0) {
			struct transform *t = dialogue_transform(&d);

			t->ops->finish(t);
			cr_assert_eq(dialogue_send(&d, NULL, 0), 0);
			cr_assert_eq(dialogue_receive(&d, in, 1), 0, "end");
			cr_assert_eq(dialogue_receive(&d, in, 1), 0, "again");
		}
		socket_set_abort(d.fd, false);
		dialogue_close(&d);
		peer_join(&p);
		cr_assert_eq(p.got, 65001);
		cr_assert_eq(p.result, 0);
	}
	cr_assert_eq(toys, 0);
}

Test(dialogue, a_peer_that_breaks_the_rules)
{
	static const char *const texts[] = { "x", "hx", "hd\377" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct peer p = { .instead = texts[i] };
		int rc;

		peer_start(&p);
		cr_assert_eq(dialogue_connect(&d, &p.at, NULL, soon()), 0);
		rc = dialogue_enter(&d, toy_new(TOY_FIRST));
		if (rc == 0)
			rc = (int)dialogue_receive(&d, in, 1);
		cr_assert_eq(rc, -EPROTO);
		cr_assert_str_eq(dialogue_transform(&d)->trouble, "no toy");
		dialogue_close(&d);
		peer_join(&p);
	}
	cr_assert_eq(toys, 0);
}

Test(dialogue, cuts_and_ends)
{
	static const char *const texts[] = { "h", "hd\5ab" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct peer p = { .instead = texts[i] };
		ssize_t n;

		peer_start(&p);
		cr_assert_eq(dialogue_connect(&d, &p.at, NULL, soon()), 0);
		cr_assert_eq(dialogue_enter(&d, toy_new(TOY_FIRST)), 0);
		do {
			n = dialogue_receive(&d, in, 1);
		} while (n > 0);
		cr_assert_eq(n, -ECONNRESET, "no end of the layer's own");
		dialogue_close(&d);
		peer_join(&p);
	}
}

Test(dialogue, deadline)
{
	struct peer p = { .silent = true };
	int64_t begin = clock_now();

	peer_start(&p);
	cr_assert_eq(
		dialogue_connect(&d, &p.at, NULL, begin + CLOCK_SECOND / 5), 0);
	cr_assert_eq(dialogue_enter(&d, toy_new(TOY_FIRST)), -ETIMEDOUT);
	cr_assert_geq(clock_now() - begin, CLOCK_SECOND / 5);
	cr_assert_lt(clock_now() - begin, 5 * CLOCK_SECOND);
	dialogue_close(&d);
	peer_join(&p);
}

Test(dialogue, nobody_there)
{
	struct peer p = { .silent = true };

	peer_start(&p);
	cr_assert_eq(dialogue_connect(&d, &p.at, NULL, soon()), 0);
	dialogue_close(&d);
	peer_join(&p);
	cr_assert_eq(dialogue_connect(&d, &p.at, NULL, soon()), -ECONNREFUSED);
	dialogue_close(&d);
	cr_assert_eq(dialogue_enter(&d, NULL), -ENOMEM);
	dialogue_close(&d);
}
