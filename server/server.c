/* SPDX-License-Identifier: Apache-2.0 */

/* Sizes, ports, start and end of all workers. */

#include "server/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/socket.h"
#include "server/http/access_log.h"
#include "server/own_files.h"
#include "server/registry/registry.h"
#include "server/upgrade/console.h"
#include "server/upgrade/spare.h"
#include "server/sizing.h"
#include "server/state_dir.h"
#include "server/worker.h"

/* How long start-up waits for the ports of a process that was killed. */
#define PORT_WAIT (2 * CLOCK_SECOND)

/*
 * Listen, before anything is served. The kernel ends the rings of a killed
 * process some time after the process, and the rings hold its ports: a port
 * that no living process holds is waited for.
 */
static int listen_patiently(const struct address *a, int *fds, int n)
{
	static const struct timespec pause = { .tv_nsec = 20 * CLOCK_MS };
	int64_t end = clock_now() + PORT_WAIT;
	char owner[128];
	int rc;

	for (;;) {
		rc = socket_listen_shared(a, fds, n);
		if (rc != -EADDRINUSE || clock_now() > end ||
			socket_find_owner(a, owner, sizeof(owner)))
			return rc;
		nanosleep(&pause, NULL);
	}
}

/*
 * What the limits can cost at most, so that nobody is surprised later. Any
 * share of the objects may be on one worker, but not more than all.
 */
static void log_cost(const struct server *s)
{
	const struct settings *set = s->settings;
	size_t records = worker_records(s->workers[0]);
	size_t buffers = s->worker_count *
			 chunk_pool_usual((uint32_t)set->buffer_count) *
			 WORKER_CHUNK_SIZE;
	size_t blocked = 2 * (size_t)s->visitors.limit * WORKER_CHUNK_SIZE;
	size_t fds = 2 * (size_t)s->visitors.limit + s->works.limit +
		     (size_t)set->max_controls +
		     2 * (size_t)set->pipe_count * s->worker_count;

	log_info("limits: at most %u visitors: %zu MiB of records, %zu MiB of "
		 "buffers, %zu MiB more if all of them block both ways, %zu "
		 "descriptors",
		s->visitors.limit, records >> 20, buffers >> 20, blocked >> 20,
		fds);
}

/* The port of a key, for each worker its own descriptor. */
static int open_port(struct server *s, const char *key, const char *ip,
	uint16_t port, int *fds, uint32_t n)
{
	char owner[128], text[ADDRESS_TEXT_SIZE];
	struct address a;
	int rc = address_parse(&a, ip, port);

	if (rc == 0 && inherited_take(&s->inherited, &a, fds, (int)n)) {
		spare_send(s, &a);
		return fds[0] < 0 ? -EMFILE : 0;
	}
	if (rc == 0)
		rc = listen_patiently(&a, fds, (int)n);
	address_join(text, sizeof(text), ip, port);
	if (rc == -EADDRINUSE) {
		socket_find_owner(&a, owner, sizeof(owner));
		log_error("%s: %s is taken by %s: stop it, or choose another "
			  "port",
			key, text, owner);
	} else if (rc == -EACCES) {
		log_error("%s: %s may not be bound: ports below 1024 need "
			  "CAP_NET_BIND_SERVICE",
			key, text);
	} else if (rc < 0) {
		log_error("%s: cannot listen on %s: %s", key, text,
			strerror(-rc));
	}
	return rc;
}

/* A port of visitors, if it is one of its own; else -1 for each worker. */
static int open_public_port(struct server *s, const char *key, const char *kind,
	uint16_t port, bool shared, int *fds)
{
	const struct settings *set = s->settings;
	int rc;

	for (uint32_t i = 0; i < s->worker_count; i++)
		fds[i] = -1;
	if (shared)
		log_info("%s service multiplexed on %s:%u", kind,
			set->bind_addr, set->bind_port);
	if (port == 0 || shared)
		return 0;
	rc = open_port(
		s, key, set->proxy_bind_addr, port, fds, s->worker_count);
	if (rc == 0)
		log_info("%s service listen on %s:%u", kind,
			set->proxy_bind_addr, port);
	return rc;
}

static int open_ports(struct server *s)
{
	const struct settings *set = s->settings;
	int fds[SETTINGS_WORKERS_MAX], rc;

	rc = open_port(s, "bindPort", set->bind_addr, set->bind_port, fds,
		s->worker_count);
	if (rc < 0)
		return rc;
	log_info("frps tcp listen on %s:%u", set->bind_addr, set->bind_port);
	for (uint32_t i = 0; i < s->worker_count; i++)
		s->workers[i]->control_fd = fds[i];
	rc = open_public_port(s, "vhostHTTPPort", "http", set->vhost_http_port,
		set->http_shares_port, fds);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < s->worker_count; i++)
		s->workers[i]->http_fd = fds[i];
	rc = open_public_port(s, "vhostHTTPSPort", "https",
		set->vhost_https_port, set->https_shares_port, fds);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < s->worker_count; i++)
		s->workers[i]->https_fd = fds[i];
	return 0;
}

/* Where who watches over us may ask. */
static int open_health(struct server *s)
{
	const struct settings *set = s->settings;
	int rc = host_serve_health(&s->host), fd;

	if (rc == 0)
		health_allow_reload(s->host.health);
	if (rc < 0 || set->web_port == 0)
		return rc;
	rc = open_port(
		s, "webServer.port", set->web_addr, set->web_port, &fd, 1);
	if (rc == 0)
		rc = health_listen(s->host.health, fd);
	if (rc < 0)
		return rc;
	s->web_fd = fd;
	log_info("/healthz and /readyz on %s:%u", set->web_addr, set->web_port);
	return 0;
}

/* The sockets of the state directory, once it is ours for good. */
static void open_local(struct server *s, const char *dir)
{
	char path[PATH_MAX + 16];
	int rc;

	snprintf(path, sizeof(path), "%s/" STATE_DIR_SOCKET, dir);
	rc = health_listen_local(s->host.health, path);
	if (rc < 0)
		log_warn("%s cannot be made: %s; aditd health works with "
			 "webServer.port only",
			path, strerror(-rc));
	upgrade_open(s, dir);
}

static int make_workers(struct server *s)
{
	uint32_t n = (uint32_t)s->settings->workers;
	int rc;

	s->visitors.limit = sizing_visitors(s->settings, n);
	if (s->visitors.limit == 0)
		return -EMFILE;
	s->works.limit = (uint32_t)s->settings->max_work_conns;
	s->workers = calloc(n, sizeof(struct worker *));
	if (!s->workers)
		return -ENOMEM;
	rc = access_log_create(&s->access_log, s->settings, n);
	if (rc < 0) {
		log_error("accessLog.to %s: %s", s->settings->access_log_to,
			strerror(-rc));
		return rc;
	}
	s->backend =
		core_choose_backend((enum backend_choice)s->settings->backend);
	for (; s->worker_count < n; s->worker_count++) {
		rc = worker_create(
			&s->workers[s->worker_count], s, s->worker_count);
		if (rc < 0)
			return rc;
	}
	return registry_create(&s->registry, s->workers[0]);
}

/* The main thread's part, once there are workers. */
static int make_host(struct server *s)
{
	int rc;

	s->cores = calloc(s->worker_count, sizeof(struct core *));
	if (!s->cores)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->worker_count; i++)
		s->cores[i] = &s->workers[i]->core;
	rc = host_open(&s->host, s->cores, (int)s->worker_count);
	if (rc == 0 && s->access_log)
		rc = host_watch(&s->host, access_log_fd(s->access_log));
	if (rc < 0)
		log_error("what the main thread waits for: %s", strerror(-rc));
	s->chores.fd = s->host.fd;
	return rc;
}

/* Of two times, where -1 is never. */
static int sooner(int a, int b)
{
	return (unsigned)a < (unsigned)b ? a : b;
}

static int run_chores(struct core_chores *c, bool last)
{
	struct server *s = container_of(c, struct server, chores);
	int log = s->access_log ? access_log_run(s->access_log, last) : -1;
	int wait = sooner(log, seen_file_look(&s->seen, last));

	wait = sooner(wait, host_look(&s->host, true, c));
	wait = sooner(wait, reload_look(&s->reload, s));
	wait = sooner(wait, upgrade_look(s));
	successor_look(s);
	wait = sooner(wait,
		guesses_look(&s->guesses, s->users.users, clock_now(), last));
	if (last)
		return wait;
	wait = sooner(wait, page_look(&s->page_404, s));
	wait = sooner(wait, keyring_look(&s->keys, s));
	return sooner(wait, users_look(&s->users, s));
}

static void reopen_files(struct core_chores *c)
{
	struct server *s = container_of(c, struct server, chores);

	if (s->access_log)
		access_log_reopen(s->access_log);
}

static void reload_config(struct core_chores *c)
{
	container_of(c, struct server, chores)->reload.asked = true;
}

/* What is wrong with the users goes to the log. */
static int open_users(struct server *s)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	int rc = errors ? users_open(&s->users, s->settings, NULL, errors)
			: -ENOMEM;

	for (size_t i = 0; errors && i < errors->n; i++)
		log_error("%s", errors->v[i].text);
	free(errors);
	if (rc == 0)
		users_tell(&s->users);
	return rc;
}

static int open_page(struct server *s)
{
	const char *path = s->settings->custom_404_page;
	int rc = page_open(&s->page_404, path);

	if (rc < 0)
		log_error("custom404Page %s: %s", path, strerror(-rc));
	return rc;
}

/* The state directory, locked; or the aditd that has it, which is asked. */
static int open_state(struct server *s, char dir[static PATH_MAX], bool follows)
{
	const char *given = s->settings->state_dir;
	int rc;

	if (!follows)
		return state_dir_lock(given, dir, &s->state_lock);
	rc = state_dir_make(given, dir, PATH_MAX);
	return rc < 0 ? rc : successor_begin(&s->successor, dir);
}

/* What a service manager listens on for us. */
static int take_given(struct server *s)
{
	int n = inherited_from_environment(&s->inherited);

	if (n < 0)
		log_error("LISTEN_FDS: what was given is no listening TCP "
			  "socket, or cannot be had: %s",
			strerror(-n));
	if (n > 0)
		log_info("%d sockets are the service manager's", n);
	return n < 0 ? n : 0;
}

/* All that may fail is there; from here on nobody else accepts. */
static int follow(struct server *s)
{
	int rc = successor_receive(s);

	if (rc == 0) {
		arrival_init(s);
		registry_expect(s->registry, &s->arrival.awaited);
	}
	return rc;
}

/* We can begin: whoever asks for the server is told that it is this process. */
static int take_over(struct server *s)
{
	char line[32];
	int rc = successor_commit(s);

	if (rc < 0)
		return rc;
	console_move(s);
	state_dir_sign(s->state_lock);
	snprintf(line, sizeof(line), "MAINPID=%d", getpid());
	notify_send(&s->host.notify, line);
	notify_watch(&s->host.notify, s->successor.watchdog);
	return 0;
}

int server_create(struct server **s_r, const struct settings *settings,
	const char *file, bool takes_over)
{
	struct server *s = calloc(1, sizeof(*s));
	char dir[PATH_MAX];
	struct proof_key key;
	int rc;

	if (!s)
		return -ENOMEM;
	s->first = settings;
	s->settings = settings_hold(settings);
	s->reload.file = file;
	s->state_lock = s->web_fd = s->successor.socket = -1;
	upgrade_init(&s->upgrade);
	s->chores = (struct core_chores){ .fd = -1,
		.run = run_chores,
		.reopen = reopen_files,
		.reload = file ? reload_config : NULL };
	cipher_key_derive(&s->token_key, settings->auth_token);
	proof_key_derive(
		&key, settings->auth_token, strlen(settings->auth_token));
	memcpy(s->token_public, key.public, sizeof(s->token_public));
	proof_key_wipe(&key);
	half_open_init(&s->half_open);
	failures_init(&s->failures, FAILURES_BURST, FAILURES_PAUSE);
	failures_init(
		&s->user_failures, FAILURES_USER_BURST, FAILURES_USER_PAUSE);
	guesses_init(&s->guesses, clock_now());
	rc = open_page(s);
	if (rc == 0)
		rc = open_state(s, dir, takes_over);
	if (rc == 0)
		rc = keyring_open(&s->keys, settings,
			takes_over || s->state_lock >= 0 ? dir : NULL);
	if (rc == 0)
		rc = open_users(s);
	if (rc == 0) {
		rc = make_workers(s);
		if (rc == -ENOMEM)
			log_error("no memory for the workers' pools");
	}
	if (rc == 0)
		rc = make_host(s);
	if (rc == 0)
		rc = takes_over ? follow(s) : take_given(s);
	if (rc == 0)
		rc = open_ports(s);
	if (rc == 0)
		rc = open_health(s);
	/* There may be users after a reload. */
	if (rc == 0 && s->state_lock >= 0)
		rc = seen_file_open(&s->seen, dir, s->registry);
	if (rc == 0 && takes_over)
		rc = take_over(s);
	if (rc < 0) {
		server_destroy(&s);
		return rc;
	}
	if (s->state_lock >= 0)
		open_local(s, dir);
	if (!*settings->auth_token && !s->users.users)
		log_warn("auth.token is not set: anyone who reaches bindPort "
			 "may publish services");
	log_info("%u workers", s->worker_count);
	log_cost(s);
	log_info("frps started successfully");
	*s_r = s;
	return 0;
}

int server_run(struct server *s)
{
	/* The threads that are started now have no more than this one. */
	sandbox_open(&s->sandbox, SYSCALLS_ADITD, s->settings->sandbox);
	own_files_allow(&s->sandbox, s->settings, s->keys.dir);
	sandbox_enter(&s->sandbox, PRIVILEGES_PORTS);
	own_files_check(s->settings, s->keys.dir);
	s->host.sandbox = &s->sandbox;
	return core_supervise(s->cores, (int)s->worker_count, &s->chores);
}

void server_destroy(struct server **sp)
{
	struct server *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	successor_end(s);
	/* Letters on their way end here; they may name any worker's pools. */
	for (uint32_t i = 0; i < s->worker_count; i++)
		core_destroy(&s->workers[i]->core);
	registry_destroy(&s->registry);
	for (uint32_t i = 0; i < s->worker_count; i++)
		worker_destroy(&s->workers[i]);
	host_close(&s->host);
	free(s->cores);
	free(s->workers);
	access_log_destroy(&s->access_log);
	page_close(&s->page_404);
	keyring_close(&s->keys);
	users_close(&s->users);
	seen_file_close(&s->seen);
	upgrade_close(&s->upgrade);
	inherited_clear(&s->inherited);
	awaited_clear(&s->arrival.awaited);
	reload_close(&s->reload);
	settings_free(&s->settings);
	if (s->state_lock >= 0)
		close(s->state_lock);
	explicit_bzero(&s->token_key, sizeof(s->token_key));
	free(s);
}
