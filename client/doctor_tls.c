/* SPDX-License-Identifier: Apache-2.0 */

/* What answers on the port, and whether TLS there is what it should be. */

#include "client/doctor_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "client/trust.h"
#include "common/crypto/random.h"
#include "common/crypto/tls.h"
#include "common/crypto/websocket_key.h"
#include "common/wire/client_hello.h"
#include "common/wire/websocket.h"

/* --- without a handshake of ours: who is it? --- */

/* The value of a field in the head of an answer, cleaned; "": none. */
static void field(const char *head, const char *name, char *value, size_t size)
{
	size_t n = strlen(name);
	const char *line = strchr(head, '\n');

	*value = '\0';
	for (; line; line = strchr(line, '\n')) {
		line++;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " ");
		snprintf(value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
		doctor_clean(value);
		return;
	}
}

static void read_clock(struct doctor *d, const char *head)
{
	struct tm tm = { 0 };
	char text[40];

	field(head, "Date", text, sizeof(text));
	if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return;
	d->clock = DOCTOR_CLOCK_DATE;
	d->clock_off = time(NULL) - timegm(&tm);
}

/* What it says to a request, as text; how many bytes, or -errno. */
static ssize_t ask_as_browser(struct doctor *d, char *text, size_t size)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: adit.invalid\r\n"
				      "Connection: close\r\n\r\n";
	ssize_t n = doctor_dial(d);

	d->talk.deadline = clock_now() + DOCTOR_PROBE_TIME;
	if (n == 0)
		n = dialogue_send(&d->talk, request, sizeof(request) - 1);
	if (n == 0)
		n = dialogue_receive(&d->talk, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

bool doctor_probe(struct doctor *d)
{
	char text[1500], server[60];
	ssize_t n = ask_as_browser(d, text, sizeof(text));

	if (n > 0 && strncmp(text, "HTTP/", 5) == 0) {
		read_clock(d, text);
		field(text, "Server", server, sizeof(server));
		doctor_say(d, DOCTOR_FAIL, "port",
			"serverPort has to be aditd's bindPort, and what is "
			"in between has to pass its bytes as they are, not as "
			"HTTP",
			"a web server or HTTP proxy answers%s%s%s",
			*server ? " [" : "", server, *server ? "]" : "");
		return true;
	}
	if (n > 0) {
		text[strcspn(text, "\r\n")] = '\0';
		text[60] = '\0';
		doctor_clean(text);
		doctor_say(d, DOCTOR_FAIL, "port",
			"serverPort has to be aditd's bindPort",
			"something else answers: [%s]", text);
		return true;
	}
	doctor_say(d, DOCTOR_UNKNOWN, "port", NULL,
		n == -ETIMEDOUT ? "it takes connections, and says nothing"
				: "it takes connections, and ends them without "
				  "a word");
	return false;
}

/* --- TLS --- */

/* A new connection up to a TLS handshake; 0, or -errno and `why`. */
static int shake(struct doctor *d, struct tls_context *context)
{
	static const struct websocket_means means = { .random = random_bytes,
		.key = websocket_key_make,
		.accept = websocket_key_accept };
	static const uint8_t mark = CLIENT_HELLO_MARK;
	const struct settings *s = d->settings;
	const char *name = *s->tls_server_name ? s->tls_server_name : d->host;
	char host[WEBSOCKET_HOST_MAX];
	int rc = doctor_dial(d);

	if (rc < 0)
		return rc;
	if (s->protocol == SETTINGS_WEBSOCKET) {
		address_join(host, sizeof(host), d->host, d->port);
		rc = dialogue_enter(&d->talk, websocket_call(&means, host));
	}
	if (rc == 0 && context && !s->tls_plain_first_byte)
		rc = dialogue_send(&d->talk, &mark, 1);
	if (rc == 0 && context)
		rc = dialogue_enter(&d->talk, tls_client(context, name, NULL));
	if (rc < 0)
		doctor_blame(d, rc);
	else
		d->adit = context && tls_is_adit(dialogue_transform(&d->talk));
	return rc;
}

static void peer_pin(const struct doctor *d, char text[static PIN_SIZE])
{
	struct pin pin;

	*text = '\0';
	if (tls_peer_pin(dialogue_transform(&d->talk), &pin))
		pin_write(text, &pin);
}

static void say_port(struct doctor *d)
{
	doctor_say(d, DOCTOR_OK, "port", NULL,
		d->adit ? "aditd answers, by TLS with " TLS_ALPN_ADIT
			: "a server with TLS answers, as frps does");
}

static void say_secure(struct doctor *d)
{
	const struct settings *s = d->settings;
	const struct transform *t = dialogue_transform(&d->talk);
	char pin[PIN_SIZE], advice[200];

	say_port(d);
	if (trust_is_asked(s)) {
		doctor_say(d, DOCTOR_OK, "tls", NULL, "%s, %s, %s",
			tls_version_name(t), tls_cipher_name(t),
			s->tls_pins.n ? "the server has a pinned key"
				      : "trustedCaFile vouches for the server");
		return;
	}
	peer_pin(d, pin);
	if (d->adit)
		snprintf(advice, sizeof(advice),
			"if aditd's log says identity [%s], too, set "
			"transport.tls.pins: [%s]",
			pin, pin);
	else
		snprintf(advice, sizeof(advice),
			"set transport.tls.trustedCaFile: who is on the way "
			"could be the server");
	doctor_say(d, DOCTOR_WARN, "tls", advice,
		"%s, %s, but nobody vouches for the server, whose pin is [%s]",
		tls_version_name(t), tls_cipher_name(t), pin);
}

/* What to do about a server that was refused as `refused`, and is now here,
 * trusted by nobody. */
static void say_refused(struct doctor *d, const char *refused)
{
	const struct settings *s = d->settings;
	char pin[PIN_SIZE], issuer[TLS_ISSUER_SIZE] = "", advice[360];
	const char *shown = *s->tls_server_name ? s->tls_server_name : d->host;
	bool date = strstr(refused, "expired") || strstr(refused, "not valid");

	peer_pin(d, pin);
	if (!tls_peer_issuer(dialogue_transform(&d->talk), issuer))
		*issuer = '\0';
	doctor_clean(issuer);
	if (s->tls_pins.n > 0 && (*issuer || !d->adit))
		snprintf(advice, sizeof(advice),
			"this is not aditd: a box on the way ends TLS (its "
			"certificate is issued by [%s]); let it pass this port "
			"untouched, or take another way",
			*issuer ? issuer : "itself");
	else if (s->tls_pins.n > 0)
		snprintf(advice, sizeof(advice),
			"another aditd, or one with a new identity: if its log "
			"says identity [%s], join with a new join string of "
			"it, or set transport.tls.pins: [%s]",
			pin, pin);
	else if (date)
		snprintf(advice, sizeof(advice),
			"renew it, unless this machine's clock is wrong");
	else if (strstr(refused, "another name"))
		snprintf(advice, sizeof(advice),
			"it is not for [%s]: set transport.tls.serverName to a "
			"name that it is for",
			shown);
	else
		snprintf(advice, sizeof(advice),
			"it is issued by [%s]: a box on the way that ends TLS, "
			"or trustedCaFile lacks the server's authority",
			*issuer ? issuer : "itself");
	doctor_say(d, DOCTOR_FAIL, "tls", advice,
		"%s; shown is the pin [%s]%s%s%s", refused, pin,
		s->tls_pins.n ? ", pinned is [" : "",
		s->tls_pins.n ? s->tls_pins.v[0] : "",
		s->tls_pins.n ? "]" : "");
}

/* Without TLS there is nothing to be seen before the login. */
static bool secure_bare(struct doctor *d)
{
	int rc = shake(d, NULL);

	if (rc < 0 && !doctor_probe(d))
		doctor_say(d, DOCTOR_FAIL, "link",
			"transport.protocol has to be what the server speaks",
			"%s", d->why);
	if (rc < 0)
		return false;
	doctor_say(d, DOCTOR_WARN, "tls",
		"leave transport.tls.enable at true, unless the network is "
		"yours",
		"off: who is on the way reads and changes what it likes");
	return true;
}

bool doctor_secure(struct doctor *d)
{
	char refused[DOCTOR_WHY_SIZE];
	int rc;

	if (!d->tls)
		return secure_bare(d);
	rc = shake(d, d->tls);
	if (rc == 0) {
		say_secure(d);
		return true;
	}
	memcpy(refused, d->why, sizeof(refused));
	if (rc != -ETIMEDOUT && shake(d, d->any) == 0) {
		say_port(d);
		say_refused(d, refused);
		return false;
	}
	if (doctor_probe(d))
		return false;
	doctor_say(d, DOCTOR_FAIL, "tls",
		"is this a server with TLS? one without it needs "
		"transport.tls.enable: false",
		"%s", refused);
	return false;
}
