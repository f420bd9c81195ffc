/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The server's settings: what aditd's configuration file says, by the table
 * in settings.c, which explains every key. Made by the main thread, then
 * read by all and changed by none: a reload makes others. Strings are never
 * NULL. Times are in milliseconds where the name ends in _ms, and -1 means off.
 */

#ifndef ADIT_SERVER_SETTINGS_H
#define ADIT_SERVER_SETTINGS_H

#include <stdio.h>

#include "common/base/network.h"
#include "common/conf/conf.h"
#include "common/conf/join.h"
#include "common/conf/rows.h"
#include "server/users/settings_users.h"

/* `workers` at most. */
#define SETTINGS_WORKERS_MAX 1024

/* Whose requests may go over one and the same work connection, at most. */
enum settings_reuse {
	SETTINGS_REUSE_SHARED,  /* all visitors' */
	SETTINGS_REUSE_ADDRESS, /* those of one visitor address */
	SETTINGS_REUSE_VISITOR, /* those of one visitor connection */
	SETTINGS_REUSE_NEVER,
};

struct settings {
	const char *bind_addr;
	uint16_t bind_port;
	const char *public_addr; /* "": those of the interfaces */
	struct join_server publics[JOIN_SERVERS]; /* what it says */
	size_t public_count;
	const char *proxy_bind_addr; /* bind_addr when not given */
	uint16_t vhost_http_port;    /* 0: off */
	uint16_t vhost_https_port;   /* 0: off */
	const char *web_addr;
	uint16_t web_port; /* 0: off */
	int64_t vhost_http_timeout_ms;
	int64_t vhost_http_error_status; /* 0: the precise one; or 404 */
	const char *subdomain_host;      /* "": off */
	const char *custom_404_page;     /* a file; "": the built-in page */
	struct conf_ranges allow_ports;  /* empty: all */
	int64_t max_ports_per_client;    /* 0: no limit */
	int64_t user_conn_timeout_ms;
	bool detailed_errors;

	const char *auth_token; /* from the key or the file; "": open */
	int auth_token_source;  /* enum conf_token_source */
	const char *auth_token_file;
	int auth_scopes; /* enum conf_auth_scope, or-ed */
	bool auth_heartbeats, auth_new_work_conns; /* the same, apart */

	struct settings_users users;
	const char *users_file; /* "": `users` in stateDir, if it is there */
	int64_t login_window_s; /* or enum settings_skew */

	int64_t max_pool_count;
	int64_t work_pool_min, work_pool_max;
	int64_t heartbeat_timeout_ms;
	int64_t tcp_keepalive_s;
	bool tcp_mux;
	int64_t mux_keepalive_s;
	bool tls_force;
	const char *tls_cert_file, *tls_key_file, *tls_ca_file; /* "": none */
	int relay;           /* enum conf_relay */
	int data_encryption; /* enum conf_encryption */
	int64_t pipe_count, pipe_size;

	const char *log_to; /* "console" or a file */
	int log_level;      /* enum log_level */
	int log_format;     /* enum log_format */
	bool log_disable_color;

	const char *access_log_to; /* "": off; "console" or a file */
	int access_log_format;     /* enum access_format */

	int64_t workers; /* 0: auto */
	int backend;     /* enum backend_choice */
	bool sandbox;
	const char *run_as; /* "": nobody else */
	const char *state_dir;
	int64_t max_visitors;
	int64_t max_controls;
	int64_t max_work_conns;
	int64_t max_proxies;
	int64_t buffer_count;
	int64_t drain_timeout_ms;
	int64_t first_message_timeout_ms;
	struct conf_strings trusted_proxies;
	struct network *trusted;        /* the same, `n` of them */
	int http_reuse;                 /* enum settings_reuse */
	int64_t http_idle_works;        /* of a proxy, on each worker */
	int64_t head_size, head_fields; /* http: of a request */
	int64_t response_head_size, response_head_fields;
	int64_t http_requests; /* of one visitor connection; 0: no limit */
	bool http_via;
	bool http_shares_port;  /* vhostHTTPPort is bindPort */
	bool https_shares_port; /* vhostHTTPSPort is bindPort */
	int64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms;
	int64_t stall_timeout_ms;

	struct conf *conf; /* owns all of the above and this struct */
};

/*
 * Read, complete and check the settings of `file`. 0; or -EINVAL (-errno if
 * the file cannot be read) with the reasons in `errors`; or -ENOMEM.
 */
int settings_load(struct settings **s_r, const char *file,
	struct conf_errors *errors) must_check;

/* The settings of an empty file; 0 or -ENOMEM. */
int settings_new_default(struct settings **s_r) must_check;

/*
 * The rules between keys, and what follows from other keys. Called by
 * settings_load; to be called again after fields were set by hand. 0, or
 * -EINVAL with the reasons in `errors`, or -ENOMEM.
 */
int settings_check(struct settings *s, struct conf_errors *errors) must_check;

/* Write the effective settings as YAML, secrets masked. */
void settings_dump(const struct settings *s, FILE *out);

/* Write config/aditd.yaml; 0 or -ENOMEM. */
int settings_sample(FILE *out) must_check;

/* Write config/man/aditd.yaml.5. */
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
