/* SPDX-License-Identifier: Apache-2.0 */

/* Login, messages, the pool and its queue, and the way down. */

#include "server/control.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/version.h"
#include "common/crypto/login.h"
#include "common/crypto/random.h"
#include "server/proxy.h"
#include "server/visitor.h"
#include "server/work.h"
#include "server/worker.h"

static const struct channel_ops control_ops;

static void control_set_state(struct control *c, enum control_state state)
{
	assert(c->state == CONTROL_RUNNING && state == CONTROL_CLOSED);
	c->state = state;
}

/* Send, or close the control when that cannot be. False: it was closed. */
static bool control_send(struct control *c, const struct message *m)
{
	int rc = channel_send(&c->channel, m);

	if (rc < 0)
		control_close(c,
			rc == -ENOBUFS ? REASON_peer_slow : REASON_no_memory,
			strerror(-rc));
	return rc == 0;
}

/* Refuse a login: LoginResp with the error, then the end. */
static void login_refuse(struct worker *w, struct stream *s,
	const struct address *peer, const char *error)
{
	struct message m = { .type = MESSAGE_LOGIN_RESP };
	struct channel channel;
	char ip[ADDRESS_TEXT_SIZE];

	address_ip(peer, ip);
	log_warn("login of [%s] refused: %s", ip, error);
	count(&w->core.counters, logins_refused);
	w->core.counters.ended[REASON_refused]++;
	m.login_resp.version = ADIT_VERSION;
	m.login_resp.error =
		w->settings->detailed_errors ? error : "register control error";
	channel_init(&channel, s, &control_ops);
	if (channel_send(&channel, &m) < 0)
		channel_close(&channel, true);
	else
		channel_part(&channel, &w->farewells);
}

/* A run id that may stand in logs and tables: frp's are 16 hex digits. */
static bool is_run_id(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n < RUN_ID_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == n;
}

static bool has_capability(const struct message_extension *e, const char *name)
{
	for (size_t i = 0; e->present && i < e->caps.count; i++)
		if (!strcmp(e->caps.items[i], name))
			return true;
	return false;
}

/* The pool that the client asks for, within what the server allows. */
static uint32_t pool_count(struct worker *w, int64_t asked)
{
	int64_t max = w->settings->max_pool_count;

	if (asked >= 0 && asked <= max)
		return (uint32_t)asked;
	count(&w->core.counters, pool_count_clamped);
	return asked < 0 ? 0 : (uint32_t)max;
}

static void control_silent(struct timer *t)
{
	struct control *c = container_of(t, struct control, heartbeat);

	count(&c->worker->core.counters, heartbeat_timeouts);
	control_close(c, REASON_heartbeat_timeout, "heartbeat timeout");
}

static void control_heard(struct control *c)
{
	int64_t timeout = c->worker->settings->heartbeat_timeout_ms;

	if (timeout > 0)
		loop_set_timer(worker_loop(c->worker), &c->heartbeat,
			timeout * CLOCK_MS, control_silent);
}

static struct control *control_new(struct worker *w, struct stream *s,
	const struct address *peer, const struct message_login *login)
{
	struct control *c = pool_take(w->pools.controls);

	if (!c)
		return NULL;
	c->user = strdup(login->user);
	if (!c->user) {
		pool_give(w->pools.controls, c);
		return NULL;
	}
	c->worker = w;
	list_init(&c->proxies);
	list_init(&c->parked);
	list_init(&c->waiting);
	list_append(&w->controls, &c->link);
	address_ip(peer, c->peer);
	c->pool = pool_count(w, login->pool_count);
	c->half_close = has_capability(&login->adit, "half-close");
	if (is_run_id(login->run_id))
		snprintf(c->run_id, sizeof(c->run_id), "%s", login->run_id);
	else
		random_hex(c->run_id, 8);
	channel_init(&c->channel, s, &control_ops);
	return c;
}

/* The answer to a Login that was accepted, still in clear. */
static bool login_answer(struct control *c, bool extended)
{
	static const char *caps[] = { "half-close" };
	struct message m = { .type = MESSAGE_LOGIN_RESP };

	m.login_resp.version = ADIT_VERSION;
	m.login_resp.run_id = c->run_id;
	if (extended) {
		m.login_resp.adit.present = true;
		m.login_resp.adit.v = 1;
		m.login_resp.adit.caps.items = caps;
		m.login_resp.adit.caps.count = c->half_close ? 1 : 0;
	}
	if (!control_send(c, &m))
		return false;
	if (channel_encrypt(&c->channel, &c->worker->token_key) == 0)
		return true;
	control_close(c, REASON_no_memory, "no memory");
	return false;
}

/*
 * Whoever has the run id makes room: its names and ports are free when this
 * returns, and nothing waits for its connection.
 */
static void replace_control(struct worker *w, const char *run_id)
{
	struct control *old = directory_find_control(&w->directory, run_id);

	if (!old)
		return;
	count(&w->core.counters, controls_replaced);
	control_close(old, REASON_replaced, "replaced by a new login");
}

void control_login(struct worker *w, struct stream *s,
	const struct address *peer, const struct message_login *login)
{
	struct control *c;

	if (w->core.draining) {
		login_refuse(w, s, peer, "control manager is closed");
		return;
	}
	if (!login_key_verify(login->privilege_key, w->settings->auth_token,
		    login->timestamp)) {
		login_refuse(w, s, peer,
			"token in login doesn't match token from "
			"configuration");
		return;
	}
	if (is_run_id(login->run_id))
		replace_control(w, login->run_id);
	c = control_new(w, s, peer, login);
	if (!c) {
		login_refuse(w, s, peer, "too many clients");
		return;
	}
	if (directory_add_control(&w->directory, c->run_id, c) < 0) {
		control_close(c, REASON_no_memory, "no memory");
		return;
	}
	count(&w->core.counters, logins);
	log_info("client login info: ip [%s] version [%.64s] hostname [%.64s] "
		 "os [%.64s] arch [%.64s] run id [%s]",
		c->peer, login->version, login->hostname, login->os,
		login->arch, c->run_id);
	if (!login_answer(c, login->adit.present))
		return;
	control_heard(c);
	channel_start(&c->channel);
	control_request_work(c);
}

static bool control_new_proxy(struct control *c, const struct message *m)
{
	const struct message_new_proxy *np = &m->new_proxy;
	struct message answer = { .type = MESSAGE_NEW_PROXY_RESP };
	char error[PROXY_ERROR_SIZE], summary[PROXY_ERROR_SIZE];
	char *remote = NULL;
	bool going;

	if (proxy_open(c, np, &remote, error) < 0) {
		count(&c->worker->core.counters, proxies_refused);
		log_warn(
			"[%.64s] new proxy refused: %s", np->proxy_name, error);
		snprintf(summary, sizeof(summary), "new proxy [%.64s] error",
			np->proxy_name);
		answer.new_proxy_resp.error =
			c->worker->settings->detailed_errors ? error : summary;
	}
	answer.new_proxy_resp.proxy_name = np->proxy_name;
	answer.new_proxy_resp.remote_addr = remote;
	going = control_send(c, &answer);
	free(remote);
	return going;
}

static bool control_close_proxy(struct control *c, const struct message *m)
{
	struct proxy *p = directory_find_name(
		&c->worker->directory, m->close_proxy.proxy_name);

	if (p && p->control == c)
		proxy_close(p, REASON_proxy_closed);
	return true;
}

static bool control_ping(struct control *c, const struct message *m)
{
	const struct settings *set = c->worker->settings;
	struct message answer = { .type = MESSAGE_PONG };

	if (set->auth_heartbeats &&
		!login_key_verify(m->ping.privilege_key, set->auth_token,
			m->ping.timestamp)) {
		answer.pong.error =
			set->detailed_errors
				? "token in heartbeat doesn't match token from "
				  "configuration"
				: "invalid ping";
		return control_send(c, &answer);
	}
	control_heard(c);
	return control_send(c, &answer);
}

static enum channel_verdict control_message(
	struct channel *channel, struct message *m)
{
	struct control *c = container_of(channel, struct control, channel);
	bool going = true;

	switch (m->type) {
	case MESSAGE_NEW_PROXY:
		going = control_new_proxy(c, m);
		break;
	case MESSAGE_CLOSE_PROXY:
		going = control_close_proxy(c, m);
		break;
	case MESSAGE_PING:
		going = control_ping(c, m);
		break;
	default:
		/* Known, but not for here: frp ignores them too. */
		break;
	}
	return going ? CHANNEL_GO_ON : CHANNEL_LEFT;
}

static void control_ended(
	struct channel *channel, enum reason why, const char *detail)
{
	struct control *c = container_of(channel, struct control, channel);
	struct counters *counters = &c->worker->core.counters;

	if (why == REASON_bad_frame)
		count(counters, bad_frames);
	if (why == REASON_bad_message)
		count(counters, bad_messages);
	control_close(c, why, detail);
}

static const struct channel_ops control_ops = {
	.message = control_message,
	.ended = control_ended,
};

/* Freed from the loop, as callers up the stack may still look at it. */
static void control_bury(struct timer *t)
{
	struct control *c = container_of(t, struct control, grave);

	free(c->user);
	pool_give(c->worker->pools.controls, c);
}

void control_close(struct control *c, enum reason why, const char *detail)
{
	struct worker *w = c->worker;
	struct loop *loop = worker_loop(w);
	struct list *l;

	if (c->state == CONTROL_CLOSED)
		return;
	control_set_state(c, CONTROL_CLOSED);
	log_write(LOG_INFO, LOG_PAIRS("reason", reason_name(why)),
		"client exit success: run id [%s], %s", c->run_id, detail);
	w->core.counters.ended[why]++;
	directory_drop_control(&w->directory, c->run_id, c);
	while (!list_empty(&c->proxies))
		proxy_close(container_of(c->proxies.next, struct proxy, link),
			REASON_proxy_closed);
	while ((l = c->parked.next) != &c->parked) {
		struct stream *s =
			work_unpark(container_of(l, struct work, link));

		stream_close(&s, false);
	}
	assert(list_empty(&c->waiting));
	channel_close(&c->channel, !reason_is_clean(why));
	loop_cancel_timer(loop, &c->heartbeat);
	loop_cancel_timer(loop, &c->trim);
	list_remove(&c->link);
	loop_set_timer(loop, &c->grave, 0, control_bury);
}

/* Send one ReqWorkConn; false: the control was closed. */
static bool request_one(struct control *c)
{
	static const struct message m = { .type = MESSAGE_REQ_WORK_CONN };

	c->last_request = worker_loop(c->worker)->now;
	c->outstanding++;
	count(&c->worker->core.counters, work_requests);
	return control_send(c, &m);
}

struct stream *control_take_work(struct control *c)
{
	if (list_empty(&c->parked))
		return NULL;
	return work_unpark(container_of(c->parked.next, struct work, link));
}

void control_enqueue(struct control *c, struct visitor *v)
{
	list_append(&c->waiting, &v->queue);
	c->waiting_count++;
	/* Always one more: an earlier request may have been lost. */
	if (request_one(c))
		control_request_work(c);
}

void control_dequeue(struct control *c, struct visitor *v)
{
	list_remove(&v->queue);
	c->waiting_count--;
}

/* A burst leaves more idle connections than were asked for: let them go. */
static void control_trim(struct timer *t)
{
	struct control *c = container_of(t, struct control, trim);

	while (c->parked_count > c->pool) {
		struct stream *s = control_take_work(c);

		stream_close(&s, false);
	}
}

static void control_park(struct control *c, struct stream *s)
{
	struct loop *loop = worker_loop(c->worker);

	if (c->parked_count >= c->pool + CONTROL_POOL_SPARE ||
		!work_park(c, s)) {
		work_refuse(c->worker, s,
			"work connection pool is full, discarding");
		return;
	}
	count(&c->worker->core.counters, work_conns);
	if (c->parked_count > c->pool && !timer_is_set(&c->trim))
		loop_set_timer(
			loop, &c->trim, CONTROL_SURPLUS_TIME, control_trim);
}

void control_add_work(struct control *c, struct stream *s)
{
	struct counters *counters = &c->worker->core.counters;

	if (c->outstanding > 0)
		c->outstanding--;
	if (!list_empty(&c->waiting)) {
		struct visitor *v =
			container_of(c->waiting.next, struct visitor, queue);

		count(counters, work_conns);
		control_dequeue(c, v);
		visitor_start(v, s);
	} else {
		control_park(c, s);
	}
}

void control_request_work(struct control *c)
{
	uint32_t have, want = c->pool + c->waiting_count;

	if (c->state == CONTROL_CLOSED)
		return;
	/* Requests that were lost on the client's side are made again. */
	if (worker_loop(c->worker)->now - c->last_request >
		CONTROL_REQUEST_TIME)
		c->outstanding = 0;
	for (have = c->parked_count + c->outstanding; have < want; have++)
		if (!request_one(c))
			return;
}
