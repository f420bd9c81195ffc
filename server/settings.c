/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The table of aditd's keys. To add a key, add a row and its field; a rule
 * between keys goes to settings_check.c.
 */

#include "server/settings.h"

#include <errno.h>

#include "common/conf/change.h"
#include "common/conf/dump.h"
#include "common/conf/manual.h"
#include "common/conf/secret.h"
#include "common/http/access_line.h"
#include "common/http/head.h"

#define DEF(type, field) CONF_DEF(type, struct settings, field)

/* The longest idle time before a probe that tcp(7) takes. */
#define KEEPALIVE_MAX 32767
#define DAY 86400

/* The keyring reads the files again, and others. */
#define TLS_FLAGS CONF_RELOAD
#define TLS_CERT_DOC                                                         \
	"PEM file with the certificate that frpc is shown; empty: one that " \
	"is made at the first start. It is read again when it changes."
#define AUTH_TOKEN_DOC                                                       \
	"The secret that server and clients share; empty: only users may "   \
	"log in; without users everybody, which needs a bindAddr that only " \
	"this machine reaches."
#define TLS_CA_DOC                                                          \
	"PEM file with the authorities that clients must be certified by; " \
	"empty: clients need no certificate. It is read again when it "     \
	"changes."

static const struct conf_choices reuses =
	CONF_CHOICES({ "shared", SETTINGS_REUSE_SHARED, false },
		{ "address", SETTINGS_REUSE_ADDRESS, false },
		{ "visitor", SETTINGS_REUSE_VISITOR, false },
		{ "never", SETTINGS_REUSE_NEVER, false });
static const struct conf_choices access_formats = CONF_CHOICES(
	{ "combined", ACCESS_COMBINED, false }, { "json", ACCESS_JSON, false });

static const struct conf_row rows[] = {
	{ .path = "bindAddr",
		DEF(STRING, bind_addr),
		.def = "0.0.0.0",
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "Address that clients connect to." },
	{ .path = "bindPort",
		DEF(PORT, bind_port),
		.def = "7000",
		.min = 1,
		.max = 65535,
		.flags = CONF_EMPTY_DEFAULT,
		.doc = "Port that clients connect to." },
	{ .path = "publicAddr",
		DEF(STRING, public_addr),
		.def = "",
		.flags = CONF_RELOAD,
		.doc = "HOST or HOST:PORT by which clients reach bindPort, for "
		       "join strings; up to four, with commas between; empty: "
		       "the addresses of this machine." },
	{ .path = "kcpBindPort",
		CONF_DEF_FIXED("0"),
		.doc = "Port for clients over KCP." },
	{ .path = "quicBindPort",
		CONF_DEF_FIXED("0"),
		.doc = "Port for clients over QUIC." },
	{ .path = "proxyBindAddr",
		DEF(STRING, proxy_bind_addr),
		.def = "",
		.doc = "Address of the public ports; empty: bindAddr." },
	{ .path = "vhostHTTPPort",
		DEF(PORT, vhost_http_port),
		.def = "0",
		.max = 65535,
		.doc = "Public port of all http proxies; 0: off." },
	{ .path = "vhostHTTPTimeout",
		DEF(MS, vhost_http_timeout_ms),
		.def = "60",
		.min = 1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "How long the service of an http proxy may take from "
		       "the end of a request to the end of its answer's "
		       "head." },
	{ .path = "trustedProxies",
		DEF(STRINGS, trusted_proxies),
		.def = "127.0.0.0/8, ::1/128",
		.flags = CONF_RELOAD,
		.doc = "Addresses and networks of the proxies in front of "
		       "aditd, whose Forwarded and X-Forwarded fields are "
		       "believed." },
	{ .path = "vhostHTTPErrorStatus",
		DEF(INT, vhost_http_error_status),
		.def = "0",
		.max = 404, /* and nothing between: settings_check */
		.flags = CONF_RELOAD,
		.doc = "Status of the error pages; 0: what says best what "
		       "happened; 404: as frp, for whatever fails." },
	{ .path = "vhostHTTPSPort",
		DEF(PORT, vhost_https_port),
		.def = "0",
		.max = 65535,
		.doc = "Public port of all https proxies, whose visitors are "
		       "told apart by the name that their TLS asks for; 0: "
		       "off." },
	{ .path = "tcpmuxHTTPConnectPort",
		CONF_DEF_FIXED("0"),
		.doc = "Public port of all tcpmux proxies." },
	{ .path = "tcpmuxPassthrough",
		CONF_DEF_FIXED("false"),
		.doc = "Forward the CONNECT request of a tcpmux proxy." },
	{ .path = "subDomainHost",
		DEF(STRING, subdomain_host),
		.def = "",
		.flags = CONF_RELOAD,
		.doc = "The domain below which clients may ask for a "
		       "subdomain; empty: none." },
	{ .path = "custom404Page",
		DEF(STRING, custom_404_page),
		.def = "",
		.flags = CONF_RELOAD,
		.doc = "File with the page for unknown hosts and services "
		       "that fail; empty: the built-in ones. It is read "
		       "again when it changes." },
	{ .path = "allowPorts",
		DEF(RANGES, allow_ports),
		.flags = CONF_RELOAD,
		.doc = "Public ports that clients may open; empty: all.",
		.example = "# For example, in place of []:\n"
			   "#  - start: 6000\n"
			   "#    end: 6999\n"
			   "#  - single: 2222\n" },
	{ .path = "maxPortsPerClient",
		DEF(INT, max_ports_per_client),
		.def = "0",
		.max = 65535,
		.flags = CONF_RELOAD,
		.doc = "Public ports that one client may open; 0: no "
		       "limit." },
	{ .path = "userConnTimeout",
		DEF(MS, user_conn_timeout_ms),
		.def = "10",
		.min = 1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "How long a visitor waits for a work connection." },
	{ .path = "detailedErrorsToClient",
		DEF(BOOL, detailed_errors),
		.def = "true",
		.flags = CONF_RELOAD,
		.doc = "Tell clients the whole reason of a refusal." },
	{ .path = "natholeAnalysisDataReserveHours",
		CONF_DEF_FIXED("168|0"),
		.doc = "How long statistics of xtcp proxies are kept." },

#include "server/web.def"
#include "common/conf/web.def"

	{ .path = "enablePrometheus",
		CONF_DEF_FIXED("false"),
		.doc = "Metrics on the dashboard's port." },
	{ .path = "httpPlugins",
		CONF_DEF_LATER,
		.doc = "Programs that are asked by HTTP." },
	{ .path = "sshTunnelGateway",
		CONF_DEF_LATER,
		.doc = "Clients that are plain ssh." },
	{ .path = "sshTunnelGateway.bindPort",
		CONF_DEF_FIXED("0"),
		.doc = "Port for clients over ssh." },
	{ .path = "sshTunnelGateway.autoGenPrivateKeyPath",
		CONF_DEF_FIXED("./.autogen_ssh_key|"),
		.doc = "File for a generated key of the ssh gateway." },

#include "common/conf/auth.def"

	{ .path = "users",
		CONF_DEF_LIST(struct settings, users, struct settings_user,
			settings_user_table),
		.flags = CONF_RELOAD,
		.doc = "Who may log in, each with a secret of its own, and "
		       "what they may publish; auth.token then serves only "
		       "clients without a user.",
		.example = "# For example, in place of []:\n"
			   "#  - name: alice\n"
			   "#    frpToken: a secret of hers alone\n"
			   "#    domains: [www.example.com, "
			   "\"*.alice.example.com\"]\n"
			   "#    ports:\n"
			   "#      - start: 6000\n"
			   "#        end: 6009\n" },
	{ .path = "usersFile",
		DEF(STRING, users_file),
		.def = "",
		.flags = CONF_RELOAD,
		.doc = "File with the key users in place of this one, of mode "
		       "0600, read again when it changes; empty: users in "
		       "stateDir, if it is there at the start or a reload." },
	{ .path = "loginWindow",
		DEF(INT, login_window_s),
		.def = "auto",
		.min = 1,
		.max = 366 * DAY,
		.unit = "seconds",
		.choices = &settings_windows,
		.flags = CONF_RELOAD,
		.doc = "How far the clock of an frpc may be off when it logs "
		       "in; auto: as one of the users 900, or 86400 inside "
		       "TLS; with auth.token without limit, as in frp." },

	{ .path = "transport.maxPoolCount",
		DEF(INT, max_pool_count),
		.def = "5",
		.min = 1,
		.max = 65535,
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "The most idle work connections that a client is "
		       "asked for." },
	{ .path = "transport.heartbeatTimeout",
		DEF(MS, heartbeat_timeout_ms),
		.def = "90",
		.min = -1,
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "How long a client may be silent; -1: for ever." },
	{ .path = "transport.tcpKeepalive",
		DEF(SECONDS, tcp_keepalive_s),
		.def = "7200",
		.min = -1,
		.max = KEEPALIVE_MAX,
		.unit = "seconds",
		.flags = CONF_EMPTY_DEFAULT | CONF_RELOAD,
		.doc = "Idle time before TCP probes a client; -1: off." },

	{ .path = "transport.workPool.min",
		DEF(INT, work_pool_min),
		.def = "1",
		.max = 4096,
		.flags = CONF_RELOAD,
		.doc = "The fewest idle work connections that an adit keeps "
		       "ready." },
	{ .path = "transport.workPool.max",
		DEF(INT, work_pool_max),
		.def = "256",
		.min = 1,
		.max = 4096,
		.flags = CONF_RELOAD,
		.doc = "The most; between the two, their number follows the "
		       "visitors." },
	{ .path = "transport.tcpMux",
		DEF(BOOL, tcp_mux),
		.def = "true",
		.flags = CONF_RELOAD,
		.doc = "Accept connections that carry many streams; the first "
		       "bytes tell which do." },

#include "common/conf/transport.def"

	{ .path = "transport.tls.force",
		DEF(BOOL, tls_force),
		.def = "false",
		.flags = CONF_RELOAD,
		.doc = "Refuse clients without TLS; trustedCaFile implies "
		       "it." },

#include "common/conf/log.def"

	{ .path = "accessLog.to",
		DEF(STRING, access_log_to),
		.def = "",
		.flags = CONF_RELOAD,
		.doc = "Where a line for each http request goes: console, or "
		       "the path of a file; empty: nowhere." },
	{ .path = "accessLog.format",
		DEF(ENUM, access_log_format),
		.def = "combined",
		.choices = &access_formats,
		.flags = CONF_RELOAD,
		.doc = "How it is written: as Apache and nginx do, with "
		       "further fields behind it, or as an object." },

	{ .path = "workers",
		DEF(INT, workers),
		.def = "auto",
		.min = 1,
		.max = SETTINGS_WORKERS_MAX,
		.choices = &conf_workers,
		.doc = "Threads that carry traffic; auto: one for each CPU "
		       "that the process may use." },
#include "common/conf/process.def"
	{ .path = "runAs",
		DEF(STRING, run_as),
		.def = "",
		.doc = "USER or USER:GROUP to become at the start, before "
		       "files and ports are opened; empty: whoever started "
		       "it." },
	{ .path = "stateDir",
		DEF(STRING, state_dir),
		.def = "",
		.doc = "Directory of what outlives the process, which nobody "
		       "else may enter (0700); empty: the system's usual "
		       "place." },
	{ .path = "drainTimeout",
		DEF(MS, drain_timeout_ms),
		.def = "30",
		.max = DAY,
		.unit = "seconds",
		.flags = CONF_RELOAD,
		.doc = "How long visitors may go on after the server was "
		       "told to stop." },

#include "server/http.def"
#include "server/limits.def"
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
	s->proxy_bind_addr = s->bind_addr;
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
	s->proxy_bind_addr = "";
	result = conf_load(s->conf, file, errors);
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

void settings_dump(const struct settings *s, FILE *out)
{
	struct settings all = *s;

	/* The file names the token. */
	if (all.auth_token_source == CONF_TOKEN_FILE)
		all.auth_token = "";
	conf_dump(&table, &all, out);
}

int settings_sample(FILE *out)
{
	fputs("# aditd's configuration: every key with its default, but for\n"
	      "# those of a user: see aditd.yaml(5). The names are frp's\n"
	      "# where frp has the key. Secrets are better kept in a file of\n"
	      "# their own (auth.tokenSource). A change of what is marked\n"
	      "# [reload] needs no restart: aditd reload, or SIGHUP.\n",
		out);
	return conf_sample(&table, out);
}

void settings_manual(FILE *out)
{
	static const struct manual page = { .name = "aditd.yaml",
		.section = 5,
		.what = "configuration of aditd",
		.more = ".SH SEE ALSO\n.BR aditd (8)\n" };

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
