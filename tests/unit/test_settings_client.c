/* SPDX-License-Identifier: Apache-2.0 */

/* The client's tables: defaults, frp's files, proxies and their rules. */
// links: client/settings.c client/settings_check.c common/crypto/pin.c common/wire/proxy_header.c client/settings_proxy.c client/include.c client/gateway.c common/base/address.c common/crypto/base64.c common/conf/rows.c common/conf/secret.c common/conf/change.c common/conf/dump.c common/conf/manual.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c
// libs: -lyaml boringssl

#include "client/settings.h"

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

TestSuite(settings_client, .fini = done);

Test(settings_client, has_defaults)
{
	cr_assert_eq(settings_new_default(&s), 0);
	cr_assert_str_eq(s->server_addr, "0.0.0.0");
	cr_assert_eq(s->server_port, 7000);
	cr_assert_str_eq(s->user, "");
	cr_assert_str_eq(s->client_id, "");
	cr_assert(s->login_fail_exit);
	cr_assert_eq(s->metadatas.n, 0);
	cr_assert_eq(s->start.n, 0);
	cr_assert_eq(s->proxies.n, 0);
	cr_assert_str_eq(s->auth_token, "");
	cr_assert_eq(s->pool_count, 1);
	cr_assert_eq(s->heartbeat_interval_ms, 30000);
	cr_assert_eq(s->heartbeat_timeout_ms, 90000);
	cr_assert_eq(s->dial_server_timeout_ms, 10000);
	cr_assert_eq(s->dial_server_keepalive_s, 7200);
	cr_assert_str_eq(s->connect_server_local_ip, "");
	cr_assert_eq(s->relay, CONF_RELAY_AUTO);
	cr_assert_str_eq(s->log_to, "console");
	cr_assert_eq(s->log_level, LOG_INFO);
	cr_assert_eq(s->workers, 1);
	cr_assert_eq(s->max_visitors, 20000);
	cr_assert_eq(s->buffer_count, 256);
	cr_assert_eq(s->drain_timeout_ms, 30000);
}

Test(settings_client, reads_a_file_of_frp)
{
	cr_assert_eq(load("serverAddr: 10.0.0.1\n"
			  "serverPort: 7100\n"
			  "user: me\n"
			  "clientID: box\n"
			  "loginFailExit: false\n"
			  "metadatas: {a: 1}\n"
			  "start: [web]\n"
			  "auth: {token: t, additionalScopes: [HeartBeats]}\n"
			  "transport:\n"
			  "  protocol: tcp\n"
			  "  wireProtocol: v1\n"
			  "  poolCount: 5\n"
			  "  heartbeatInterval: -1\n"
			  "  connectServerLocalIP: 127.0.0.2\n"
			  "  tls: {enable: false, disableCustomTLSFirstByte: "
			  "true}\n"
			  "visitors: []\n"
			  "includes: []\n"
			  "proxies:\n"
			  "- name: ssh\n"
			  "  type: tcp\n"
			  "  localPort: 22\n"
			  "  remotePort: 6000\n"
			  "  transport: {useEncryption: false}\n"
			  "- name: web\n"
			  "  type: http\n"
			  "  localIP: 10.1.1.1\n"
			  "  localPort: 80\n"
			  "  customDomains: [a.test, \"*.b.test\"]\n"
			  "  subdomain: c\n"
			  "  annotations: {k: v}\n"
			  "  metadatas: {m: n}\n"
			  "  enabled: false\n"),
		0, "%s", errors.v[0].text);
	cr_assert_str_eq(s->server_addr, "10.0.0.1");
	cr_assert_eq(s->server_port, 7100);
	cr_assert_str_eq(s->user, "me");
	cr_assert_str_eq(s->client_id, "box");
	cr_assert_not(s->login_fail_exit);
	cr_assert_str_eq(s->metadatas.v[0].value, "1");
	cr_assert(s->auth_heartbeats);
	cr_assert_not(s->auth_new_work_conns);
	cr_assert_eq(s->pool_count, 5);
	cr_assert_eq(s->heartbeat_interval_ms, -1);
	cr_assert_str_eq(s->connect_server_local_ip, "127.0.0.2");
	cr_assert_eq(s->proxies.n, 2);
	cr_assert_str_eq(s->proxies.v[0].name, "ssh");
	cr_assert_eq(s->proxies.v[0].type, CLIENT_PROXY_TCP);
	cr_assert_str_eq(s->proxies.v[0].local_ip, "127.0.0.1");
	cr_assert_eq(s->proxies.v[0].remote_port, 6000);
	cr_assert(s->proxies.v[0].enabled);
	cr_assert_not(settings_proxy_wanted(s, &s->proxies.v[0]));
	cr_assert_eq(s->proxies.v[1].type, CLIENT_PROXY_HTTP);
	cr_assert_str_eq(s->proxies.v[1].local_ip, "10.1.1.1");
	cr_assert_str_eq(s->proxies.v[1].custom_domains.v[1], "*.b.test");
	cr_assert_str_eq(s->proxies.v[1].subdomain, "c");
	cr_assert_str_eq(s->proxies.v[1].annotations.v[0].value, "v");
	cr_assert_str_eq(s->proxies.v[1].metadatas.v[0].key, "m");
	cr_assert_not(settings_proxy_wanted(s, &s->proxies.v[1]));
	s->proxies.v[1].enabled = true;
	cr_assert(settings_proxy_wanted(s, &s->proxies.v[1]));
}

#define TCP "name: a, type: tcp, localPort: 1"
#define HTTP "name: a, type: http, localPort: 1"
#define HTTPS "name: a, type: https, localPort: 1"

Test(settings_client, refuses_what_is_not_built_or_wrong)
{
	static const char *const wrong[][2] = {
		{ "transport: {protocol: quic}",
			"transport.protocol: \"quic\"; not supported yet "
			"(allowed: tcp, websocket)" },
		{ "transport: {wireProtocol: v2}",
			"transport.wireProtocol: \"v2\"; not supported yet "
			"(allowed: v1)" },
		{ "transport: {tls: {certFile: x.crt}}",
			"transport.tls.certFile: set without "
			"transport.tls.keyFile; they go together" },
		{ "transport: {poolCount: 257}",
			"transport.poolCount: \"257\"; a number from 0 to 256 "
			"is allowed" },
		{ "transport: {connectServerLocalIP: x}",
			"transport.connectServerLocalIP: \"x\"; an IPv4 or "
			"IPv6 address is allowed" },
		{ "serverAddr: '[::1]'",
			"serverAddr: \"[::1]\"; an address without brackets "
			"or a host name is allowed, serverPort has the port" },
		{ "serverAddr: a.test:7000",
			"serverAddr: \"a.test:7000\"; an address without "
			"brackets or a host name is allowed, serverPort has "
			"the port" },
		{ "dnsServer: dns.test", "dnsServer: \"dns.test\"; ADDRESS or "
					 "ADDRESS:PORT is allowed" },
		{ "transport: {proxyURL: 'ftp://u:p@h:1'}",
			"transport.proxyURL: ***; http and socks5 are allowed; "
			"other schemes are not supported yet" },
		{ "transport: {proxyURL: 'http://u:p@h'}",
			"transport.proxyURL: ***; http://HOST:PORT or "
			"socks5://HOST:PORT is allowed, with USER:PASSWORD@ "
			"before the host where it needs a login" },
		{ "includes: [/nowhere/*.yaml]",
			"includes[0]: \"/nowhere/*.yaml\": No such file or "
			"directory; a path or pattern in a folder that can be "
			"read is allowed" },
		{ "visitors: [{name: a}]",
			"visitors: a list; not supported yet (allowed: leave "
			"it out)" },
		{ "proxies: [{name: a, type: udp, localPort: 1}]",
			"proxies[0].type: \"udp\"; not supported yet (allowed: "
			"tcp, http, https)" },
		{ "proxies: [{name: a, type: ftp, localPort: 1}]",
			"proxies[0].type: \"ftp\"; one of tcp, http, https is "
			"allowed" },
		{ "proxies: [{name: a, localPort: 1}]",
			"proxies[0].type: no value; one of tcp, http, https is "
			"allowed" },
		{ "proxies: [{type: tcp, localPort: 1}]",
			"proxies[0].name: no value; a name is allowed" },
		{ "proxies: [{name: \"a\\nb\", type: tcp, localPort: 1}]",
			"proxies[0].name: control characters; a name without "
			"them is allowed" },
		{ "proxies: [{name: a, type: tcp}]",
			"proxies[0].localPort: no value; a port from 1 to "
			"65535 is allowed" },
		{ "proxies: [{name: a, type: tcp, localPort: 0}]",
			"proxies[0].localPort: \"0\"; a number from 1 to 65535 "
			"is allowed" },
		{ "proxies: [{" TCP ", localIP: '::g'}]",
			"proxies[0].localIP: \"::g\"; an address without "
			"brackets or a host name is allowed, localPort has "
			"the port" },
		{ "proxies: [{" TCP ", customDomains: [x]}]",
			"proxies[0].customDomains: a value in a tcp proxy; "
			"http and https proxies have it" },
		{ "proxies: [{" TCP ", subdomain: x}]",
			"proxies[0].subdomain: a value in a tcp proxy; http "
			"and https proxies have it" },
		{ "proxies: [{" TCP ", transport: {proxyProtocolVersion: v3}}]",
			"proxies[0].transport.proxyProtocolVersion: \"v3\"; v1 "
			"or v2 is allowed" },
		{ "proxies: [{" TCP ", transport: {bandwidthLimit: 1Mb}}]",
			"proxies[0].transport.bandwidthLimit: \"1Mb\"; a "
			"number with KB or MB, such as 500KB or 1.5MB, is "
			"allowed" },
		{ "proxies: [{" TCP ", transport: {bandwidthLimitMode: x}}]",
			"proxies[0].transport.bandwidthLimitMode: \"x\"; one "
			"of client, server is allowed" },
		{ "proxies: [{" HTTP ", subdomain: a, transport: "
		  "{proxyProtocolVersion: v1}}]",
			"proxies[0].transport.proxyProtocolVersion: a value in "
			"an http proxy, whose connections serve many visitors; "
			"tcp and https proxies have it, http services read "
			"X-Forwarded-For" },
		{ "proxies: [{" TCP ", httpUser: u}]",
			"proxies[0].httpUser: a value in a tcp proxy; http "
			"proxies have it" },
		{ "proxies: [{" HTTPS "}]",
			"proxies[0].customDomains: no value; an https proxy "
			"has customDomains or a subdomain" },
		{ "proxies: [{" HTTPS ", subdomain: a, remotePort: 1}]",
			"proxies[0].remotePort: a value in an https proxy; tcp "
			"proxies have it" },
		{ "proxies: [{" HTTPS ", subdomain: a, locations: [/]}]",
			"proxies[0].locations: a value in an https proxy; http "
			"proxies have it" },
		{ "proxies: [{" HTTPS ", subdomain: a, httpUser: u}]",
			"proxies[0].httpUser: a value in an https proxy; http "
			"proxies have it" },
		{ "proxies: [{" HTTPS ", subdomain: a, httpPassword: u}]",
			"proxies[0].httpPassword: a value in an https proxy; "
			"http proxies have it" },
		{ "proxies: [{" HTTPS ", subdomain: a, routeByHTTPUser: u}]",
			"proxies[0].routeByHTTPUser: a value in an https "
			"proxy; http proxies have it" },
		{ "proxies: [{" HTTPS ", subdomain: a, hostHeaderRewrite: h}]",
			"proxies[0].hostHeaderRewrite: a value in an https "
			"proxy; http proxies have it" },
		{ "proxies: [{" HTTPS
		  ", subdomain: a, requestHeaders: {set: {a: b}}}]",
			"proxies[0].requestHeaders.set: a value in an https "
			"proxy; http proxies have it" },
		{ "proxies: [{" HTTPS
		  ", subdomain: a, responseHeaders: {set: {a: b}}}]",
			"proxies[0].responseHeaders.set: a value in an https "
			"proxy; http proxies have it" },
		{ "proxies: [{" HTTPS
		  ", subdomain: a, loadBalancer: {group: g}}]",
			"proxies[0].loadBalancer.group: a group of https "
			"proxies; not supported yet (allowed: leave it "
			"out)" },
		{ "proxies: [{" HTTP "}]",
			"proxies[0].customDomains: no value; an http proxy "
			"has customDomains or a subdomain" },
		{ "proxies: [{" HTTP ", customDomains: []}]",
			"proxies[0].customDomains: no value; an http proxy "
			"has customDomains or a subdomain" },
		{ "proxies: [{" HTTPS ", customDomains: [], subdomain: ''}]",
			"proxies[0].customDomains: no value; an https proxy "
			"has customDomains or a subdomain" },
		{ "proxies: [{" HTTP ", customDomains: x}]",
			"proxies[0].customDomains: \"x\"; a list is allowed" },
		{ "proxies: [{" HTTP ", subdomain: a.b}]",
			"proxies[0].subdomain: a name with dots, stars, blanks "
			"or slashes; one label is allowed" },
		{ "proxies: [{" HTTP ", customDomains: [a, 'b c']}]",
			"proxies[0].customDomains[1]: \"b c\"; a host name is "
			"allowed" },
		{ "proxies: [{" HTTP ", subdomain: a, remotePort: 1}]",
			"proxies[0].remotePort: a value in an http proxy; tcp "
			"proxies have it" },
		{ "proxies: [{" TCP "}, {" TCP "}]",
			"proxies[1].name: \"a\", as proxy 1 of all is called; "
			"a "
			"name of its own is allowed" },
		{ "proxies: [{" TCP ", plugin: {type: socks5}}]",
			"proxies[0].plugin: keys and values; not supported "
			"yet (allowed: leave it out)" },
		{ "proxies: [{" TCP ", loadBalancer: {group: g}}]",
			"proxies[0].loadBalancer.group: a group of tcp "
			"proxies; not supported yet (allowed: leave it "
			"out)" },
		{ "proxies: [{" TCP ", locations: [/]}]",
			"proxies[0].locations: a value in a tcp proxy; http "
			"proxies have it" },
		{ "proxies: [{" HTTP ", subdomain: a, locations: [/, a]}]",
			"proxies[0].locations[1]: \"a\"; a path that begins "
			"with a slash is allowed" },
		{ "proxies: [{" TCP ", localport: 2}]",
			"proxies[0].localport: unknown key; the nearest known "
			"key is proxies[0].localPort" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(load(wrong[i][0]), -EINVAL, "%s", wrong[i][0]);
		cr_expect_null(s);
		cr_expect_eq(errors.n, 1, "%s", wrong[i][0]);
		cr_expect_str_eq(first_error(), wrong[i][1], "%s", wrong[i][0]);
	}
}

Test(settings_client, errors_of_proxies_have_their_places)
{
	cr_assert_eq(load("proxies:\n"
			  "  - name: a\n"
			  "    type: tcp\n"
			  "    localPort: 1\n"
			  "  - type: http\n"
			  "    name: a\n"
			  "    localPort: 2\n"),
		-EINVAL);
	cr_assert_eq(errors.n, 2);
	cr_assert(strstr(
		errors.v[0].text, ":5:5: proxies[1].customDomains: no value"));
	cr_assert(strstr(errors.v[1].text, ":6:11: proxies[1].name: \"a\""));
}

Test(settings_client, names_have_4096_bytes_at_most)
{
	char text[5000];
	size_t n;

	for (n = CLIENT_PROXY_NAME_MAX; n <= CLIENT_PROXY_NAME_MAX + 1; n++) {
		strcpy(text, "proxies: [{type: tcp, localPort: 1, name: ");
		memset(text + strlen(text), 'x', n + 1);
		strcpy(text +
				strlen("proxies: [{type: tcp, localPort: 1, "
				       "name: ") +
				n,
			"}]");
		cr_expect_eq(
			load(text), n > CLIENT_PROXY_NAME_MAX ? -EINVAL : 0);
	}
}

Test(settings_client, many_proxies_are_no_square, .timeout = 30)
{
	char *text = malloc(1 << 20);
	size_t used = (size_t)sprintf(text, "proxies:\n");
	size_t n;

	for (n = 0; used < (1 << 20) - 60; n++)
		used += (size_t)sprintf(text + used,
			"- {name: p%zu, type: tcp, localPort: 1}\n", n);
	cr_assert_eq(load(text), 0);
	cr_assert_eq(s->proxies.n, n);
	free(text);
}

Test(settings_client, is_filled_by_hand)
{
	const char *domains[] = { "x.test" };
	char name[] = "web";
	struct client_proxy p = settings_proxy_default();

	cr_assert_eq(settings_new_default(&s), 0);
	p.name = name;
	p.type = CLIENT_PROXY_HTTP;
	p.local_port = 3000;
	p.custom_domains = (struct conf_strings){ 1, domains };
	cr_assert_eq(settings_add_proxy(s, &p), 0);
	name[0] = 'x';
	domains[0] = "y.test";
	cr_assert_str_eq(s->proxies.v[0].name, "web");
	cr_assert_str_eq(s->proxies.v[0].custom_domains.v[0], "x.test");
	cr_assert_str_eq(s->proxies.v[0].local_ip, "127.0.0.1");
	cr_assert_eq(settings_check(s, &errors), 0);

	p.name = "web";
	p.local_port = 0;
	p.custom_domains.n = 0;
	p.subdomain = NULL;
	cr_assert_eq(settings_add_proxy(s, &p), 0);
	cr_assert_eq(s->proxies.n, 2);
	cr_assert_eq(settings_check(s, &errors), -EINVAL);
	cr_assert_eq(errors.n, 3);
	cr_assert_str_eq(errors.v[0].text,
		"proxies[1].localPort: no value; a port from 1 to 65535 is "
		"allowed");
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

Test(settings_client, a_dump_is_a_file_without_secrets)
{
	char *first;
	char *second;

	cr_assert_eq(load("auth: {token: hidden}\nproxies: [{" TCP
			  ", metadatas: {a: b}}, {name: w, type: http, "
			  "localPort: 2, customDomains: [x, y]}]\n"),
		0);
	first = text_of(false);
	cr_assert_null(strstr(first, "hidden"));
	cr_assert_eq(load(first), 0, "%s", errors.v[0].text);
	second = text_of(false);
	cr_assert_str_eq(first, second);
	free(first);
	free(second);
}

/* The sample says the defaults, and the one in config/ is up to date. */
Test(settings_client, the_sample_is_current)
{
	char *sample = text_of(true);
	char *defaults;
	char *loaded;

	cr_assert_eq(settings_new_default(&s), 0);
	defaults = text_of(false);
	cr_assert_eq(load(sample), 0, "%s", errors.v[0].text);
	loaded = text_of(false);
	cr_assert_str_eq(defaults, loaded);
	assert_kept("config/adit.yaml", sample);
	free(sample);
	free(defaults);
	free(loaded);
}

Test(settings_client, the_manual_page_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	settings_manual(out);
	fclose(out);
	assert_kept("config/man/adit.yaml.5", text);
	free(text);
}
