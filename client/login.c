/* SPDX-License-Identifier: Apache-2.0 */

#include "client/login.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "client/client.h"
#include "client/crew.h"
#include "client/proxy.h"
#include "client/trust.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/wire/capability.h"

static const struct client *client_of(const struct control *k)
{
	return container_of(k, const struct client, control);
}

void login_sign(const struct client *c, char key[static LOGIN_KEY_SIZE],
	int64_t *timestamp_r)
{
	*timestamp_r = time(NULL);
	login_key(key, c->settings->auth_token, *timestamp_r);
}

unsigned login_offered(const struct client *c)
{
	unsigned set = c->settings->extensions ? CAPABILITY_all : 0;

	return c->settings->reuse ? set : set & ~(unsigned)CAPABILITY_reuse;
}

bool login_is_proven(const struct control *k)
{
	return k->adit && trust_is_asked(client_of(k)->settings);
}

/* Go's name for this machine's architecture, as frp sends it. */
static const char *go_arch(const char *machine)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
		{ "i686", "386" },
		{ "armv7l", "arm" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(machine, names[i][0]))
			return names[i][1];
	return machine;
}

/* Texts of a login's proof. */
struct proof {
	char key[PROOF_PUBLIC_TEXT], signature[PROOF_SIGNATURE_TEXT];
};

/* Sign the login, for this TLS session; false: a name is too long. */
static bool prove(struct control *k, struct message_login *l, struct proof *p)
{
	const struct proof_key *key = &client_of(k)->proof_key;
	struct proof_login what = { .binding = k->binding,
		.user = l->user,
		.client_id = l->client_id };
	uint8_t signature[PROOF_SIGNATURE_SIZE];

	if (!proof_sign(signature, key, &what))
		return false;
	proof_public_write(p->key, key->public);
	proof_signature_write(p->signature, signature);
	l->adit.key = p->key;
	l->adit.sig = p->signature;
	return true;
}

/*
 * The kept one is for aditd alone, which takes over from who has it: frps
 * refuses it while it has not noticed the end of an earlier session.
 */
static const char *client_id(const struct control *k)
{
	const struct client *c = client_of(k);

	if (*c->settings->client_id || !login_is_proven(k))
		return c->settings->client_id;
	return c->crew->id.text;
}

bool login_send(struct control *k)
{
	const char *names[CAPABILITIES];
	const struct client *c = client_of(k);
	const struct settings *s = c->settings;
	struct message m = { .type = MESSAGE_LOGIN };
	struct message_login *l = &m.login;
	char key[LOGIN_KEY_SIZE];
	struct proof proof;
	struct utsname host;

	uname(&host);
	l->version = ADIT_VERSION;
	l->hostname = host.nodename;
	l->os = "linux";
	l->arch = go_arch(host.machine);
	l->user = s->user;
	l->run_id = c->session.run_id;
	l->client_id = client_id(k);
	l->metas = proxy_map(&s->metadatas);
	l->pool_count = s->pool_count;
	if (s->extensions)
		capability_write(&l->adit, login_offered(c), names);
	if (login_is_proven(k)) {
		if (!prove(k, l, &proof))
			return false;
	} else {
		login_sign(c, key, &l->timestamp);
		l->privilege_key = key;
	}
	k->asked = clock_now();
	return channel_send(&k->channel, &m) == 0;
}

void login_warn(struct control *k)
{
	const struct settings *s = client_of(k)->settings;

	if (k->warned || !s->tls_enable || trust_is_asked(s))
		return;
	k->warned = true;
	log_warn("nobody vouches for the server: set "
		 "transport.tls.pins or trustedCaFile");
}
