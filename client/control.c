/* SPDX-License-Identifier: Apache-2.0 */

#include "client/control.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/crew.h"
#include "client/hint.h"
#include "client/login.h"
#include "client/work.h"
#include "common/base/log.h"
#include "common/crypto/login.h"
#include "common/crypto/random.h"
#include "common/relay/layer.h"
#include "common/wire/capability.h"

/* Work connections made for one message at most. */
#define REQUEST_MAX 256

/* Unsent bytes at most: what the configuration says, of 10 KiB a proxy. */
#define UNSENT_MAX (256 * 1024 * 1024)

static void control_dial(struct timer *t);

static struct client *client_of(struct control *k)
{
	return container_of(k, struct client, control);
}

static void control_set_state(struct control *k, enum control_state state)
{
	assert(k->state != CONTROL_IDLE || state == CONTROL_DIALING);
	k->state = state;
}

/* Let go of whatever the present state holds. */
static void control_leave(struct control *k, bool cut)
{
	struct client *c = client_of(k);

	loop_cancel_timer(client_loop(c), &k->timer);
	loop_cancel_timer(client_loop(c), &k->heartbeat);
	link_cancel(&k->link);
	channel_close(&k->channel, cut);
	mux_close(&k->mux);
	c->session.muxed = false;
	if (k->state == CONTROL_RUNNING) {
		proxy_table_lost(c->proxies);
		proxies_unanswered(c);
		crew_session_lost(c->crew, cut);
	}
}

/* It has left: try again after a while. */
static void control_wait(struct control *k)
{
	struct client *c = client_of(k);
	uint32_t random;
	int64_t wait;

	control_set_state(k, CONTROL_PAUSED);
	random_bytes(&random, sizeof(random));
	wait = backoff_next(&k->backoff, random);
	log_info("try to connect to server again in %lld ms",
		(long long)(wait / CLOCK_MS));
	loop_set_timer(client_loop(c), &k->timer, wait, control_dial);
}

static void control_pause(struct control *k)
{
	control_leave(k, true);
	control_wait(k);
}

/* An attempt to log in has failed, for good if it was the first. */
static void control_failed(struct control *k, const char *error)
{
	struct client *c = client_of(k);
	uint16_t port;
	const char *server = client_server(c, &port);

	if (k->ever || !c->settings->login_fail_exit) {
		log_warn("connect to server error: %s", error);
		control_pause(k);
		return;
	}
	log_error("login to the server failed: %s. With loginFailExit "
		  "enabled, no additional retries will be attempted",
		error);
	hint_login(server, port, c->crew->announced);
	core_stop(&c->core, 1);
}

/* The server is not reached: each of its other addresses is tried at once,
 * before this counts as an attempt that has failed. */
static void control_unreachable(struct control *k, const char *error)
{
	struct client *c = client_of(k);
	size_t n = c->settings->server_count;

	if (n > 1)
		c->session.at = (uint8_t)((c->session.at + 1) % n);
	if (++k->tried >= n) {
		k->tried = 0;
		control_failed(k, error);
		return;
	}
	log_warn("connect to server error: %s; the next address is tried",
		error);
	control_leave(k, true);
	control_set_state(k, CONTROL_PAUSED);
	loop_set_timer(client_loop(c), &k->timer, 0, control_dial);
}

/* The session is over. */
static void control_lost(struct control *k, const char *why)
{
	log_warn("connection to server lost: %s", why);
	control_pause(k);
}

/* Another aditd has taken over, at the same place: it has our ports. */
static void control_move(struct control *k)
{
	struct client *c = client_of(k);
	int64_t left = k->asked + CONTROL_MOVES - clock_now();

	log_info("the server is being replaced: logging in to the new one");
	control_leave(k, false);
	control_set_state(k, CONTROL_PAUSED);
	loop_set_timer(
		client_loop(c), &k->timer, left > 0 ? left : 0, control_dial);
}

bool control_send(struct client *c, const struct message *m)
{
	struct control *k = &c->control;
	int rc = channel_send(&k->channel, m);

	if (rc == -EMSGSIZE) {
		log_error("a message of type %s is too long for the protocol",
			message_name(m->type));
		return true;
	}
	if (rc < 0)
		control_lost(k, strerror(-rc));
	return rc == 0;
}

static void control_beat(struct timer *t);

/* The next heartbeat, or none. */
static void control_rest(struct control *k)
{
	struct client *c = client_of(k);
	int64_t interval = c->settings->heartbeat_interval_ms;

	loop_cancel_timer(client_loop(c), &k->heartbeat);
	/* As frp: a mux has pings of its own. */
	if (interval > 0 && (!k->mux || c->settings->heartbeats_given))
		loop_set_timer(client_loop(c), &k->heartbeat,
			interval * CLOCK_MS, control_beat);
}

void control_use(struct client *c)
{
	struct control *k = &c->control;

	if (k->state != CONTROL_RUNNING)
		return;
	/* Without heartbeats nothing was heard. */
	if (!timer_is_set(&k->heartbeat))
		k->heard = client_loop(c)->now;
	control_rest(k);
}

static void control_beat(struct timer *t)
{
	struct control *k = container_of(t, struct control, heartbeat);
	struct client *c = client_of(k);
	const struct settings *s = c->settings;
	struct message m = { .type = MESSAGE_PING };
	char key[LOGIN_KEY_SIZE];

	if (s->heartbeat_timeout_ms > 0 &&
		client_loop(c)->now - k->heard >
			s->heartbeat_timeout_ms * CLOCK_MS) {
		count(&c->core.counters, heartbeat_timeouts);
		control_lost(k, "heartbeat timeout");
		return;
	}
	if (s->auth_heartbeats && !c->session.proven) {
		login_sign(c, key, &m.ping.timestamp);
		m.ping.privilege_key = key;
	}
	if (control_send(c, &m))
		control_rest(k);
}

/* It has lasted: whatever ends it now is a trouble of its own. */
static void control_proven(struct timer *t)
{
	struct control *k = container_of(t, struct control, timer);

	backoff_reset(&k->backoff);
}

/* The keys that this TLS session and the run id give to both ends. */
static bool agree_on_keys(struct control *k, const struct message_login_resp *m)
{
	struct session *session = &client_of(k)->session;

	if (!session->proven)
		return true;
	if (tls_export(layer_transform(k->channel.stream), SESSION_KEY_LABEL,
		    m->run_id, strlen(m->run_id), session->key.bytes) < 0)
		return false;
	ticket_key_derive(&session->tickets, &session->key);
	return true;
}

/* LoginResp: false when the control was left. */
static bool control_login_answered(
	struct control *k, const struct message_login_resp *m)
{
	struct client *c = client_of(k);

	if (*m->error) {
		count(&c->core.counters, logins_refused);
		control_failed(k, m->error);
		if (k->state == CONTROL_PAUSED)
			hint_login_refused(
				m->error, c->crew->announced, &k->hinted);
		return false;
	}
	if (c->settings->tls_pins.n > 0 && m->adit.v != 1) {
		control_failed(k, "the server has the pin, but not the "
				  "extension of aditd: it is not asked for "
				  "less");
		return false;
	}
	if (strlen(m->run_id) >= sizeof(c->session.run_id)) {
		control_failed(k, "the server's run id is too long");
		return false;
	}
	/* Inside TLS of our own there is nothing more to hide. */
	if (!login_is_proven(k) &&
		channel_encrypt(&k->channel, &c->token_key) < 0) {
		control_failed(k, "no memory");
		return false;
	}
	control_set_state(k, CONTROL_RUNNING);
	c->session.muxed = k->mux && !m->adit.present;
	c->session.proven = login_is_proven(k);
	if (!agree_on_keys(k, m)) {
		control_failed(k, "no memory");
		return false;
	}
	loop_set_timer(
		client_loop(c), &k->timer, CONTROL_PROVEN, control_proven);
	snprintf(c->session.run_id, sizeof(c->session.run_id), "%s", m->run_id);
	k->ever = true;
	k->hinted = false;
	k->tried = 0;
	c->session.caps = capability_read(&m->adit) & login_offered(c);
	k->heard = client_loop(c)->now;
	count(&c->core.counters, logins);
	crew_logged_in(c->crew);
	log_info("login to server success, get run id [%s]", c->session.run_id);
	if (c->crew->announced)
		log_info("round trip to the server: %.1f ms",
			(double)(clock_now() - k->asked) / CLOCK_MS);
	if (c->session.proven && c->settings->tls_pins.n > 0)
		trust_told(&c->crew->trust, &m->adit.pins);
	control_rest(k);
	/* Who drains sees off the visitors it has, and wants no others. */
	return c->core.draining || proxy_table_open(c->proxies);
}

/* So many work connections are wanted; an absent count is one. */
static void serve_request(
	struct client *c, const struct message_req_work_conn *m)
{
	const struct message_tickets *t = &m->adit;
	int64_t n = m->count < 1 ? 1 : m->count;
	struct work_ticket ticket = { .plain = !strcmp(t->k, TICKETS_PLAIN) };

	if (n > REQUEST_MAX)
		n = REQUEST_MAX;
	if (t->present && (size_t)n > t->t.count)
		n = (int64_t)t->t.count;
	for (int64_t i = 0; i < n; i++) {
		if (t->present &&
			!ticket_text_read(ticket.bytes, t->t.items[i]))
			continue;
		if (!crew_work_wanted(c->crew, t->present ? &ticket : NULL))
			break;
	}
}

static enum channel_verdict serve_running(
	struct control *k, const struct message *m)
{
	struct client *c = client_of(k);

	switch (m->type) {
	case MESSAGE_REQ_WORK_CONN:
		count(&c->core.counters, work_requests);
		serve_request(c, &m->req_work_conn);
		break;
	case MESSAGE_NEW_PROXY_RESP:
		proxy_answered(c, &m->new_proxy_resp);
		break;
	case MESSAGE_PONG:
		if (*m->pong.error) {
			log_error("Pong message contains error: %s",
				m->pong.error);
			control_lost(k, "the server refused a heartbeat");
			return CHANNEL_LEFT;
		}
		k->heard = client_loop(c)->now;
		break;
	case MESSAGE_MOVE:
		if (c->session.caps & CAPABILITY_move)
			control_move(k);
		break;
	default:
		/* Known, but not for here: frp ignores them too. */
		break;
	}
	/* What was done may have cost the control. */
	return k->state == CONTROL_RUNNING ? CHANNEL_GO_ON : CHANNEL_LEFT;
}

static enum channel_verdict control_message(
	struct channel *channel, struct message *m)
{
	struct control *k = container_of(channel, struct control, channel);

	if (k->state == CONTROL_RUNNING)
		return serve_running(k, m);
	if (m->type != MESSAGE_LOGIN_RESP) {
		control_failed(k, "the server answered the login with another "
				  "message");
		return CHANNEL_LEFT;
	}
	return control_login_answered(k, &m->login_resp) ? CHANNEL_GO_ON
							 : CHANNEL_LEFT;
}

static void control_ended(
	struct channel *channel, enum reason why, const char *detail)
{
	struct control *k = container_of(channel, struct control, channel);
	struct client *c = client_of(k);
	char unanswered[256];

	if (why == REASON_bad_frame)
		count(&c->core.counters, bad_frames);
	if (why == REASON_bad_message)
		count(&c->core.counters, bad_messages);
	if (k->state == CONTROL_RUNNING) {
		control_lost(k, detail);
		return;
	}
	/* The server did not understand us, or will not tell why. */
	if ((why == REASON_network || why == REASON_peer_closed) &&
		!stream_trouble(channel->stream)) {
		snprintf(unanswered, sizeof(unanswered),
			"%s before the login was answered; do "
			"transport.tls.enable, transport.tls.certFile and "
			"transport.tcpMux suit the server?",
			detail);
		detail = unanswered;
	}
	control_failed(k, detail);
}

static const struct channel_ops control_ops = {
	.message = control_message,
	.ended = control_ended,
};

static void control_login_late(struct timer *t)
{
	struct control *k = container_of(t, struct control, timer);

	control_failed(k, "the server did not answer the login in time");
}

/* Where frps expects a mux: a first stream of one. NULL: it was closed. */
static struct stream *begin_mux(struct control *k, struct stream *s)
{
	struct client *c = client_of(k);

	if (k->adit || !c->settings->tcp_mux)
		return s;
	k->mux = mux_open(&c->muxes, s);
	if (!k->mux || mux_open_stream(k->mux, &s) < 0)
		return NULL;
	return s;
}

static void control_mux_ended(struct mux *m, int result, const char *why)
{
	struct client *c = container_of(m->all, struct client, muxes);

	/* The channel hears of it, too. */
	(void)result;
	log_debug("the mux has ended: %s", why);
	if (c->control.mux == m)
		mux_close(&c->control.mux);
}

static void control_linked(struct link_owner *o, const struct link_outcome *r)
{
	struct control *k = container_of(o, struct control, link_owner);
	struct client *c = client_of(k);
	struct stream *s;

	k->link = NULL;
	if (!r->stream) {
		control_unreachable(k, r->error);
		return;
	}
	address_of_peer(&c->session.server, stream_descriptor(r->stream));
	k->adit = r->adit;
	memcpy(k->binding, r->binding, sizeof(k->binding));
	s = begin_mux(k, r->stream);
	if (!s) {
		control_failed(k, "no memory");
		return;
	}
	login_warn(k);
	control_set_state(k, CONTROL_LOGIN);
	channel_init(&k->channel, s, &control_ops);
	/* All proxies at once, and those that a reload takes back. */
	k->channel.unsent_max = UNSENT_MAX;
	loop_set_timer(client_loop(c), &k->timer, CONTROL_LOGIN_TIME,
		control_login_late);
	if (login_send(k))
		channel_start(&k->channel);
	else
		control_failed(k, "the login is too long for the protocol");
}

static void control_dial(struct timer *t)
{
	struct control *k = container_of(t, struct control, timer);
	struct client *c = client_of(k);

	if (k->state == CONTROL_PAUSED)
		count(&c->core.counters, reconnects);
	control_set_state(k, CONTROL_DIALING);
	log_info("try to connect to server...");
	k->link_owner.linked = control_linked;
	c->session.server.size = 0;
	k->link = link_start(c, &k->link_owner, false);
}

void control_init(struct client *c)
{
	c->muxes = (struct muxes){
		.loop = client_loop(c),
		.pool = c->pools.muxes,
		.streams = c->pools.mux_streams,
		.streams_max = pool_limit(c->pools.mux_streams),
		.held_max = MUX_HELD_USUAL,
		.window_max = YAMUX_WINDOW_MAX,
		.ping = c->settings->mux_keepalive_s * CLOCK_SECOND,
		.ended = control_mux_ended,
	};
}

void control_start(struct client *c)
{
	struct control *k = &c->control;
	const char *local = c->settings->connect_server_local_ip;

	/* The settings have checked it. */
	if (*local && address_parse(&c->session.local, local, 0) < 0)
		log_warn("transport.connectServerLocalIP is not an address");
	control_dial(&k->timer);
}

void control_stop(struct client *c)
{
	struct control *k = &c->control;

	if (k->state == CONTROL_IDLE)
		return;
	control_leave(k, false);
	control_set_state(k, CONTROL_IDLE);
}
