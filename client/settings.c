/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of adit's keys and the life of the settings. To add a key, add a
 * row and its field; a proxy's are in settings_proxy.c, rules between keys in
 * settings_check.c.
 */

#include "client/settings.h"

#include <errno.h>
#include <string.h>

#include "client/gateway.h"
#include "client/include.h"
#include "common/conf/change.h"
#include "common/conf/dump.h"
#include "common/conf/manual.h"
#include "common/conf/secret.h"

#define DEF(type, field) CONF_DEF(type, struct settings, field)

/* The longest idle time before a probe that tcp(7) takes. */
#define KEEPALIVE_MAX 32767
#define DAY 86400

#define AUTH_TOKEN_DOC "The secret that server and clients share; empty: none."
#define TLS_FLAGS 0
#define TLS_CERT_DOC                                                          \
	"PEM file with the certificate that the server is shown, if it asks " \
	"for one."
#define TLS_CA_DOC                                                          \
	"PEM file with the authorities that the server's certificate must " \
	"come from; empty: any server will do. aditd shows its certFile, "  \
	"or its frp.crt."

static const struct conf_choices protocols =
	CONF_CHOICES({ "tcp", SETTINGS_TCP, false },
		{ "websocket", SETTINGS_WEBSOCKET, false }, { "wss", 0, true },
		{ "kcp", 0, true }, { "quic", 0, true });

static const struct conf_row rows[] = {
	{ .path = "serverAddr",
		DEF(STRING, server_addr),
		.def = "0.0.0.0",
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "Address or name of the server; 0.0.0.0 is this "
		       "machine." },
	{ .path = "serverPort",
		DEF(PORT, server_port),
		.def = "7000",
		.min = 1,
		.max = 65535,
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "Port of the server." },
	{ .path = "user",
		DEF(STRING, user),
		.def = "",
		.doc = "Put with a dot before the name of every proxy." },
	{ .path = "clientID",
		DEF(STRING, client_id),
		.def = "",
		.doc = "By what the server knows this client again; empty: "
		       "with aditd, an id that adit makes and keeps." },
	{ .path = "loginFailExit",
		DEF(BOOL, login_fail_exit),
		.def = "true",
		.flags = CONF_RELOAD,
		.doc = "Exit when the first login fails." },
	{ .path = "metadatas",
		DEF(MAP, metadatas),
		.doc = "Free text for the server." },
	{ .path = "dnsServer",
		DEF(STRING, dns_server),
		.def = "",
		.doc = "DNS server, ADDRESS or ADDRESS:PORT, that is asked "
		       "instead of the system's; empty: the system's." },
	{ .path = "natHoleStunServer",
		CONF_DEF_FIXED("stun.easyvoip.com:3478|"),
		.doc = "STUN server of xtcp proxies." },
	{ .path = "includes",
		DEF(STRINGS, includes),
		.flags = CONF_RELOAD,
		.doc = "More files with proxies, as ./conf.d/*.yaml." },

#include "common/conf/web.def"

	{ .path = "webServer.port",
		CONF_DEF_FIXED("0"),
		.doc = "Port of the dashboard." },
	{ .path = "webServer.addr",
		CONF_DEF_FIXED("127.0.0.1|0.0.0.0"),
		.doc = "Address of the dashboard." },
	{ .path = "store.path",
		CONF_DEF_FIXED(""),
		.doc = "File of proxies made while running." },
	{ .path = "featureGates",
		CONF_DEF_LATER,
		.doc = "Experiments of frp." },
	{ .path = "virtualNet.address",
		CONF_DEF_FIXED(""),
		.doc = "Address in a virtual network." },

#include "common/conf/auth.def"

	{ .path = "transport.protocol",
		DEF(ENUM, protocol),
		.def = "tcp",
		.choices = &protocols,
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "What carries the connections to the server: TCP, or "
		       "WebSocket over it, for proxies on the way that pass "
		       "nothing else." },
	{ .path = "transport.wireProtocol",
		CONF_DEF_FIXED("v1"),
		.doc = "Version of frp's messages." },
	{ .path = "transport.poolCount",
		DEF(INT, pool_count),
		.def = "1",
		.max = 256,
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "Idle work connections kept at the server; as in "
		       "frp, 0 asks for the default." },
	{ .path = "transport.heartbeatInterval",
		DEF(MS, heartbeat_interval_ms),
		.def = "30",
		.min = -1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "Time between heartbeats; -1: none." },
	{ .path = "transport.heartbeatTimeout",
		DEF(MS, heartbeat_timeout_ms),
		.def = "90",
		.min = -1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "How long the server may be silent; -1: for ever." },
	{ .path = "transport.dialServerTimeout",
		DEF(MS, dial_server_timeout_ms),
		.def = "10",
		.min = 1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "How long connecting to the server may take." },
	{ .path = "transport.dialServerKeepalive",
		DEF(SECONDS, dial_server_keepalive_s),
		.def = "7200",
		.min = -1,
		.max = KEEPALIVE_MAX,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "Idle time before TCP probes the server; -1: off." },
	{ .path = "transport.connectServerLocalIP",
		DEF(STRING, connect_server_local_ip),
		.def = "",
		.doc = "Address to connect from; empty: any." },
	{ .path = "transport.proxyURL",
		DEF(STRING, proxy_url),
		.def = "",
		.doc = "Proxy on the way to the server, "
		       "http://[USER:PASSWORD@]HOST:PORT or socks5://...; "
		       "empty: what the environment's http_proxy says, but "
		       "for this machine and what no_proxy names." },

	{ .path = "transport.extensions",
		DEF(BOOL, extensions),
		.def = "true",
		.doc = "Use what aditd has beyond frp; false: speak as frpc "
		       "does, to any server." },
	{ .path = "transport.reuse",
		DEF(BOOL, reuse),
		.def = "true",
		.doc = "Let a work connection to aditd carry visitors one "
		       "after another." },
	{ .path = "transport.tcpMux",
		DEF(BOOL, tcp_mux),
		.def = "true",
		.doc = "Carry all in one connection, as frps by its default "
		       "expects; aditd gets connections of their own for "
		       "what visitors send." },

#include "common/conf/transport.def"

	{ .path = "transport.tls.enable",
		DEF(BOOL, tls_enable),
		.def = "true",
		.doc = "TLS to the server." },
	{ .path = "transport.tls.serverName",
		DEF(STRING, tls_server_name),
		.def = "",
		.doc = "Name that the server's certificate must be for, if "
		       "trustedCaFile is set; empty: serverAddr." },
	{ .path = "transport.tls.pins",
		DEF(STRINGS, tls_pins),
		.doc = "What the server's identity must be: one or two pins, "
		       "as aditd tells them; then nothing else of its "
		       "certificate counts." },
	{ .path = "transport.tls.disableCustomTLSFirstByte",
		DEF(BOOL, tls_plain_first_byte),
		.def = "true",
		.doc = "Begin with TLS itself; false: with a byte of frp's, "
		       "for an frps whose vhostHTTPSPort is its bindPort." },

#include "common/conf/log.def"

	{ .path = "workers",
		DEF(INT, workers),
		.def = "1",
		.min = 1,
		.max = 1024,
		.choices = &conf_workers,
		.doc = "Threads that carry traffic; auto: one for each CPU "
		       "that the process may use." },
#include "common/conf/process.def"
	{ .path = "drainTimeout",
		DEF(MS, drain_timeout_ms),
		.def = "30",
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_RELOAD,
		.doc = "How long visitors may go on after the client was "
		       "told to stop." },
	{ .path = "limits.visitors",
		DEF(INT, max_visitors),
		.def = "20000",
		.min = 1,
		.max = 1000000,
		.doc = "Visitors at once." },
	{ .path = "limits.buffers",
		DEF(INT, buffer_count),
		.def = "256",
		.min = 4,
		.max = 32768,
		.doc = "Receive buffers of a worker, 16 KiB each." },
	{ .path = "start",
		DEF(STRINGS, start),
		.flags = CONF_RELOAD,
		.doc = "Names of the proxies to open; empty: all." },
	{ .path = "visitors",
		CONF_DEF_LATER,
		.doc = "Visitors of stcp, sudp and xtcp proxies." },
	{ .path = "proxies",
		CONF_DEF_LIST(struct settings, proxies, struct client_proxy,
			client_proxy_table),
		.flags = CONF_RELOAD,
		.doc = "What this client publishes.",
		.example = "# For example, in place of []:\n"
			   "#  - name: web\n"
			   "#    type: http\n"
			   "#    localPort: 3000\n"
			   "#    customDomains: [www.example.com]\n"
			   "#  - name: shop\n"
			   "#    type: https\n"
			   "#    localPort: 8443\n"
			   "#    customDomains: [shop.example.com]\n"
			   "#  - name: ssh\n"
			   "#    type: tcp\n"
			   "#    localPort: 22\n"
			   "#    remotePort: 6000\n" },
};

static CONF_TABLE(table, struct settings, rows);

int settings_new_default(struct settings **s_r)
{
	struct settings *s;
	struct conf *conf;
	void *base;
	int result = conf_new(&conf, &table, &base);

	if (result < 0)
		return result;
	s = base;
	s->conf = conf;
	s->join_file = "";
	*s_r = s;
	return 0;
}

int settings_load(
	struct settings **s_r, const char *file, struct conf_errors *errors)
{
	struct settings *s;
	int result = settings_new_default(&s);

	if (result < 0)
		return result;
	result = conf_load(s->conf, file, errors);
	if (result == 0)
		result = include_files(s, errors);
	if (result == 0)
		result =
			conf_secret_token(s->conf, errors, s->auth_token_source,
				s->auth_token_file, &s->auth_token);
	if (result == 0 || result == -EINVAL)
		result = settings_check(s, errors);
	if (result < 0) {
		settings_free(&s);
		return result;
	}
	*s_r = s;
	return 0;
}

struct client_proxy settings_proxy_default(void)
{
	return (struct client_proxy){ .name = "",
		.enabled = true,
		.local_ip = "127.0.0.1",
		.subdomain = "" };
}

const char *settings_copy(struct settings *s, const char *text)
{
	return conf_copy(s->conf, text ? text : "");
}

/* Copies keep *failed once one of them found no memory. */
static const char *copy(struct settings *s, const char *text, bool *failed)
{
	const char *new = settings_copy(s, text);

	if (!new)
		*failed = true;
	return new;
}

static void copy_strings(
	struct settings *s, struct conf_strings *list, bool *failed)
{
	const char **v = conf_alloc(s->conf, list->n, sizeof(*v));
	size_t i;

	if (!v) {
		*failed = true;
		return;
	}
	for (i = 0; i < list->n; i++)
		v[i] = copy(s, list->v[i], failed);
	list->v = v;
}

static void copy_map(struct settings *s, struct conf_map *map, bool *failed)
{
	struct conf_pair *v = conf_alloc(s->conf, map->n, sizeof(*v));
	size_t i;

	if (!v) {
		*failed = true;
		return;
	}
	for (i = 0; i < map->n; i++) {
		v[i].key = copy(s, map->v[i].key, failed);
		v[i].value = copy(s, map->v[i].value, failed);
	}
	map->v = v;
}

/* What the field points to becomes the settings'. */
static void copy_field(struct settings *s, const struct conf_row *row,
	struct client_proxy *p, bool *failed)
{
	void *field = (char *)p + row->offset;

	switch (row->type) {
	case CONF_STRING:
	case CONF_SECRET:
		*(const char **)field = copy(s, *(const char **)field, failed);
		break;
	case CONF_STRINGS:
		copy_strings(s, field, failed);
		break;
	case CONF_MAP:
		copy_map(s, field, failed);
		break;
	default:
		break;
	}
}

int settings_add_proxy(struct settings *s, const struct client_proxy *p)
{
	struct client_proxies *list = &s->proxies;
	struct client_proxy *grown =
		conf_alloc(s->conf, list->n + 1, sizeof(*grown));
	struct client_proxy *new;
	bool failed = false;

	if (!grown)
		return -ENOMEM;
	if (list->n > 0)
		memcpy(grown, list->v, list->n * sizeof(*grown));
	new = &grown[list->n];
	*new = *p;
	for (size_t i = 0; i < client_proxy_table.n; i++)
		copy_field(s, &client_proxy_table.rows[i], new, &failed);
	if (failed)
		return -ENOMEM;
	list->v = grown;
	list->n++;
	return 0;
}

bool settings_proxy_wanted(
	const struct settings *s, const struct client_proxy *p)
{
	size_t i;

	if (!p->enabled || s->start.n == 0)
		return p->enabled;
	for (i = 0; i < s->start.n; i++) {
		if (strcmp(s->start.v[i], p->name) == 0)
			return true;
	}
	return false;
}

bool settings_proxy_may_be_plain(
	const struct settings *s, const struct client_proxy *p)
{
	int e = p->data_encryption ? p->data_encryption : s->data_encryption;

	if (p->use_encryption || s->protocol != SETTINGS_TCP)
		return false;
	/* A proxy on the way may pass nothing but TLS. */
	return e == CONF_ENCRYPTION_NEVER ||
	       (e == CONF_ENCRYPTION_AUTO && p->type == CLIENT_PROXY_HTTPS &&
		       !*s->proxy_url);
}

void settings_dump(const struct settings *s, FILE *out)
{
	char proxy_url[GATEWAY_URL_SIZE];
	struct settings all = *s;

	/* Their proxies are among the others. */
	all.includes.n = 0;
	/* The file names the token, the URL is shown without its login. */
	if (all.auth_token_source == CONF_TOKEN_FILE)
		all.auth_token = "";
	gateway_show(s->proxy_url, proxy_url);
	all.proxy_url = proxy_url;
	conf_dump(&table, &all, out);
}

int settings_sample(FILE *out)
{
	fputs("# adit's configuration: every key with its default, but for\n"
	      "# those of a proxy: see adit.yaml(5). The names are frp's\n"
	      "# where frp has the key. Secrets are better kept in a file of\n"
	      "# their own (auth.tokenSource). A change of what is marked\n"
	      "# [reload] needs no restart: send SIGHUP.\n",
		out);
	return conf_sample(&table, out);
}

void settings_manual(FILE *out)
{
	static const struct manual page = { .name = "adit.yaml",
		.section = 5,
		.what = "configuration of adit",
		.more = ".SH SEE ALSO\n.BR adit (1)\n" };

	manual_keys(out, &page, &table);
}

void settings_help(FILE *out)
{
	fputs("\nKeys of the configuration that a reload changes:\n", out);
	conf_reloads_print(&table, out);
}

int settings_keep(struct settings *s, const struct settings *start,
	struct conf_errors *errors)
{
	conf_changes_keep(start->conf, s->conf);
	return settings_check(s, errors);
}

struct settings *settings_hold(const struct settings *s)
{
	/* The struct itself lies in the conf's memory. */
	return conf_base(conf_hold(s->conf));
}

void settings_free(struct settings **s_p)
{
	struct settings *s = *s_p;
	struct conf *conf;

	*s_p = NULL;
	if (!s)
		return;
	conf = s->conf;
	conf_free(&conf);
}
