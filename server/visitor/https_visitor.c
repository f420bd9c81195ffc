/* SPDX-License-Identifier: Apache-2.0 */

#include "server/visitor/https_visitor.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/relay/farewell.h"
#include "server/listener.h"
#include "server/upgrade/passing.h"
#include "server/visitor/visitor.h"
#include "server/worker.h"

/* Say goodbye, by an alert unless it speaks something else; and no cut. */
static void dismiss(struct visitor *v, int alert, enum reason why)
{
	struct chunk_queue words = { 0 };
	uint8_t bytes[CLIENT_HELLO_ALERT_SIZE];
	struct chunk *c = NULL;

	if (alert) {
		client_hello_refuse(bytes, (enum client_hello_alert)alert);
		c = chunk_copy(bytes, sizeof(bytes));
	}
	if (c)
		chunk_queue_push(&words, c);
	stream_leave_reading(v->stream);
	farewell_begin(&v->worker->farewells, v->stream, &words);
	v->stream = NULL;
	visitor_close(v, why);
}

static void https_late(struct timer *t)
{
	struct visitor *v = container_of(t, struct visitor, timer);

	count(&v->worker->core.counters, https_late);
	visitor_close(v, REASON_timeout);
}

/* All that it says is there. */
static void https_routed(struct visitor *v, const struct client_hello *h)
{
	struct worker *w = v->worker;
	char peer[ADDRESS_TEXT_SIZE];
	struct place *p = NULL;
	struct route *r;

	/* Without a name it is for who takes all names, if for anybody. */
	if (h->naming != CLIENT_HELLO_MISNAMED)
		p = sites_find(&w->directory.tls_sites, w->users, h->name,
			text_of(""), "");
	if (p) {
		r = place_turn(p, NULL);
		if (!visitor_may_come(w, r, &v->load)) {
			dismiss(v, 0, REASON_limit);
			return;
		}
		count(&w->core.counters, https_routed);
		visitor_route(v, r);
		return;
	}
	/* It is looked for again, when one more is there. */
	if (!arrival_is_over(&w->server->arrival))
		return;
	count(&w->core.counters, https_unknown);
	address_text(&v->peer, peer);
	log_debug("https visitor [%s]: no proxy has the name [%s]", peer,
		h->name);
	dismiss(v, CLIENT_HELLO_UNRECOGNIZED_NAME, REASON_unknown_name);
}

/* False: it has said enough, or too much. */
static bool https_wants_more(struct visitor *v, struct chunk *c)
{
	struct counters *counters = &v->worker->core.counters;
	struct client_hello hello;
	struct chunk *all;
	int rc = hello_reader_take(&v->hello, c, &hello, &all);

	if (rc == CLIENT_HELLO_PARTIAL)
		return true;
	loop_cancel_timer(worker_loop(v->worker), &v->timer);
	switch (rc) {
	case CLIENT_HELLO_COMPLETE:
		stream_unread(v->stream, all);
		https_routed(v, &hello);
		break;
	case CLIENT_HELLO_NOT_TLS:
		count(counters, https_refused);
		dismiss(v, 0, REASON_bad_hello);
		break;
	case CLIENT_HELLO_MALFORMED:
	case CLIENT_HELLO_TOO_LONG:
		count(counters, https_refused);
		dismiss(v, CLIENT_HELLO_DECODE_ERROR, REASON_bad_hello);
		break;
	default:
		visitor_close(v, REASON_no_memory);
		break;
	}
	return false;
}

/* Whether it is still to be read from. */
static bool https_take(struct visitor *v, struct chunk *c, int result)
{
	if (result > 0)
		return https_wants_more(v, c);
	if (hello_reader_began(&v->hello) || result < 0)
		count(&v->worker->core.counters, visitors_gone);
	visitor_close(
		v, result == 0 ? REASON_peer_closed : REASON_visitor_gone);
	return false;
}

static void https_received(
	struct stream_reader *r, struct chunk *c, int result);

/* Nobody can be asked whose it is: what it says is not looked at yet. */
static bool is_held(const struct visitor *v)
{
	return worker_holds(v->worker) && !hello_reader_began(&v->hello);
}

/* What is there, however small the pieces; then what comes. */
static void https_read(struct visitor *v)
{
	struct chunk *c;
	int n;

	do {
		if (is_held(v) && v->stream->unread.head)
			return;
		n = stream_take(v->stream, &c);
		if (n == -EAGAIN) {
			v->reader.received = https_received;
			stream_read(v->stream, &v->reader);
			return;
		}
	} while (https_take(v, c, n));
}

static void https_received(struct stream_reader *r, struct chunk *c, int result)
{
	struct visitor *v = container_of(r, struct visitor, reader);

	if (result > 0 && is_held(v))
		stream_unread(v->stream, c);
	else if (https_take(v, c, result))
		https_read(v);
}

void https_visitor_resume(struct visitor *v)
{
	if (v->state == VISITOR_HEAD && v->stream->reader != &v->reader)
		https_read(v);
}

static void https_begin(struct visitor *v)
{
	if (!v)
		return;
	address_of_self(&v->self, stream_descriptor(v->stream));
	if (passing_takes(v))
		return;
	loop_set_timer(worker_loop(v->worker), &v->timer,
		v->worker->settings->head_timeout_ms * CLOCK_MS, https_late);
	https_read(v);
}

void https_visitor_accept(struct listener *l, int fd)
{
	https_begin(visitor_new(l->worker, l, fd));
}

void https_visitor_adopt(
	struct worker *w, struct stream *s, const struct address *peer)
{
	https_begin(visitor_adopt(w, s, peer));
}

void https_visitor_drain(struct visitor *v)
{
	if (v->state == VISITOR_HEAD && !hello_reader_began(&v->hello))
		visitor_close(v, REASON_done);
}
