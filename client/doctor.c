/* SPDX-License-Identifier: Apache-2.0 */

#include "client/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/doctor_internal.h"
#include "client/trust.h"

/* Where the text of a line begins. */
#define COLUMN 20

void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *what,
	const char *advice, const char *format, ...)
{
	static const char *const words[] = { "ok", "warn", "FAIL", "-" };
	va_list args;

	d->failed += verdict == DOCTOR_FAIL;
	d->warned += verdict == DOCTOR_WARN;
	fprintf(d->out, "%-6s%-*s", words[verdict], COLUMN - 6, what);
	va_start(args, format);
	vfprintf(d->out, format, args);
	va_end(args);
	fputc('\n', d->out);
	if (advice)
		fprintf(d->out, "%*s-> %s\n", COLUMN, "", advice);
	fflush(d->out);
}

void doctor_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void doctor_blame(struct doctor *d, int rc)
{
	const struct transform *t = dialogue_transform(&d->talk);
	const char *text = strerror(-rc);

	if (rc == -ETIMEDOUT)
		text = "no answer in time";
	else if (t && t->trouble)
		text = t->trouble;
	else if (rc == -ECONNRESET)
		text = "the connection was cut";
	snprintf(d->why, sizeof(d->why), "%s", text);
}

/* --- the configuration --- */

static size_t wanted_proxies(const struct settings *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->proxies.n; i++)
		n += settings_proxy_wanted(s, &s->proxies.v[i]);
	return n;
}

static bool look_at_configuration(
	struct doctor *d, const char *source, const char *note)
{
	const struct settings *s = d->settings;
	char error[CERTIFICATE_ERROR_SIZE] = "", where[ADDRESS_HOST_SIZE + 16];
	struct tls_client_terms any = { .alpn = TLS_ALPN_OFFERED };
	const char *reason;
	struct pin pins[PINS_MAX];
	int pin_count = trust_pins(s, pins);
	size_t n = wanted_proxies(s);

	/* The settings have checked it. */
	if (*s->proxy_url && gateway_parse(&d->gateway, s->proxy_url, &reason))
		d->gateway.kind = GATEWAY_NONE;
	/* To be shown the same certificate; aditd has two. */
	if (*s->tls_ca_file && pin_count == 0)
		any.alpn = trust_alpn(s, 0);
	d->any = tls_context_client(&any, error);
	if (s->tls_enable && d->any && pin_count >= 0)
		d->tls = trust_make(s, pins, (size_t)pin_count, error);
	if (!d->any || (s->tls_enable && !d->tls)) {
		doctor_say(d, DOCTOR_FAIL, "configuration",
			"mend transport.tls: the files have to be there, and "
			"to be readable",
			"%s: transport.tls: %s", source, error);
		return false;
	}
	address_join(where, sizeof(where), s->server_addr, s->server_port);
	doctor_say(d, *note ? DOCTOR_WARN : DOCTOR_OK, "configuration",
		*note ? note : NULL, "%s: the server is %s%s, %zu %s", source,
		where, s->server_count > 1 ? ", the first of several" : "", n,
		n == 1 ? "proxy" : "proxies");
	return true;
}

int doctor_refuse(
	const struct conf_errors *errors, const char *source, FILE *out)
{
	struct doctor d = { .out = out };

	doctor_say(&d, DOCTOR_FAIL, "configuration",
		"mend these; `adit verify` looks at them, too",
		"%s cannot be used", source);
	conf_errors_print(errors, out);
	return 1;
}

/* --- the clock --- */

static void look_at_clock(struct doctor *d)
{
	static const char set[] = "set it right, best by NTP (timedatectl "
				  "set-ntp true)";

	switch (d->clock) {
	case DOCTOR_CLOCK_GOOD:
		doctor_say(d, DOCTOR_OK, "clock", NULL,
			"near enough for the server");
		break;
	case DOCTOR_CLOCK_NEEDLESS:
		doctor_say(d, DOCTOR_OK, "clock", NULL,
			"not looked at: the login is signed");
		break;
	case DOCTOR_CLOCK_WRONG:
		doctor_say(d, DOCTOR_FAIL, "clock", set,
			"the server's is another one: see the login");
		break;
	case DOCTOR_CLOCK_DATE:
		if (llabs(d->clock_off) < 60)
			doctor_say(d, DOCTOR_OK, "clock", NULL,
				"as that of who answers");
		else
			doctor_say(d, DOCTOR_WARN, "clock", set,
				"%lld s %s that of who answers",
				llabs(d->clock_off),
				d->clock_off > 0 ? "ahead of" : "behind");
		break;
	case DOCTOR_CLOCK_UNKNOWN:
		doctor_say(d, DOCTOR_UNKNOWN, "clock", NULL,
			"nothing tells the server's time");
		break;
	}
}

/* --- local services --- */

static void look_at_service(struct doctor *d, const struct client_proxy *p)
{
	struct address found[DOCTOR_ADDRESSES];
	const char *error = "";
	char name[256], where[ADDRESS_HOST_SIZE + 16];
	int n = doctor_resolve(d, p->local_ip, p->local_port, found, &error);
	int rc = -EADDRNOTAVAIL;

	snprintf(name, sizeof(name), "%s", p->name);
	doctor_clean(name);
	address_join(where, sizeof(where), p->local_ip, p->local_port);
	for (int i = 0; i < n && rc < 0; i++) {
		int before = rc;

		dialogue_close(&d->talk);
		rc = dialogue_connect(
			&d->talk, &found[i], NULL, clock_now() + DOCTOR_TIME);
		/* A refusal says more than that there is no IPv6. */
		if (rc < 0 && before == -ECONNREFUSED)
			rc = before;
	}
	dialogue_close(&d->talk);
	if (rc == 0)
		doctor_say(d, DOCTOR_OK, "service", NULL, "[%s] %s answers",
			name, where);
	else
		doctor_say(d, DOCTOR_FAIL, "service",
			"start the service, or mend [HOST:]PORT; in a file "
			"localIP and localPort",
			"[%s] %s: %s", name, where,
			n == 0 ? error : strerror(-rc));
}

/* --- all of it --- */

static void look_at_server(struct doctor *d, const char *host, uint16_t port)
{
	d->host = host;
	d->port = port;
	d->clock = DOCTOR_CLOCK_UNKNOWN;
	if (!doctor_find(d))
		return;
	if (doctor_secure(d))
		doctor_login(d);
	look_at_clock(d);
}

/* Those of a join string, or the one. */
static void look_at_servers(struct doctor *d)
{
	const struct settings *s = d->settings;

	if (s->server_count == 0)
		look_at_server(d, s->server_addr, s->server_port);
	for (size_t i = 0; i < s->server_count; i++)
		look_at_server(d, s->servers[i].host, s->servers[i].port);
}

static int sum_up(const struct doctor *d)
{
	if (d->failed + d->warned == 0)
		fputs("nothing is wrong\n", d->out);
	else
		fprintf(d->out, "%u wrong, %u to be warned of\n", d->failed,
			d->warned);
	return d->failed > 0;
}

int doctor_run(const struct settings *s, const char *source, const char *note,
	FILE *out)
{
	struct doctor *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return 1;
	d->settings = s;
	d->out = out;
	if (look_at_configuration(d, source, note))
		look_at_servers(d);
	dialogue_close(&d->talk);
	for (size_t i = 0; i < s->proxies.n; i++)
		if (settings_proxy_wanted(s, &s->proxies.v[i]))
			look_at_service(d, &s->proxies.v[i]);
	rc = sum_up(d);
	tls_context_unref(&d->tls);
	tls_context_unref(&d->any);
	explicit_bzero(d, sizeof(*d));
	free(d);
	return rc;
}
