/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client's settings: what adit's configuration file or its command line
 * says, by the tables in settings.c, which explain every key. Made by the
 * main thread, then read by all and changed by none: a reload makes others.
 * Strings are never NULL.
 * Times are in milliseconds where the name ends in _ms, and -1 means off.
 */

#ifndef ADIT_CLIENT_SETTINGS_H
#define ADIT_CLIENT_SETTINGS_H

#include <stdio.h>

#include "common/conf/conf.h"
#include "common/conf/join.h"
#include "common/conf/rows.h"

enum client_proxy_type {
	CLIENT_PROXY_NONE, /* not given, which settings_check refuses */
	CLIENT_PROXY_TCP,
	CLIENT_PROXY_HTTP,
	CLIENT_PROXY_HTTPS,
};

/* The longest name of a proxy, in bytes. */
#define CLIENT_PROXY_NAME_MAX 4096

struct client_proxy {
	const char *name;
	int type; /* enum client_proxy_type */
	bool enabled;
	const char *local_ip;
	uint16_t local_port;
	uint16_t remote_port;               /* tcp; 0: the server chooses */
	struct conf_strings custom_domains; /* http, https */
	const char *subdomain;              /* http, https */
	bool from_words; /* nobody asked for this subdomain: words.h */
	const char *http_user, *http_password;
	const char *host_header_rewrite; /* http */
	struct conf_strings locations;   /* http; empty: all paths */
	const char *route_by_http_user;  /* http */
	const char *group, *group_key;   /* http */
	const char *proxy_protocol;      /* tcp, https; "", "v1", "v2" */
	bool use_encryption, use_compression;
	int data_encryption;   /* enum conf_encryption */
	const char *bandwidth; /* see bandwidth.h; "": no limit */
	int bandwidth_mode;    /* enum settings_bandwidth_mode */
	struct conf_map request_headers, response_headers;
	struct conf_map metadatas;
	struct conf_map annotations;
};

enum settings_bandwidth_mode {
	SETTINGS_AT_CLIENT,
	SETTINGS_AT_SERVER,
};

enum settings_protocol {
	SETTINGS_TCP,
	SETTINGS_WEBSOCKET,
};

struct client_proxies {
	size_t n;
	struct client_proxy *v;
};

/* An included file: the proxies from `first` on are its, up to the next's. */
struct client_source {
	struct conf *conf;
	size_t first;
};

struct settings {
	const char *server_addr;
	uint16_t server_port;
	/* Those of a join string, tried in turn; none: just that one. */
	const struct join_server *servers;
	size_t server_count;
	const char *join_file; /* where it is kept; "": nowhere */
	const char *user;      /* without the dot; "": none */
	const char *client_id;
	bool login_fail_exit;
	struct conf_map metadatas;
	struct conf_strings start;    /* names of proxies; empty: all */
	struct conf_strings includes; /* patterns of files */
	struct client_proxies proxies;
	struct client_source *sources; /* include.h */
	size_t source_count;
	const char *dns_server; /* "": the system's */

	const char *auth_token; /* from the key or the file */
	int auth_token_source;  /* enum conf_token_source */
	const char *auth_token_file;
	int auth_scopes; /* enum conf_auth_scope, or-ed */
	bool auth_heartbeats, auth_new_work_conns; /* the same, apart */

	int64_t pool_count;
	int64_t heartbeat_interval_ms;
	int64_t heartbeat_timeout_ms;
	int64_t dial_server_timeout_ms;
	int64_t dial_server_keepalive_s;
	const char *connect_server_local_ip; /* "": any */
	const char *proxy_url;               /* "": none */
	int relay;                           /* enum conf_relay */
	int data_encryption;                 /* enum conf_encryption */
	int64_t pipe_count, pipe_size;
	bool extensions, reuse;
	int protocol; /* enum settings_protocol */
	bool tcp_mux;
	int64_t mux_keepalive_s;
	bool tls_enable, tls_plain_first_byte;
	struct conf_strings tls_pins; /* PINS_MAX at most */
	const char *tls_server_name;  /* "": serverAddr */
	const char *tls_cert_file, *tls_key_file, *tls_ca_file; /* "": none */
	bool heartbeats_given; /* transport.heartbeatInterval was said */

	const char *log_to; /* "console" or a file */
	int log_level;      /* enum log_level */
	int log_format;     /* enum log_format */
	bool log_disable_color;

	int64_t workers; /* 0: auto */
	int backend;     /* enum backend_choice */
	bool sandbox;
	int64_t max_visitors; /* relays at once */
	int64_t buffer_count;
	int64_t drain_timeout_ms;

	struct conf *conf; /* owns all of the above and this struct */
};

/*
 * Read, complete and check the settings of `file`. 0; or -EINVAL (-errno if
 * the file cannot be read) with the reasons in `errors`; or -ENOMEM.
 */
int settings_load(struct settings **s_r, const char *file,
	struct conf_errors *errors) must_check;

/* The table of one proxy. */
extern const struct conf_table client_proxy_table;

/* The settings of an empty file, to be filled by hand; 0 or -ENOMEM. */
int settings_new_default(struct settings **s_r) must_check;

/* A proxy with the defaults of its keys, for settings_add_proxy. */
struct client_proxy settings_proxy_default(void);

/*
 * Add a copy of the proxy, strings, lists and maps included; a NULL string
 * is read as "". 0 or -ENOMEM. It invalidates pointers into s->proxies.v.
 */
int settings_add_proxy(
	struct settings *s, const struct client_proxy *p) must_check;

/* A copy of the string owned by the settings, to set a field by hand. */
const char *settings_copy(struct settings *s, const char *text) must_check;

/*
 * The rules between keys, and what follows from other keys. Called by
 * settings_load; to be called after fields were set by hand. 0, or -EINVAL
 * with the reasons in `errors`, or -ENOMEM.
 */
int settings_check(struct settings *s, struct conf_errors *errors) must_check;

/* Whether the proxy is to be opened: enabled, and in `start` if that is set.
 */
bool settings_proxy_wanted(
	const struct settings *s, const struct client_proxy *p);

/*
 * Whether the proxy's work connections to an aditd may do without TLS: the
 * operator trusts the link, or what they carry is TLS of the visitors.
 */
bool settings_proxy_may_be_plain(
	const struct settings *s, const struct client_proxy *p);

/* Write the effective settings as YAML, secrets masked. */
void settings_dump(const struct settings *s, FILE *out);

/* Write config/adit.yaml; 0 or -ENOMEM. */
int settings_sample(FILE *out) must_check;

/* Write config/man/adit.yaml.5. */
void settings_manual(FILE *out);

/* The keys that a reload changes, as the end of a help text. */
void settings_help(FILE *out);

/*
 * Settings that a reload has read, for a program that was started with `start`:
 * of what needs a restart they say what those say, which are to be held as
 * long; then as settings_check.
 */
int settings_keep(struct settings *s, const struct settings *start,
	struct conf_errors *errors) must_check;

/* Any thread: one holder more; the same settings, which nobody changes. */
struct settings *settings_hold(const struct settings *s) must_check;

/*
 * Any thread: one holder less; the last one frees and wipes all. NULL is
 * accepted.
 */
void settings_free(struct settings **s);

#endif
