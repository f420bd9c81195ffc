/* SPDX-License-Identifier: Apache-2.0 */

/* Which proxies of two configurations are the same, and what becomes of the
 * others; proxy.c is played here. */
// links: client/proxy_table.c client/settings.c client/settings_check.c common/crypto/pin.c common/wire/proxy_header.c client/settings_proxy.c client/include.c client/gateway.c common/base/address.c common/crypto/base64.c common/conf/rows.c common/conf/secret.c common/conf/change.c common/conf/dump.c common/conf/manual.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c common/base/bandwidth.c
// libs: -lyaml boringssl

#include "client/proxy_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- proxies that only note what is done to them --- */

static char said[512];
static const char *breaks; /* on this the control is lost */
static int alive;

struct proxy *proxy_new(struct client *first, const struct settings *all,
	const struct client_proxy *settings)
{
	struct proxy *p = calloc(1, sizeof(*p));

	p->holders = 1;
	p->client = first;
	p->all = settings_hold(all);
	p->settings = settings;
	p->name = strdup(settings->name);
	alive++;
	return p;
}

struct proxy *proxy_hold(struct proxy *p)
{
	if (p)
		p->holders++;
	return p;
}

void proxy_drop(struct proxy **pp)
{
	struct proxy *p = *pp;

	*pp = NULL;
	if (!p || --p->holders > 0)
		return;
	settings_free(&p->all);
	free(p->name);
	free(p);
	alive--;
}

static bool say(char what, const struct proxy *p)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%c%s ", what, p->name);
	return !breaks || strcmp(said + n, breaks) != 0;
}

bool proxy_open(struct proxy *p)
{
	return say('+', p);
}

bool proxy_close(struct proxy *p)
{
	return say('-', p);
}

void proxy_lost(struct proxy *p)
{
	say('!', p);
}

/* --- tables --- */

static struct settings *load(const char *text)
{
	char path[] = "/tmp/adit-table-XXXXXX";
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct settings *s = NULL;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(settings_load(&s, path, errors), 0, "%s: %s", text,
		errors->v[0].text);
	unlink(path);
	free(errors);
	return s;
}

static struct proxy_table *make(const char *text, const struct proxy_table *old)
{
	struct settings *s = load(text);
	struct proxy_table *t = proxy_table_make(NULL, s, old);

	cr_assert(t);
	settings_free(&s);
	return t;
}

#define A "{name: a, type: tcp, localPort: 1, remotePort: 1001}"
#define B "{name: b, type: tcp, localPort: 2}"
#define B_ELSEWHERE "{name: b, type: tcp, localPort: 3}"
#define C "{name: c, type: https, localPort: 4, customDomains: [c.test]}"

/* From one configuration to the other: what is done, and what the log says. */
static void expect(const char *from, const char *to, bool running,
	const char *want, const char *removed, const char *added)
{
	struct proxy_table *t = make(from, NULL), *next = make(to, t);
	char text[128];

	proxy_table_missing(t, next, text, sizeof(text));
	cr_expect_str_eq(text, removed, "%s -> %s: %s", from, to, text);
	proxy_table_missing(next, t, text, sizeof(text));
	cr_expect_str_eq(text, added, "%s -> %s: %s", from, to, text);
	said[0] = '\0';
	proxy_table_change(t, next, running);
	cr_expect_str_eq(said, want, "%s -> %s: %s", from, to, said);
	/* Those that stay outlive the table that they were made for. */
	proxy_table_drop(&t);
	said[0] = '\0';
	proxy_table_lost(next);
	cr_expect_eq(strlen(said), 3 * next->count);
	proxy_table_drop(&next);
	cr_expect_eq(alive, 0);
}

Test(proxy_table, changes)
{
	expect("proxies: [" A "," B "]", "proxies: [" A "," B "]", true, "",
		"[]", "[]");
	expect("proxies: [" A "," B "]", "proxies: [" B "," A "]", true, "",
		"[]", "[]");
	expect("proxies: [" A "," B "]", "proxies: [" A "]", true, "-b ", "[b]",
		"[]");
	expect("proxies: [" A "]", "proxies: [" A "," B "," C "]", true,
		"+b +c ", "[]", "[b c]");
	expect("proxies: [" A "," B "]", "proxies: [" A "," B_ELSEWHERE "]",
		true, "-b +b ", "[b]", "[b]");
	expect("proxies: [" A "," B "]", "proxies: [" C "," B_ELSEWHERE "]",
		true, "-a -b +c +b ", "[a b]", "[c b]");
	expect("{}", "proxies: [" A "]", true, "+a ", "[]", "[a]");
	expect("proxies: [" A "]", "{}", true, "-a ", "[a]", "[]");
}

Test(proxy_table, start_and_enabled)
{
	expect("proxies: [" A "," B "]", "{start: [a], proxies: [" A "," B "]}",
		true, "-b ", "[b]", "[]");
	expect("{start: [a], proxies: [" A "," B "]}",
		"{proxies: [" A "," B "]}", true, "+b ", "[]", "[b]");
	expect("proxies: [" A "]",
		"proxies: [{name: a, type: tcp, localPort: 1, "
		"remotePort: 1001, enabled: false}]",
		true, "-a ", "[a]", "[]");
}

/* What is not among a proxy's own keys, but told with it. */
Test(proxy_table, whether_it_may_be_plain)
{
	expect("proxies: [" A "," C "]",
		"{transport: {dataEncryption: always}, proxies: [" A "," C "]}",
		true, "-c +c ", "[c]", "[c]");
}

/* Without a control nothing is said to the server. */
Test(proxy_table, not_running)
{
	expect("proxies: [" A "," B "]", "proxies: [" A "," C "]", false, "!b ",
		"[b]", "[c]");
	breaks = "-a ";
	expect("proxies: [" A "," B "]", "proxies: [" C "]", true, "-a !b ",
		"[a b]", "[c]");
	breaks = "+b ";
	expect("proxies: [" A "]", "proxies: [" B "," C "]", true, "-a +b ",
		"[a]", "[b c]");
}

/* The port that the server has chosen is asked for again. */
Test(proxy_table, given_port)
{
	struct proxy_table *t = make("proxies: [" B "]", NULL);
	struct proxy_table *next = make("proxies: [" B_ELSEWHERE "]", t);

	t->list[0]->given_port = 6000;
	proxy_table_change(t, next, true);
	cr_expect_eq(next->list[0]->given_port, 6000);
	proxy_table_drop(&t);
	proxy_table_drop(&next);
}

/* Where names are still to be printed, what was stays. */
Test(proxy_table, those_before)
{
	struct proxy_table *t = make("proxies: [" B "]", NULL);
	struct proxy_table *next = make("{}", t);

	next->before = t;
	cr_expect_eq(alive, 1);
	proxy_table_drop(&next);
	cr_expect_eq(alive, 0);
}

Test(proxy_table, missing_is_cut)
{
	struct proxy_table *t = make("proxies: [" A "," B "," C "]", NULL);
	struct proxy_table *none = make("{}", NULL);
	char text[6];

	cr_expect_eq(proxy_table_missing(t, none, text, sizeof(text)), 3);
	cr_expect_str_eq(text, "[a b ");
	proxy_table_drop(&t);
	proxy_table_drop(&none);
}
