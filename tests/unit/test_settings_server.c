/* SPDX-License-Identifier: Apache-2.0 */

/* The server's table: defaults, what frp's files say, rules between keys. */
// links: server/settings.c server/settings_check.c server/users/settings_users.c common/conf/join.c common/crypto/login_proof.c common/crypto/base64.c common/http/host.c common/http/text.c common/base/address.c common/base/network.c common/conf/rows.c common/conf/secret.c common/conf/change.c common/conf/dump.c common/conf/manual.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c
// libs: -lyaml boringssl

#include "common/base/backend_choice.h"
#include "server/settings.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/double/kept.h"

static char file[] = "/tmp/adit-settings-XXXXXX";
static struct conf_errors errors;
static struct settings *s;

static int load(const char *text)
{
	int fd = mkstemp(file);
	int result;

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	settings_free(&s);
	errors.n = errors.lost = 0;
	result = settings_load(&s, file, &errors);
	unlink(file);
	strcpy(file + strlen(file) - 6, "XXXXXX");
	return result;
}

static const char *first_error(void)
{
	return errors.n > 0 ? strstr(errors.v[0].text, ": ") + 2 : "-";
}

static void done(void)
{
	settings_free(&s);
}

TestSuite(settings_server, .fini = done);

Test(settings_server, has_defaults)
{
	cr_assert_eq(settings_new_default(&s), 0);
	cr_assert_str_eq(s->bind_addr, "0.0.0.0");
	cr_assert_eq(s->bind_port, 7000);
	cr_assert_str_eq(s->proxy_bind_addr, "0.0.0.0");
	cr_assert_eq(s->vhost_http_port, 0);
	cr_assert_eq(s->vhost_https_port, 0);
	cr_assert_not(s->https_shares_port);
	cr_assert_eq(s->vhost_http_timeout_ms, 60000);
	cr_assert_eq(s->vhost_http_error_status, 0);
	cr_assert_str_eq(s->access_log_to, "");
	cr_assert_str_eq(s->subdomain_host, "");
	cr_assert_str_eq(s->custom_404_page, "");
	cr_assert_eq(s->allow_ports.n, 0);
	cr_assert_eq(s->max_ports_per_client, 0);
	cr_assert_eq(s->user_conn_timeout_ms, 10000);
	cr_assert(s->detailed_errors);
	cr_assert_str_eq(s->auth_token, "");
	cr_assert_not(s->auth_heartbeats);
	cr_assert_not(s->auth_new_work_conns);
	cr_assert_eq(s->max_pool_count, 5);
	cr_assert_eq(s->heartbeat_timeout_ms, 90000);
	cr_assert_eq(s->tcp_keepalive_s, 7200);
	cr_assert_eq(s->relay, CONF_RELAY_AUTO);
	cr_assert_str_eq(s->log_to, "console");
	cr_assert_eq(s->log_level, LOG_INFO);
	cr_assert_eq(s->log_format, LOG_TEXT);
	cr_assert_not(s->log_disable_color);
	cr_assert_eq(s->workers, 0);
	cr_assert_eq(s->backend, BACKEND_AUTO);
	cr_assert_str_eq(s->state_dir, "");
	cr_assert_eq(s->max_visitors, 20000);
	cr_assert_eq(s->max_controls, 1024);
	cr_assert_eq(s->max_work_conns, 20000);
	cr_assert_eq(s->max_proxies, 10000);
	cr_assert_eq(s->buffer_count, 256);
	cr_assert_eq(s->drain_timeout_ms, 30000);
	cr_assert_eq(s->first_message_timeout_ms, 10000);
	cr_assert_eq(s->head_timeout_ms, 30000);
}

Test(settings_server, reads_a_file_of_frp)
{
	cr_assert_eq(load("bindAddr: \"::\"\n"
			  "bindPort: 7100\n"
			  "kcpBindPort: 0\n"
			  "vhostHTTPPort: 8080\n"
			  "subDomainHost: t.test\n"
			  "allowPorts:\n"
			  "  - start: 2000\n"
			  "    end: 3000\n"
			  "  - single: 3001\n"
			  "maxPortsPerClient: 3\n"
			  "userConnTimeout: 0\n"
			  "detailedErrorsToClient: false\n"
			  "udpPacketSize: 1500\n"
			  "auth:\n"
			  "  method: token\n"
			  "  token: secret\n"
			  "  additionalScopes: [HeartBeats, NewWorkConns]\n"
			  "transport:\n"
			  "  tcpMux: false\n"
			  "  tcpKeepalive: -1\n"
			  "  heartbeatTimeout: -1\n"
			  "  tls:\n"
			  "    force: false\n"
			  "webServer:\n"
			  "  port: 0\n"
			  "log:\n"
			  "  to: console\n"
			  "  level: debug\n"
			  "  maxDays: 3\n"
			  "workers: 2\n"),
		0, "%s", errors.v[0].text);
	cr_assert_str_eq(s->bind_addr, "::");
	cr_assert_str_eq(s->proxy_bind_addr, "::");
	cr_assert_eq(s->bind_port, 7100);
	cr_assert_eq(s->vhost_http_port, 8080);
	cr_assert_eq(s->allow_ports.n, 2);
	cr_assert_eq(s->allow_ports.v[1].end, 3001);
	cr_assert_eq(s->max_ports_per_client, 3);
	cr_assert_eq(s->user_conn_timeout_ms, 10000);
	cr_assert_not(s->detailed_errors);
	cr_assert_str_eq(s->auth_token, "secret");
	cr_assert(s->auth_heartbeats);
	cr_assert(s->auth_new_work_conns);
	cr_assert_eq(s->tcp_keepalive_s, -1);
	cr_assert_eq(s->heartbeat_timeout_ms, -1);
	cr_assert_eq(s->log_level, LOG_DEBUG);
	cr_assert_eq(s->workers, 2);
}

/* Which public ports are bindPort: all of them may be. */
Test(settings_server, shared_ports)
{
	static const struct {
		const char *text;
		bool http, https;
	} rows[] = {
		{ "vhostHTTPPort: 80\nvhostHTTPSPort: 443", false, false },
		{ "vhostHTTPPort: 7000", true, false },
		{ "vhostHTTPSPort: 7000", false, true },
		{ "vhostHTTPPort: 7000\nvhostHTTPSPort: 7000", true, true },
		{ "vhostHTTPSPort: 7000\nproxyBindAddr: 127.0.0.1", false,
			false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(load(rows[i].text), 0, "%s", errors.v[0].text);
		cr_assert_eq(s->http_shares_port, rows[i].http, "%zu", i);
		cr_assert_eq(s->https_shares_port, rows[i].https, "%zu", i);
		settings_free(&s);
	}
}

Test(settings_server, refuses_what_is_not_built_or_wrong)
{
	static const char *const wrong[][2] = {
		{ "transport: {tls: {certFile: x.crt}}",
			"transport.tls.certFile: set without "
			"transport.tls.keyFile; they go together" },
		{ "transport: {tls: {keyFile: x.key}}",
			"transport.tls.keyFile: set without "
			"transport.tls.certFile; they go together" },
		{ "auth: {method: oidc}",
			"auth.method: \"oidc\"; not supported yet (allowed: "
			"token, \"\")" },
		{ "auth: {oidc: {issuer: x}}",
			"auth.oidc: keys and values; not supported yet "
			"(allowed: leave it out)" },
		{ "auth: {tokenSource: {type: exec}}",
			"auth.tokenSource.type: \"exec\"; not supported yet "
			"(allowed: file)" },
		{ "auth: {tokenSource: {type: file}}",
			"auth.tokenSource.file.path: no path; the path of a "
			"file is allowed" },
		{ "auth: {tokenSource: {file: {path: x}}}",
			"auth.tokenSource: no type; \"file\" is allowed" },
		{ "webServer: {port: 7000}",
			"webServer.port: \"7000\", which is bindPort; another "
			"port is allowed" },
		{ "webServer: {addr: localhost}",
			"webServer.addr: \"localhost\"; an IPv4 or IPv6 "
			"address is allowed" },
		{ "webServer: {port: 7500, user: admin}",
			"webServer.user: a key of frp; not supported yet "
			"(allowed: leave it out)" },
		{ "kcpBindPort: 7000", "kcpBindPort: \"7000\"; not supported "
				       "yet (allowed: 0)" },
		{ "httpPlugins: [{name: x}]",
			"httpPlugins: a list; not supported yet (allowed: "
			"leave it out)" },
		{ "transport: {relay: fast}",
			"transport.relay: \"fast\"; one of "
			"auto, copy, splice is allowed" },
		{ "backend: kqueue", "backend: \"kqueue\"; one of auto, "
				     "io_uring, epoll is allowed" },
		{ "workers: 1025", "workers: \"1025\"; a number from 1 to "
				   "1024 or auto is allowed" },
		{ "limits: {visitors: 0}",
			"limits.visitors: \"0\"; a number from 1 to 1000000 "
			"is allowed" },
		{ "bindAddr: localhost",
			"bindAddr: \"localhost\"; an IPv4 or IPv6 address is "
			"allowed" },
		{ "proxyBindAddr: x", "proxyBindAddr: \"x\"; an IPv4 or IPv6 "
				      "address is allowed" },
		{ "trustedProxies: [\"10.0.0.0/8\", \"10.0.0.1/8\"]",
			"trustedProxies[1]: \"10.0.0.1/8\"; an address or a "
			"network such as 10.0.0.0/8 is allowed" },
		{ "vhostHTTPErrorStatus: 403",
			"vhostHTTPErrorStatus: \"403\"; 0 or 404 is "
			"allowed" },
		{ "accessLog: {format: xml}",
			"accessLog.format: \"xml\"; one of combined, json is "
			"allowed" },
		{ "vhostHTTPPort: 80\nvhostHTTPSPort: 80",
			"vhostHTTPSPort: \"80\", which is vhostHTTPPort; "
			"another port is allowed" },
		{ "bindprot: 1", "bindprot: unknown key; the nearest known "
				 "key is bindPort" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(load(wrong[i][0]), -EINVAL, "%s", wrong[i][0]);
		cr_expect_null(s);
		cr_expect_eq(errors.n, 1, "%s", wrong[i][0]);
		cr_expect_str_eq(first_error(), wrong[i][1], "%s", wrong[i][0]);
	}
}

/* frp's own sample names what it does not use. */
Test(settings_server, what_is_not_built_may_be_off)
{
	cr_assert_eq(load("auth:\n"
			  "  method: ''\n"
			  "  oidc: {issuer: '', audience: '', "
			  "skipExpiryCheck: false}\n"
			  "webServer: {user: '', tls: {certFile: ''}}\n"
			  "httpPlugins: []\n"),
		0, "%s", errors.v[0].text);
}

Test(settings_server, a_check_reports_beside_other_errors)
{
	cr_assert_eq(load("bindAddr: here\nbindPort: x\n"), -EINVAL);
	cr_assert_eq(errors.n, 2);
	cr_assert(strstr(errors.v[0].text, ":1:11: bindAddr: \"here\""));
	cr_assert(strstr(errors.v[1].text, ":2:11: bindPort: \"x\""));
}

Test(settings_server, reads_the_token_from_a_file)
{
	char secret[] = "/tmp/adit-token-XXXXXX";
	char text[200];
	int fd = mkstemp(secret);

	cr_assert_eq(write(fd, "hidden\n", 7), 7);
	close(fd);
	snprintf(text, sizeof(text),
		"auth: {tokenSource: {type: file, file: {path: %s}}}", secret);
	cr_expect_eq(load(text), 0);
	cr_expect_str_eq(s->auth_token, "hidden");
	cr_expect_eq(settings_check(s, &errors), 0);
	snprintf(text, sizeof(text),
		"auth: {token: a, tokenSource: {type: file, file: {path: "
		"%s}}}",
		secret);
	cr_expect_eq(load(text), -EINVAL);
	cr_expect(strstr(first_error(), "beside auth.token"));
	unlink(secret);
	cr_expect_eq(load(text), -EINVAL);
}

Test(settings_server, a_file_that_is_not_there_is_named)
{
	cr_assert_eq(settings_load(&s, "/nowhere/x.yaml", &errors), -ENOENT);
	cr_assert(strstr(errors.v[0].text, "/nowhere/x.yaml:1:1: file: No"));
	settings_free(&s);
}

static char *text_of(bool sample)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (sample)
		cr_assert_eq(settings_sample(out), 0);
	else
		settings_dump(s, out);
	fclose(out);
	return text;
}

Test(settings_server, a_dump_is_a_file_without_secrets)
{
	char *first;
	char *second;

	cr_assert_eq(load("auth: {token: hidden}\nworkers: 3\n"
			  "allowPorts: [{single: 1}]\n"),
		0);
	first = text_of(false);
	cr_assert_null(strstr(first, "hidden"));
	cr_assert(strstr(first, "  token: \"***\"\n"));
	cr_assert(strstr(first, "workers: 3\n"));
	cr_assert_eq(load(first), 0, "%s", errors.v[0].text);
	second = text_of(false);
	cr_assert_str_eq(first, second);
	free(first);
	free(second);
}

/* The sample says the defaults, and the one in config/ is up to date. */
Test(settings_server, the_sample_is_current)
{
	char *sample = text_of(true);
	char *defaults;
	char *loaded;

	cr_assert_eq(settings_new_default(&s), 0);
	defaults = text_of(false);
	cr_assert_eq(load(sample), 0, "%s", errors.v[0].text);
	loaded = text_of(false);
	cr_assert_str_eq(defaults, loaded);
	assert_kept("config/aditd.yaml", sample);
	free(sample);
	free(defaults);
	free(loaded);
}

Test(settings_server, the_manual_page_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	settings_manual(out);
	fclose(out);
	assert_kept("config/man/aditd.yaml.5", text);
	free(text);
}

static void expect_error(const char *text, const char *error)
{
	cr_assert_eq(load(text), -EINVAL, "%s", text);
	cr_assert(strstr(first_error(), error), "%s", first_error());
}

Test(settings_server, users)
{
	cr_assert_eq(
		load("users:\n"
		     "  - name: alice\n"
		     "    frpToken: secret\n"
		     "    domains: [a.test, '*.A.test']\n"
		     "    ports: [{start: 6000, end: 6009}]\n"
		     "    types: [http]\n"
		     "    limits: {proxies: 3}\n"
		     "    maxClockSkew: any\n"
		     "    expires: 2030-12-31\n"
		     "  - name: bob\n"
		     "    keys:\n"
		     "      - V7H3fB9qk81YtukaamB1zboSsQ2_5LI7aSNsbrb9SrY\n"
		     "    disabled: true\n"),
		0, "%s", first_error());
	cr_assert_eq(s->users.n, 2);
	cr_assert_str_eq(s->users.v[0].name, "alice");
	cr_assert_str_eq(s->users.v[0].frp_token, "secret");
	cr_assert_eq(s->users.v[0].domains.n, 2);
	cr_assert_eq(s->users.v[0].ports.v[0].end, 6009);
	cr_assert_eq(s->users.v[0].types, SETTINGS_TYPE_HTTP);
	cr_assert_eq(s->users.v[0].max_proxies, 3);
	cr_assert_eq(s->users.v[0].max_skew_s, SETTINGS_SKEW_ANY);
	cr_assert_eq(s->users.v[1].max_skew_s, SETTINGS_SKEW_DEFAULT);
	cr_assert_eq(s->users.v[1].types, 0);
	cr_assert(s->users.v[1].disabled);
	cr_assert_eq(s->login_window_s, SETTINGS_SKEW_DEFAULT);
}

/* What join strings are to name: one, or several. */
Test(settings_server, public_addresses)
{
	cr_assert_eq(load("publicAddr: a.test"), 0, "%s", first_error());
	cr_assert_eq(s->public_count, 1);
	cr_assert_str_eq(s->publics[0].host, "a.test");
	cr_assert_eq(s->publics[0].port, 7000);
	settings_free(&s);
	cr_assert_eq(load("publicAddr: ' a.test,b.test:7001 , [::1]:1'"), 0,
		"%s", first_error());
	cr_assert_eq(s->public_count, 3);
	cr_assert_str_eq(s->publics[1].host, "b.test");
	cr_assert_eq(s->publics[1].port, 7001);
	cr_assert_str_eq(s->publics[2].host, "::1");
	settings_free(&s);
	expect_error("publicAddr: a b", "publicAddr: \"a b\"; up to four");
	expect_error("publicAddr: 'a:0'", "publicAddr: \"a:0\"; up to four");
	expect_error("publicAddr: ',a'", "publicAddr: \",a\"; up to four");
	expect_error("publicAddr: 'a,b,c,d,e'", "; up to four");
	expect_error("publicAddr: a_b", "; up to four");
}

/* Below it are the names of clients. */
Test(settings_server, sub_domain_host)
{
	static const char *const good[] = { "''", "tunnel.example.com",
		"tunnel.example.com.", "T.test", "localhost", "xn--b-xga.test",
		"a_b.test" };
	static const char *const bad[] = { "http://tunnel.example.com",
		"tunnel.example.com/", "'*.example.com'",
		"tunnel.example.com:8380", ".example.com", "a..test",
		"b\xc3\xbc"
		"cher.example",
		"'tunnel.example.com '", "'[::1]'", "." };
	char text[100];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "subDomainHost: %s", good[i]);
		cr_expect_eq(load(text), 0, "%s", first_error());
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "subDomainHost: %s", bad[i]);
		cr_expect_eq(load(text), -EINVAL, "%s", text);
		cr_expect(strstr(first_error(),
				  "; a domain such as tunnel.example.com is "
				  "allowed"),
			"%s", first_error());
	}
}

Test(settings_server, users_that_are_refused)
{
	expect_error("users: [{name: Alice, frpToken: x}]",
		"users[0].name: \"Alice\"; small letters");
	expect_error("users: [{frpToken: x}]", "users[0].name: \"\"; small");
	expect_error("users: [{name: a}]", "users[0].name: neither keys nor");
	expect_error("users: [{name: a, keys: [abc]}]",
		"users[0].keys[0]: \"abc\"; a public key of 43");
	expect_error("users: [{name: a, frpToken: x, domains: [b, 'x y']}]",
		"users[0].domains[1]: \"x y\"; a domain such as");
	expect_error("users: [{name: a, frpToken: x, expires: soon}]",
		"users[0].expires: \"soon\"; a date such as");
	expect_error("users: [{name: a, frpToken: x, limits: {bandwidth: 5}}]",
		"users[0].limits.bandwidth: \"5\"; a number with KB");
	expect_error("users: [{name: a, frpToken: x, types: [udp]}]",
		"users[0].types");
	expect_error("users: [{name: a, frpToken: x}, {name: a, frpToken: y}]",
		"users[1].name: \"a\", as another user");
	expect_error("users: [{name: a, frpToken: x}]\nusersFile: f",
		"usersFile: given beside users");
	expect_error("users: [{name: a, frpToken: x, secret: y}]",
		"users[0].secret: unknown key");
}

Test(settings_server, expiry)
{
	static const struct {
		const char *text;
		int64_t when;
	} good[] = { { "", INT64_MAX }, { "1970-01-01", 86400 },
		{ "2024-02-29", 1709251200 }, { "1970-01-01T00:00:01Z", 1 },
		{ "1970-01-01t01:00:00.25+01:00", 0 },
		{ "1969-12-31 23:00:00-01:30", 1800 } };
	static const char *const bad[] = { "soon", "2023-02-29", "2023-13-01",
		"2023-1-1", "2023-01-01T", "2023-01-01T00:00:00",
		"2023-01-01T24:00:00Z", "2023-01-01T00:00:00Zx",
		"2023-01-01T00:00:00+1:00", "2023-01-01x", "20230101" };
	int64_t when;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_assert(settings_expiry(good[i].text, &when), "%s",
			good[i].text);
		cr_assert_eq(when, good[i].when, "%s: %lld", good[i].text,
			(long long)when);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(settings_expiry(bad[i], &when), "%s", bad[i]);
}
