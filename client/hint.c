/* SPDX-License-Identifier: Apache-2.0 */

#include "client/hint.h"

#include <stdio.h>
#include <string.h>

#include "common/base/address.h"
#include "common/base/log.h"

/* RFC 6761 section 6.3: it is this machine, on every machine. */
static bool is_localhost(const char *host, int n)
{
	static const char name[] = "localhost";
	int length = (int)strlen(name);

	return n >= length &&
	       !strncmp(host + n - length, name, (size_t)length) &&
	       (n == length || host[n - length - 1] == '.');
}

void hint_name(const char *host, const char *server)
{
	int n = (int)strcspn(host, ":,");

	if (is_localhost(host, n))
		log_info("%.*s serves visitors on the server's own machine "
			 "only; for others the server needs subDomainHost, a "
			 "domain whose names lead to it. Where the name does "
			 "not resolve: the line 127.0.0.1 %.*s in /etc/hosts",
			n, host, n, host);
	else
		log_info("if %.*s does not resolve: it needs a DNS record that "
			 "leads to the server, %s",
			n, host, server);
}

#define HIS_FILE "that is for its configuration to change"

/* By a piece of what servers say, frps too; the first row that fits. */
static const struct {
	const char *text, *one_line, *file;
} refusals[] = {
	{ "] already exists", "another name of the proxy may do: --name NAME",
		"another client has that name: choose another name" },
	{ "proxy name [", "another name of the proxy may do: --name NAME",
		"choose another name" },
	{ "port already used",
		"another client has that port: choose another --remote-port, "
		"or none for any",
		"another proxy has that port: choose another remotePort, or 0 "
		"for any" },
	{ "port not allowed",
		"the server's allowPorts leave it out: choose another "
		"--remote-port, or none for any",
		"the server's allowPorts leave it out: choose another "
		"remotePort, or 0 for any" },
	{ "port unavailable",
		"the server needs that port itself, or another program there "
		"has it: choose another --remote-port, or none for any",
		"the server needs that port itself, or another program there "
		"has it: choose another remotePort, or 0 for any" },
	{ "exceed the max_ports_per_client",
		"the server's maxPortsPerClient: " HIS_FILE,
		"the server's maxPortsPerClient: take out other tcp proxies, "
		"or let that be changed" },
	{ "should not belong to",
		"below the server's domain a name is asked for by --subdomain "
		"NAME",
		"below the server's domain a name is asked for by subdomain" },
	{ "router config conflict",
		"another proxy has that name; one of your own may do: --domain "
		"NAME",
		"another proxy has that name, and its location: choose other "
		"customDomains, subdomain or locations" },
	{ "https] not supported when",
		"the server has no vhostHTTPSPort: " HIS_FILE,
		"the server has no vhostHTTPSPort: " HIS_FILE },
	{ "http] not supported when",
		"the server has no vhostHTTPPort: " HIS_FILE,
		"the server has no vhostHTTPPort: " HIS_FILE },
	{ "subdomain is not supported",
		"the server has no subDomainHost; a name of your own may do: "
		"--domain NAME",
		"the server has no subDomainHost: use customDomains" },
	{ "] error", "the server says no more to clients: its log does",
		"the server says no more to clients: its log does" },
};

const char *hint_refused(const char *error, bool one_line)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (strstr(error, refusals[i].text))
			return one_line ? refusals[i].one_line
					: refusals[i].file;
	return NULL;
}

void hint_login(const char *server, uint16_t port, bool one_line)
{
	char at[ADDRESS_HOST_SIZE + 16];

	address_join(at, sizeof(at), server, port);
	log_info("the server is %s; `adit doctor` %s looks at each step of the "
		 "way there, and says what to do",
		at,
		one_line ? "with the same options for the server"
			 : "with the same -c FILE");
}

void hint_login_refused(const char *error, bool one_line, bool *told)
{
	if (*told || !strstr(error, "token in login"))
		return;
	*told = true;
	log_info("the server was reached: where the token was renewed, revoked "
		 "or has expired, whoever runs the server has a new one "
		 "(aditd token renew); %s",
		one_line ? "`adit join` takes its join string"
			 : "in the file it is auth.token");
}
