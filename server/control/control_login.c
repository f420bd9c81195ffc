/* SPDX-License-Identifier: Apache-2.0 */

/* A Login: who it is, and what it is answered. */

#include "server/control/control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/version.h"
#include "common/crypto/random.h"
#include "common/crypto/tls.h"
#include "common/relay/layer.h"
#include "common/wire/capability.h"
#include "server/users/admission.h"
#include "server/users/refusal.h"
#include "server/registry/registry.h"
#include "server/link/tickets.h"
#include "server/worker.h"

/* A run id that may stand in logs and tables: frp's are 16 hex digits. */
static bool is_run_id(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n < RUN_ID_SIZE &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == n;
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

/*
 * What it is known by besides its run id; frp's logins take over by that alone,
 * as in frp. A user with a record has no slash in its name, and the others
 * have one secret. "" for nothing; NULL without memory.
 */
static char *client_name(
	const struct admission *a, const struct message_login *login)
{
	char *name;

	if (!a->proven || !*login->client_id)
		return strdup("");
	if (asprintf(&name, "%s/%s", login->user, login->client_id) < 0)
		return NULL;
	return name;
}

static struct control *control_new(struct worker *w, struct stream *s,
	const struct link *link, const struct message_login *login,
	const struct admission *a)
{
	struct control *c = pool_take(w->pools.controls);
	char *id;

	if (!c)
		return NULL;
	c->user = strdup(login->user);
	c->client = client_name(a, login);
	if (!c->user || !c->client) {
		free(c->user);
		free(c->client);
		pool_give(w->pools.controls, c);
		return NULL;
	}
	c->worker = w;
	c->users = users_hold(w->users);
	c->record = a->user;
	c->stamp = login->timestamp;
	c->since = worker_loop(w)->now;
	c->keep_s = a->keep_s;
	list_init(&c->proxies);
	list_append(&w->controls, &c->link);
	c->from = link->peer;
	address_ip(&link->peer, c->peer);
	c->address = half_open_place(&w->server->half_open, &link->peer);
	c->session = link->session;
	c->extended = login->adit.present;
	c->proven = a->proven;
	memcpy(c->key, a->key, sizeof(c->key));
	c->caps = (uint8_t)capability_read(&login->adit);
	matchmakers_init(c, pool_count(w, login->pool_count));
	id = c->proven ? c->before : c->run_id;
	if (is_run_id(login->run_id))
		snprintf(id, RUN_ID_SIZE, "%s", login->run_id);
	/* Without users all are one, and frp's way has nothing to tell. */
	c->named = *c->run_id && w->users;
	if (!*c->run_id)
		random_hex(c->run_id, 8);
	channel_init(&c->channel, s, &control_ops);
	return c;
}

const struct cipher_key *control_key(const struct control *c)
{
	return c->record ? &c->record->frp_key : &c->worker->server->token_key;
}

/* By the key that this TLS session and the run id give to both ends. */
static bool make_tickets(struct control *c)
{
	struct stream *s = c->channel.stream;
	struct session_key key;

	if (!(c->caps & CAPABILITY_tickets))
		return true;
	if (tls_export(layer_transform(s), SESSION_KEY_LABEL, c->run_id,
		    strlen(c->run_id), key.bytes) < 0)
		return false;
	c->tickets = tickets_create(worker_ref(c->worker, c), &key);
	session_key_wipe(&key);
	return c->tickets;
}

/* The answer to a Login that was accepted, still in clear. */
bool control_answer(struct control *c)
{
	const char *names[CAPABILITIES];
	struct message m = { .type = MESSAGE_LOGIN_RESP };
	const struct pin_list *known = &c->worker->keyring->pins;
	char texts[PINS_MAX][PIN_SIZE];
	const char *pins[PINS_MAX];

	m.login_resp.version = ADIT_VERSION;
	m.login_resp.run_id = c->run_id;
	if (c->extended)
		capability_write(&m.login_resp.adit, c->caps, names);
	if (c->proven && !make_tickets(c)) {
		control_close(c, REASON_no_memory, "no memory");
		return false;
	}
	if (c->proven) {
		for (size_t i = 0; i < known->n; i++) {
			pin_write(texts[i], &known->v[i]);
			pins[i] = texts[i];
		}
		m.login_resp.adit.pins.items = pins;
		m.login_resp.adit.pins.count = known->n;
	}
	if (!control_send(c, &m))
		return false;
	/* Inside TLS of ours there is nothing more to hide. */
	if (c->proven)
		return true;
	if (channel_encrypt(&c->channel, control_key(c)) == 0)
		return true;
	control_close(c, REASON_no_memory, "no memory");
	return false;
}

/*
 * Ask the registry for the id, for which the login may not come again in
 * keep_s seconds; `iv`, in hex, proves that it is no replay.
 */
bool control_claim(struct control *c, const char *id, int64_t keep_s, char *iv)
{
	char *texts[] = { c->record ? c->user : "", iv ? iv : "", c->before,
		c->client, c->peer };
	struct claim_texts terms = { ARRAY_SIZE(texts), texts };
	struct claim *claim = claim_new(CLAIM_CONTROL, id, NULL, &terms);

	if (!claim)
		return false;
	claim->stamp = c->stamp;
	claim->keep_s = keep_s;
	claim->proven = iv || c->proven;
	claim->again = c->again;
	claim->named = c->named;
	claim->ticketed = c->proven && c->caps & CAPABILITY_tickets;
	claim->owner = claim->control = worker_ref(c->worker, c);
	claim->caps = c->caps;
	claim->session = c->session;
	claim->bound = control_is_bound(c);
	registry_claim(c->worker, claim);
	return true;
}

/*
 * False, and why in `a`: too many have failed. A signature cannot be guessed,
 * so that only frp's logins are counted by their user, too.
 */
static bool may_try(struct worker *w, struct admission *a,
	const struct link *link, const struct message_login *login)
{
	struct failures *f = &w->server->failures;
	uint64_t key = failures_key(f, &link->peer, NULL);
	int64_t now = worker_loop(w)->now;
	int64_t wait = failures_wait(f, key, now);
	const char *as = "";

	if (wait == 0 && !admission_is_signed(login)) {
		f = &w->server->user_failures;
		key = failures_key(f, &link->peer, login->user);
		wait = failures_wait(f, key, now);
		as = " as this user";
	}
	if (wait == 0)
		return true;
	count(&w->core.counters, logins_cut_off);
	a->untold = !failures_tell(f, key, now);
	snprintf(a->error, sizeof(a->error),
		"too many failed logins%s from this address: try again in "
		"%lld s",
		as, (long long)(wait / CLOCK_SECOND) + 1);
	return false;
}

void control_count_failure(struct worker *w, const struct admission *a,
	const struct address *from, const char *user, bool guessed)
{
	struct failures *by_address = &w->server->failures;
	struct failures *by_user = &w->server->user_failures;
	int64_t now = worker_loop(w)->now;

	count(&w->core.counters, logins_failed);
	guesses_count(&w->server->guesses, a);
	failures_count(by_address, failures_key(by_address, from, NULL), now);
	if (guessed)
		failures_count(by_user, failures_key(by_user, from, user), now);
}

/* False, and why in `a`: it does not come in. */
static bool login_admit(struct worker *w, struct admission *a, struct stream *s,
	const struct link *link, const struct message_login *login)
{
	uint8_t binding[TLS_EXPORT_SIZE];
	struct admission_terms terms = { .settings = w->settings,
		.users = w->users,
		.token_key = *w->settings->auth_token ? w->server->token_public
						      : NULL,
		.secure = link->secure,
		.now = time(NULL) };
	bool good = false;

	*a = (struct admission){ 0 };
	if (link->adit && tls_channel_binding(layer_transform(s), binding) == 0)
		terms.binding = binding;
	if (worker_ends(w))
		snprintf(a->error, sizeof(a->error),
			"control manager is closed");
	else if (may_try(w, a, link, login))
		good = admission_check(a, &terms, login);
	if (a->failed)
		control_count_failure(w, a, &link->peer, login->user,
			!admission_is_signed(login));
	return good;
}

void control_login(struct worker *w, struct stream *s, const struct link *link,
	const struct message_login *login)
{
	bool good;
	struct admission a;
	struct control *c = NULL;
	char ip[ADDRESS_TEXT_SIZE];

	good = login_admit(w, &a, s, link, login);
	if (good)
		c = control_new(w, s, link, login, &a);
	if (good && !c)
		snprintf(a.error, sizeof(a.error), "too many clients");
	if (!c) {
		address_ip(&link->peer, ip);
		if (!a.untold)
			refusal_log(ip, a.error, a.cause, login->user);
		refusal_send(w, s, a.error);
		return;
	}
	log_info("client login info: ip [%s] version [%.64s] hostname [%.64s] "
		 "os [%.64s] arch [%.64s] run id [%.4s]",
		c->peer, login->version, login->hostname, login->os,
		login->arch, c->run_id);
	if (!control_claim(c, c->run_id, c->keep_s, NULL))
		control_close(c, REASON_no_memory, "no memory");
}
