/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http/http_route.h"

#include <errno.h>
#include <string.h>

#include "common/crypto/base64.h"
#include "common/http/credentials.h"
#include "common/http/emit.h"
#include "common/http/path.h"
#include "common/http/target.h"
#include "server/worker.h"

static bool is_trusted(const struct worker *w, const struct address *peer)
{
	for (size_t i = 0; i < w->settings->trusted_proxies.n; i++)
		if (network_has(&w->settings->trusted[i], peer))
			return true;
	return false;
}

/* The head as the service gets it. 0 or the status to answer with. */
static int forward(struct worker *w, const struct address *peer,
	const struct head_found *f, const struct request_facts *q,
	const struct http_target *target, const struct route *terms,
	struct chunk **forwarded_r)
{
	char ip[ADDRESS_TEXT_SIZE];
	struct emit_params params = {
		.rewrite = *terms->rewrite ? terms->rewrite : NULL,
		.set = &terms->set[0],
		.head = f->head,
		.data = f->data,
		.target = target,
		.framing = &q->framing,
		.peer = ip,
		.upgrade = q->upgrade,
		.trusted = is_trusted(w, peer),
		.absolute = q->alone,
		.via = w->settings->http_via,
	};
	size_t size = f->head->size + 2u * f->head->target_len + EMIT_EXTRA +
		      emit_set_size(params.set) + strlen(terms->rewrite);
	uint8_t out[4096];
	struct chunk *c;
	ssize_t n;

	address_ip(peer, ip);
	/* It may have to wait, or to move: then it has only what it needs. */
	n = emit_request(out, sizeof(out), &params);
	if (n < 0 && n != -EMSGSIZE)
		return (int)-n;
	c = chunk_from_heap((uint32_t)(n < 0 ? (ssize_t)size : n));
	if (!c)
		return 503;
	if (n < 0)
		n = emit_request(c->data, size, &params);
	else
		memcpy(c->data, out, (size_t)n);
	if (n < 0) {
		chunk_give(c);
		return 431;
	}
	c->to = (uint32_t)n;
	*forwarded_r = c;
	return 0;
}

static bool is_one_of(const struct head_found *f, const char *const *methods)
{
	for (; *methods; methods++)
		if (head_method_is(f->head, f->data, *methods))
			return true;
	return false;
}

/* What both may speak instead of HTTP. */
static void note_upgrade(struct request_facts *q, const struct head_found *f)
{
	q->upgrade[0] = '\0';
	if (q->framing.upgrade && !upgrade_list(f->head, f->data, q->upgrade))
		q->framing.upgrade = false;
}

/* What has to be known of the request when its head has gone. */
static void note_request(struct request_facts *q, const struct head_found *f)
{
	static const char *const again[] = { "GET", "HEAD", "OPTIONS", NULL };
	static const char *const delete[] = { "DELETE", NULL };

	q->head = head_method_is(f->head, f->data, "HEAD");
	q->again = is_one_of(f, again);
	q->safe = q->again || is_one_of(f, delete);
	q->old = f->head->minor == 0;
}

/* --- whose it is --- */

/* The user that it is from, for routes of one user; "": none is known. */
static void read_user(const struct head_found *f, bool proxy,
	char user[static CLAIM_USER_MAX + 1])
{
	struct http_text said = credentials_said(f->head, f->data, proxy);
	char login[4 * CLAIM_USER_MAX];
	const char *colon;
	ssize_t n;

	*user = '\0';
	/* As frp, it falls back to the service's login; the check does not. */
	if (proxy && said.len == 0)
		said = credentials_said(f->head, f->data, false);
	if (said.len == 0 || said.len > sizeof(login))
		return;
	n = base64_decode(login, said.data, said.len);
	colon = n > 0 ? memchr(login, ':', (size_t)n) : NULL;
	if (!colon || colon - login > CLAIM_USER_MAX)
		return;
	memcpy(user, login, (size_t)(colon - login));
	user[colon - login] = '\0';
}

/*
 * As frp reads the path, and as the service may: another place is somebody's
 * way around a password. 0 or -400.
 */
static int find_both(const struct worker *w, const char *host,
	struct http_text path, const char *user, struct place **p_r)
{
	const struct sites *s = &w->directory.sites;
	uint8_t decoded[HTTP_HEAD_MAX], cleaned[HTTP_HEAD_MAX];
	struct http_text a, b;
	int rc = path_read(path, decoded, cleaned, &a, &b);

	if (rc < 0)
		return rc;
	*p_r = sites_find(s, w->users, host, a, user);
	return *p_r == sites_find(s, w->users, host, b, user) ? 0 : -400;
}

/* 0 and the place, or the status to answer with. */
static int find_place(struct worker *w, const struct head_found *f,
	const struct http_target *t, struct place **p_r)
{
	const struct sites *s = &w->directory.sites;
	struct http_text path = { f->data + t->path, t->path_len };
	char user[CLAIM_USER_MAX + 1] = "";
	int rc = 0;

	if (s->of_user > 0)
		read_user(f,
			t->form == TARGET_ABSOLUTE || t->form == TARGET_CONNECT,
			user);
	if (t->slash || t->asterisk)
		path = text_of("/");
	if (s->located > 0 && path.len > 0)
		rc = find_both(w, t->host, path, user, p_r);
	else
		*p_r = sites_find(s, w->users, t->host, path, user);
	if (rc < 0)
		return -rc;
	if (*p_r)
		return 0;
	/* That nobody carries CONNECT is no matter of whose host it is. */
	return t->form == TARGET_CONNECT ? 405 : 404;
}

/* --- what is not forwarded, or only to who is a proxy itself --- */

/* RFC 9110, section 7.6.2; and `*` is the server that is asked: this one. */
static bool is_for_us(const struct head_found *f, const struct http_target *t)
{
	int i = head_find(f->head, f->data, "Max-Forwards", 0);
	uint64_t left;

	if (!head_method_is(f->head, f->data, "OPTIONS"))
		return false;
	return t->form == TARGET_ASTERISK ||
	       (i >= 0 &&
		       text_number(head_value(f->head, f->data, (unsigned)i),
			       &left) &&
		       left == 0);
}

/* As frp: a place of all hosts, or of one user, may have a proxy behind it. */
static int check_form(struct request_facts *q, const struct http_target *t,
	const struct place *p)
{
	bool proxy = p->any || *p->user;

	q->connect = t->form == TARGET_CONNECT;
	q->alone = q->connect || (proxy && t->form == TARGET_ABSOLUTE);
	if (!q->connect)
		return 0;
	if (!proxy)
		return 405;
	return framing_has_body(&q->framing) ? 400 : 0;
}

int http_route_decide(struct worker *w, const struct address *peer,
	const struct head_found *f, struct request_facts *q, struct route **r_r,
	struct chunk **forwarded_r)
{
	struct route *own = *r_r;
	struct http_target target;
	struct place *place;
	int rc;

	*r_r = NULL;
	note_request(q, f);
	rc = -target_authority(&target, f->head, f->data);
	if (rc == 0)
		rc = -framing_request(&q->framing, f->head, f->data);
	/* Behind CONNECT may be bytes of a tunnel: no request is among them. */
	q->clear = rc == 0 && target.form != TARGET_CONNECT;
	note_upgrade(q, f);
	if (rc == 0 && is_for_us(f, &target))
		rc = 200;
	if (rc == 0)
		rc = find_place(w, f, &target, &place);
	if (rc == 0)
		*r_r = place->lead;
	if (rc == 0)
		rc = check_form(q, &target, place);
	if (rc == 0)
		rc = -credentials_check(f->head, f->data,
			target.form == TARGET_ABSOLUTE || q->connect,
			place->lead->login);
	if (rc == 0)
		rc = forward(w, peer, f, q, &target, place->lead, forwarded_r);
	if (rc == 0)
		*r_r = own && own->group == place ? own
						  : place_turn(place, NULL);
	return rc;
}
