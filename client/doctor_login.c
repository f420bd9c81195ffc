/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One login, as the configuration would have it, but without a client id and
 * a run id: it takes nothing over. The connection ends with the answer.
 */

#include "client/doctor_internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "client/proxy.h"
#include "client/trust.h"
#include "common/base/version.h"
#include "common/crypto/login.h"
#include "common/crypto/login_proof.h"
#include "common/crypto/tls.h"
#include "common/wire/capability.h"
#include "common/wire/frame.h"
#include "common/wire/yamux.h"

/* The first stream that a client opens. */
#define STREAM 1

struct exchange {
	struct doctor *doctor;
	bool muxed; /* it is a stream of a mux, as frps expects */
	struct yamux_parser parser;
	struct yamux_frame last; /* of the mux */
	size_t size;
	uint8_t frame[FRAME_MAX];
};

/* --- the way of messages --- */

static int mux_send(struct exchange *x, const struct yamux_frame *f)
{
	uint8_t head[YAMUX_HEADER];

	yamux_encode(head, f);
	return dialogue_send(&x->doctor->talk, head, sizeof(head));
}

static int send_frame(struct exchange *x, const uint8_t *bytes, size_t n)
{
	int rc = 0;

	if (x->muxed)
		rc = mux_send(x, &(struct yamux_frame){ .type = YAMUX_CREDIT,
					 .flags = YAMUX_SYN,
					 .id = STREAM,
					 .length = YAMUX_FIRST_DELTA });
	if (rc == 0 && x->muxed)
		rc = mux_send(x, &(struct yamux_frame){ .type = YAMUX_DATA,
					 .id = STREAM,
					 .length = (uint32_t)n });
	return rc < 0 ? rc : dialogue_send(&x->doctor->talk, bytes, n);
}

static int keep(struct exchange *x, const uint8_t *bytes, size_t n)
{
	if (n > sizeof(x->frame) - x->size)
		return -EPROTO;
	memcpy(x->frame + x->size, bytes, n);
	x->size += n;
	return 0;
}

/* What has come on the stream, out of what has come on the mux. */
static int keep_muxed(struct exchange *x, const uint8_t *bytes, size_t n)
{
	int rc = 0;

	while (n > 0 && rc >= 0) {
		uint32_t taken = (uint32_t)n;

		rc = yamux_parse(&x->parser, bytes, &taken, &x->last);
		if (rc == YAMUX_PAYLOAD && x->last.id == STREAM)
			rc = keep(x, bytes, taken);
		else if (rc == YAMUX_FRAME && x->last.type == YAMUX_PING &&
			 x->last.flags & YAMUX_SYN)
			rc = mux_send(
				x, &(struct yamux_frame){ .type = YAMUX_PING,
					   .flags = YAMUX_ACK,
					   .length = x->last.length });
		else if (rc == YAMUX_FRAME && x->last.flags & YAMUX_RST)
			rc = -ECONNRESET;
		bytes += taken;
		n -= taken;
	}
	return rc < 0 ? rc : 0;
}

/* A whole message; 0 or -errno, -EPROTO: it is none of frp's. */
static int await_frame(struct exchange *x, size_t *size_r)
{
	uint8_t bytes[4096];
	enum frame_status status;
	ssize_t n;
	int rc;

	while ((status = frame_peek(x->frame, x->size, size_r)) ==
		FRAME_PARTIAL) {
		n = dialogue_receive(&x->doctor->talk, bytes, sizeof(bytes));
		if (n == 0)
			return -ECONNRESET;
		if (n < 0)
			return (int)n;
		rc = x->muxed ? keep_muxed(x, bytes, (size_t)n)
			      : keep(x, bytes, (size_t)n);
		if (rc < 0)
			return rc;
	}
	return status == FRAME_COMPLETE ? 0 : -EPROTO;
}

/* --- the login --- */

/* Texts that the message points to. */
struct texts {
	char key[LOGIN_KEY_SIZE];
	char public[PROOF_PUBLIC_TEXT], signature[PROOF_SIGNATURE_TEXT];
	const char *names[CAPABILITIES];
};

/* Whether the login is signed: of who is known to be the server. */
static bool is_signed(const struct doctor *d)
{
	return d->adit && trust_is_asked(d->settings);
}

static bool sign(struct doctor *d, struct message_login *l, struct texts *t)
{
	const char *token = d->settings->auth_token;
	uint8_t binding[TLS_EXPORT_SIZE], signature[PROOF_SIGNATURE_SIZE];
	struct proof_login what = { binding, l->user, "" };
	struct proof_key key;
	bool done;

	if (tls_channel_binding(dialogue_transform(&d->talk), binding) < 0)
		return false;
	proof_key_derive(&key, token, strlen(token));
	done = proof_sign(signature, &key, &what);
	proof_public_write(t->public, key.public);
	proof_signature_write(t->signature, signature);
	proof_key_wipe(&key);
	l->adit.key = t->public;
	l->adit.sig = t->signature;
	return done;
}

static ssize_t write_login(
	struct doctor *d, struct texts *t, uint8_t out[static FRAME_MAX])
{
	const struct settings *s = d->settings;
	struct message m = { .type = MESSAGE_LOGIN };
	struct message_login *l = &m.login;

	l->version = ADIT_VERSION;
	l->os = "linux";
	l->user = s->user;
	l->metas = proxy_map(&s->metadatas);
	if (s->extensions)
		capability_write(&l->adit, 0, t->names);
	if (is_signed(d)) {
		if (!sign(d, l, t))
			return -EINVAL;
	} else {
		l->timestamp = time(NULL);
		login_key(t->key, s->auth_token, l->timestamp);
		l->privilege_key = t->key;
	}
	return message_encode(&m, out, FRAME_MAX);
}

/* --- what comes of it --- */

static const char *advice_on(struct doctor *d, const char *error)
{
	if (strstr(error, "clock") || strstr(error, "timestamp")) {
		d->clock = DOCTOR_CLOCK_WRONG;
		return NULL;
	}
	if (strstr(error, "too many failed"))
		return "wait, and mend user and token before the next try";
	if (strstr(error, "token"))
		return "user and auth.token have to be what the server knows: "
		       "its log says which of them is wrong";
	return "the server's log says more";
}

static void answered(struct doctor *d, const struct message_login_resp *m)
{
	char error[300], version[40];

	if (*m->error) {
		snprintf(error, sizeof(error), "%s", m->error);
		doctor_clean(error);
		doctor_say(d, DOCTOR_FAIL, "login", advice_on(d, error),
			"refused: %s", error);
		return;
	}
	if (d->settings->tls_pins.n > 0 && m->adit.v != 1) {
		doctor_say(d, DOCTOR_FAIL, "login",
			"it has the key, and is no aditd: who has copied it?",
			"the server lacks the extension of aditd");
		return;
	}
	d->clock = is_signed(d) ? DOCTOR_CLOCK_NEEDLESS : DOCTOR_CLOCK_GOOD;
	snprintf(version, sizeof(version), "%s", m->version);
	doctor_clean(version);
	doctor_say(d, DOCTOR_OK, "login", NULL, "accepted%s%s%s by %s %s, %s",
		*d->settings->user ? ", as [" : "", d->settings->user,
		*d->settings->user ? "]," : "",
		m->adit.present ? "aditd" : "frps", version,
		is_signed(d) ? "signed" : "by frp's key");
}

/* No answer, or none of frp's. */
static void unanswered(struct doctor *d, int rc)
{
	bool bare = !d->tls;

	doctor_blame(d, rc);
	if (rc == -EPROTO && !strcmp(d->why, strerror(EPROTO)))
		snprintf(d->why, sizeof(d->why),
			"the answer is none of aditd's or frps's");
	doctor_say(d, DOCTOR_FAIL, "login",
		bare ? "a server that wants TLS ends bare logins: try without "
		       "transport.tls.enable: false"
		     : "is it aditd or frps, with the same transport.tcpMux? "
		       "does it want a client certificate (its trustedCaFile)?",
		"%s", d->why);
	if (bare && !doctor_probe(d))
		dialogue_close(&d->talk);
}

void doctor_login(struct doctor *d)
{
	static struct exchange x;
	const char *error = "";
	struct texts texts;
	struct message m;
	size_t size;
	ssize_t n;
	int rc;

	x = (struct exchange){ .doctor = d,
		.muxed = !d->adit && d->settings->tcp_mux };
	d->talk.deadline = clock_now() + DOCTOR_TIME;
	n = write_login(d, &texts, x.frame);
	rc = n < 0 ? (int)n : send_frame(&x, x.frame, (size_t)n);
	if (rc == 0)
		rc = await_frame(&x, &size);
	if (rc == 0)
		rc = message_decode(x.frame, size, &m, &error);
	if (rc == 0 && m.type == MESSAGE_LOGIN_RESP) {
		doctor_measure(d);
		answered(d, &m.login_resp);
	} else {
		unanswered(d, rc < 0 ? rc : -EPROTO);
	}
	if (rc == 0)
		message_clear(&m);
	explicit_bzero(&texts, sizeof(texts));
	explicit_bzero(&x, sizeof(x));
}
