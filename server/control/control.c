/* SPDX-License-Identifier: Apache-2.0 */

/* Login, messages, the pool and its queue, and the way down. */

#include "server/control/control_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/version.h"
#include "common/crypto/login.h"
#include "common/crypto/random.h"
#include "common/wire/capability.h"
#include "server/users/admission.h"
#include "server/control/proxy.h"
#include "server/users/refusal.h"
#include "server/users/seen.h"
#include "server/registry/registry.h"
#include "server/link/session.h"
#include "server/link/tickets.h"
#include "server/worker.h"

/* Two blocks of frp's cipher. */
#define PROOF_MIN 32

static void control_set_state(struct control *c, enum control_state state)
{
	assert(state > c->state);
	c->state = state;
}

bool control_send(struct control *c, const struct message *m)
{
	int rc = channel_send(&c->channel, m);

	if (rc < 0)
		control_close(c,
			rc == -ENOBUFS ? REASON_peer_slow : REASON_no_memory,
			strerror(-rc));
	return rc == 0;
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
	else
		loop_cancel_timer(worker_loop(c->worker), &c->heartbeat);
}

/* It is registered, and every worker knows it. */
static void control_begin(struct control *c)
{
	control_set_state(c, c->record && !c->proven ? CONTROL_PROVISIONAL
						     : CONTROL_RUNNING);
	count(&c->worker->core.counters, logins);
	session_admit(c->worker, c->session, c->state == CONTROL_RUNNING);
	if (!control_answer(c))
		return;
	/* In a session frpc sends no heartbeats: the session has its pings. */
	if (!c->session.generation)
		control_heard(c);
	channel_start(&c->channel);
	if (yielding_has_left(c->worker))
		control_move(c);
	else if (c->state == CONTROL_RUNNING)
		matchmakers_request(c);
}

/* Who knows the secret does not begin so: as if it had been a wrong one. */
static void control_count_guess(struct control *c)
{
	const struct admission a = { .user = c->record, .record = c->record };

	if (c->state == CONTROL_PROVISIONAL)
		control_count_failure(c->worker, &a, &c->from, c->user, true);
}

/*
 * The first message that proves something has come, and waits for the
 * registry's word. A Ping is too short for that: frp's cipher does not
 * authenticate, and who has listened knows the key stream of a block behind
 * some IV that was none.
 */
static enum channel_verdict control_prove(struct control *c)
{
	const uint8_t *iv = channel_iv(&c->channel);
	char hex[2 * CIPHER_IV_SIZE + 1];

	if (c->channel.frame_size < PROOF_MIN) {
		control_count_guess(c);
		control_close(c, REASON_unexpected_message,
			"its first message is too short");
		return CHANNEL_LEFT;
	}

	/* Else a replay could lie in wait until its client has gone. */
	if (c->again && worker_loop(c->worker)->now - c->since > SEEN_GRACE) {
		control_close(c, REASON_refused,
			"its login came before, and it has proven nothing");
		return CHANNEL_LEFT;
	}

	for (size_t i = 0; i < CIPHER_IV_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", iv[i]);
	if (control_claim(c, c->run_id, c->keep_s, hex))
		return CHANNEL_WAIT;
	control_close(c, REASON_no_memory, "no memory");
	return CHANNEL_LEFT;
}

/* It is no replay, and the run id is its own. */
static void control_proven(struct control *c, struct handle entry)
{
	if (entry.index != c->entry.index ||
		entry.generation != c->entry.generation)
		registry_release(c->worker, c->entry);
	c->entry = entry;
	control_set_state(c, CONTROL_RUNNING);
	session_admit(c->worker, c->session, true);
	matchmakers_request(c);
	/* Unless that has closed it. */
	if (c->state == CONTROL_RUNNING)
		channel_start(&c->channel);
}

/* Too many of them: the stream is left with the refusal. */
static void control_refuse(struct control *c, const char *error)
{
	struct message m = { .type = MESSAGE_LOGIN_RESP };

	refusal_log(c->peer, error, NULL, c->user);
	count(&c->worker->core.counters, logins_refused);
	m.login_resp.version = ADIT_VERSION;
	m.login_resp.error = refusal_text(c->worker, error);
	if (control_send(c, &m)) {
		channel_part(&c->channel, &c->worker->farewells);
		control_close(c, REASON_refused, error);
	}
}

void control_move(struct control *c)
{
	struct message m = { .type = MESSAGE_MOVE };

	if (c->state == CONTROL_RUNNING && c->caps & CAPABILITY_move) {
		if (!control_send(c, &m))
			return;
		channel_part(&c->channel, &c->worker->farewells);
	}
	control_close(c, REASON_shutdown, "another aditd has taken over");
}

/* It cannot have the run id: under which one it is registered for now. */
static void control_yield(struct control *c, enum clash clash)
{
	char id[17];

	random_hex(id, 8);
	c->named = false;
	/* Another user's is not told apart from one that nobody has. */
	if (clash == CLASH_FOREIGN)
		memcpy(c->run_id, id, sizeof(id));
	if (!control_claim(c, id, 0, NULL))
		control_close(c, REASON_no_memory, "no memory");
}

void control_decided(struct mailbox *m, struct letter *letter)
{
	const struct decision *d = (struct decision *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct control *c = pool_find(w->pools.controls, d->owner.handle);

	if (c)
		c->again |= d->again;
	if (!c || c->state == CONTROL_CLOSED) {
		/* Closed meanwhile: what was granted goes back. */
		if (!*d->error)
			registry_release(w, d->entry);
	} else if (c->state == CONTROL_PROVISIONAL) {
		if (d->clash || *d->error)
			control_close(c, REASON_refused,
				d->clash ? "its login came before, another "
					   "client has the run id"
					 : d->error);
		else
			control_proven(c, d->entry);
	} else if (d->clash) {
		control_yield(c, d->clash);
	} else if (*d->error) {
		control_refuse(c, d->error);
	} else {
		c->entry = d->entry;
		control_begin(c);
	}
}

/* A letter that names a control. */
struct evict_letter {
	struct letter letter;
	struct handle control;
	uint8_t why; /* enum reason */
};

static void deliver_eviction(struct mailbox *m, struct letter *letter)
{
	const struct evict_letter *l = (struct evict_letter *)letter;
	struct worker *w = worker_of_mailbox(m);
	struct control *c = pool_find(w->pools.controls, l->control);

	if (!c || c->state == CONTROL_CLOSED)
		return;
	if (l->why == REASON_replaced) {
		count(&w->core.counters, controls_replaced);
		control_close(c, REASON_replaced, "replaced by a new login");
	} else {
		count(&w->core.counters, controls_displaced);
		control_close(c, l->why,
			"it has proven nothing yet, and others want its room");
	}
}

void control_evict(struct worker *w, struct ref control, enum reason why)
{
	struct evict_letter *l = letter_new(sizeof(*l));

	l->control = control.handle;
	l->why = (uint8_t)why;
	worker_post(w, control.worker, &l->letter, deliver_eviction);
}

static bool control_close_proxy(struct control *c, const struct message *m)
{
	struct proxy *p = proxy_find(c, m->close_proxy.proxy_name);

	if (p)
		proxy_close(p, REASON_proxy_closed);
	return true;
}

static bool control_ping(struct control *c, const struct message *m)
{
	const struct settings *set = c->worker->settings;
	struct message answer = { .type = MESSAGE_PONG };

	if (set->auth_heartbeats && !c->proven &&
		!login_key_verify(m->ping.privilege_key,
			admission_secret(set, c->record), m->ping.timestamp)) {
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

/* What waits for the answer hears it at once, in place of a timeout. */
static bool control_refuse_xtcp(struct control *c, const struct message *m)
{
	struct message answer = { .type = MESSAGE_NAT_HOLE_RESP };

	answer.nat_hole_resp.transaction_id =
		m->nat_hole_visitor.transaction_id;
	answer.nat_hole_resp.error = "xtcp is not supported yet";
	return control_send(c, &answer);
}

/* What we say ourselves is none: it is under the same key. */
static bool is_proof(const struct message *m)
{
	return m->type == MESSAGE_NEW_PROXY || m->type == MESSAGE_CLOSE_PROXY;
}

static enum channel_verdict control_message(
	struct channel *channel, struct message *m)
{
	struct control *c = container_of(channel, struct control, channel);
	bool going = true;

	if (c->state == CONTROL_PROVISIONAL && is_proof(m))
		return control_prove(c);
	switch (m->type) {
	case MESSAGE_NEW_PROXY:
		if (proxy_has_to_wait(c))
			return CHANNEL_WAIT;
		going = proxy_open(c, &m->new_proxy);
		break;
	case MESSAGE_CLOSE_PROXY:
		going = control_close_proxy(c, m);
		break;
	case MESSAGE_PING:
		going = control_ping(c, m);
		break;
	case MESSAGE_NAT_HOLE_VISITOR:
		going = control_refuse_xtcp(c, m);
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
	if (why == REASON_bad_frame || why == REASON_bad_message)
		control_count_guess(c);
	control_close(c, why, detail);
}

void control_go_on(struct control *c)
{
	if (!c->waits || c->state != CONTROL_RUNNING)
		return;
	c->waits = false;
	channel_start(&c->channel);
}

static void control_drained(struct channel *channel)
{
	control_go_on(container_of(channel, struct control, channel));
}

const struct channel_ops control_ops = {
	.drained = control_drained,
	.message = control_message,
	.ended = control_ended,
};

/* Freed from the loop, as callers up the stack may still look at it. */
static void control_bury(struct timer *t)
{
	struct control *c = container_of(t, struct control, grave);

	tickets_destroy(&c->tickets);
	free(c->user);
	free(c->client);
	users_drop(&c->users);
	pool_give(c->worker->pools.controls, c);
}

/* Whether the same secret would let it in today. */
static bool is_admitted(const struct control *c, const struct user *now)
{
	if (!c->record)
		return !*c->user;
	if (!now || !user_is_active(now, time(NULL)))
		return false;
	if (c->proven)
		return user_has_key(now, c->key);
	return !strcmp(now->says->frp_token, c->record->says->frp_token);
}

static bool may_have_its_proxies(const struct control *c)
{
	list_each (l, &c->proxies)
		if (!proxy_is_allowed(container_of(l, struct proxy, link)))
			return false;
	return true;
}

void control_reconsider(struct control *c)
{
	struct worker *w = c->worker;
	const struct user *now = users_find(w->users, c->user);
	bool admitted = is_admitted(c, now);

	if (admitted) {
		c->record = c->record ? now : NULL;
		users_drop(&c->users);
		c->users = users_hold(w->users);
	}
	if (admitted && may_have_its_proxies(c))
		return;
	if (c->state == CONTROL_CLAIMED) {
		control_refuse(c, ADMISSION_WRONG);
		return;
	}
	c->revoked = true;
	count(&w->core.counters, controls_revoked);
	control_close(c, REASON_revoked,
		admitted ? "its user may not publish this any more"
			 : "its user may log in no more");
}

void control_close(struct control *c, enum reason why, const char *detail)
{
	struct worker *w = c->worker;
	struct loop *loop = worker_loop(w);
	bool registered = c->state != CONTROL_CLAIMED;

	if (c->state == CONTROL_CLOSED)
		return;
	control_set_state(c, CONTROL_CLOSED);
	log_write(LOG_INFO, LOG_PAIRS("reason", reason_name(why)),
		"client exit success: run id [%.4s], %s", c->run_id, detail);
	w->core.counters.ended[why]++;
	/* The names first: who claims the run id next claims them, too. */
	while (!list_empty(&c->proxies))
		proxy_close(container_of(c->proxies.next, struct proxy, link),
			REASON_proxy_closed);
	if (registered)
		registry_release(w, c->entry);
	matchmakers_close(c);
	channel_close(&c->channel, !reason_is_clean(why));
	loop_cancel_timer(loop, &c->heartbeat);
	list_remove(&c->link);
	loop_set_timer(loop, &c->grave, 0, control_bury);
}
