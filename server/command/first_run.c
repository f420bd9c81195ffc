/* SPDX-License-Identifier: Apache-2.0 */

#include "server/command/first_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/socket.h"
#include "common/crypto/login_proof.h"
#include "server/users/invitation.h"
#include "server/link/identity.h"
#include "server/command/join_file.h"
#include "server/command/qr.h"
#include "server/users/users_edit.h"

/* What the user is called that is made. */
#define USER "me"

/* The usual ports of visitors, and those for who may not have these. */
#define HTTP_PORTS 80, 8080
#define HTTPS_PORTS 443, 8443

/* Names below it lead every machine to itself (RFC 6761 section 6.3). */
#define DOMAIN "localhost"

static bool can_listen(const char *ip, uint16_t port)
{
	struct address a;
	int fd = address_parse(&a, ip, port) == 0 ? socket_listen(&a) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static uint16_t choose_port(const char *ip, uint16_t usual, uint16_t other)
{
	return can_listen(ip, usual) ? usual : other;
}

static bool choose(struct settings *s, const char *directory)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	int rc = errors ? 0 : -ENOMEM;

	/* It serves IPv4, too, where there is IPv6 at all. */
	s->bind_addr = can_listen("::", 0) ? "::" : "0.0.0.0";
	s->proxy_bind_addr = s->bind_addr;
	s->vhost_http_port = choose_port(s->bind_addr, HTTP_PORTS);
	s->vhost_https_port = choose_port(s->bind_addr, HTTPS_PORTS);
	s->subdomain_host = DOMAIN;
	s->state_dir = conf_copy(s->conf, directory);
	if (!s->state_dir)
		rc = -ENOMEM;
	if (rc == 0)
		rc = settings_check(s, errors);
	free(errors);
	return rc == 0 || users_edit_fail("%s", strerror(-rc));
}

/* --- the join string --- */

/* The first one: kept before its user is, who could not be told again. */
static bool invite(struct first_run *f, const struct settings *s,
	const struct users_edit *e, const struct pin_list *pins)
{
	char error[JOIN_ERROR_SIZE];
	struct users_secrets secrets;
	bool done = false;

	users_secrets_make(&secrets, false);
	strcpy(f->user, USER);
	if (invitation_write(f->join, s, USER, secrets.token, pins, error) < 0)
		users_edit_fail("%s", error);
	else
		done = join_file_keep(f->join_file, f->join) &&
		       users_edit_add(e, USER, &secrets);
	explicit_bzero(&secrets, sizeof(secrets));
	return done;
}

/* Whether its user is still there, and has this token. */
static bool is_valid(const struct join *j, const struct users_edit *e)
{
	const struct settings_user *user = users_edit_find(e, j->name);
	char public[PROOF_PUBLIC_TEXT];
	struct proof_key key;
	bool found = false;

	proof_key_derive(&key, j->token, strlen(j->token));
	proof_public_write(public, key.public);
	proof_key_wipe(&key);
	for (size_t i = 0; user && i < user->keys.n; i++)
		found = found || !strcmp(user->keys.v[i], public);
	return found;
}

/* That of an earlier start; false: it is there, but not as it should be. */
static bool recall(struct first_run *f, const struct settings *s,
	const struct users_edit *e, const struct pin_list *pins)
{
	struct join j;
	bool done = join_file_read(f->join_file, &j);

	if (done && *j.name && is_valid(&j, e)) {
		strcpy(f->user, j.name);
		/* The addresses may have changed since, and the identity. */
		invitation_set_servers(&j, s);
		invitation_set_pins(&j, pins);
		join_write(f->join, &j);
		done = join_file_keep(f->join_file, f->join);
	}
	join_wipe(&j);
	return done;
}

static bool prepare(struct first_run *f, struct settings *s)
{
	struct users_edit e;
	struct pin_list pins;
	bool done = users_edit_begin(&e, s);

	if (done) {
		strcpy(f->directory, e.directory);
		done = join_file_find(f->join_file, e.directory);
	}
	if (done)
		done = choose(s, f->directory) &&
		       identity_look(f->directory, &pins) == 0;
	if (done)
		/* A file without users is somebody's wish. */
		done = e.conf ? recall(f, s, &e, &pins)
			      : invite(f, s, &e, &pins);
	users_edit_end(&e);
	return done;
}

bool first_run_prepare(struct first_run *f, struct settings **s_r)
{
	memset(f, 0, sizeof(*f));
	if (settings_new_default(s_r) < 0)
		return users_edit_fail("no memory");
	if (prepare(f, *s_r))
		return true;
	explicit_bzero(f, sizeof(*f));
	settings_free(s_r);
	return false;
}

/* --- what is told --- */

/* With the port, if it is not the usual one. */
static void print_names(const char *scheme, uint16_t port, uint16_t usual)
{
	printf("  %-8s port %-5u  %s://NAME." DOMAIN, scheme, port, scheme);
	if (port != usual)
		printf(":%u", port);
	putchar('\n');
}

static void print_public(const struct settings *s)
{
	static const uint16_t http[] = { HTTP_PORTS },
			      https[] = { HTTPS_PORTS };

	printf("\naditd serves all addresses of this machine:\n"
	       "  clients  port %u\n",
		s->bind_port);
	print_names("http", s->vhost_http_port, http[0]);
	print_names("https", s->vhost_https_port, https[0]);
	printf("  tcp      any port that a client asks for\n\n"
	       "Names that end in ." DOMAIN " serve visitors on this machine "
	       "only. For others\nrun aditd with a configuration: "
	       "subDomainHost is the domain whose names lead\nhere, "
	       "publicAddr what clients call this machine, if not by the "
	       "address of an\ninterface.\n");
}

static void print_secret(const struct first_run *f)
{
	struct winsize w = { 0 };

	printf("\nTo publish what listens on port 3000 of another machine, or "
	       "of this one, run\nthere:\n\n  adit http 3000 --join '%s'\n\n",
		f->join);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		w.ws_col = 80;
	if (qr_print(stdout, f->join, w.ws_col) < 0)
		puts("(The terminal is too narrow for the QR code.)");
	printf("\nWho has this join string may publish as the user %s. It is "
	       "kept in\n%s.\n",
		f->user, f->join_file);
}

void first_run_tell(const struct first_run *f, const struct settings *s)
{
	print_public(s);
	if (!*f->join)
		printf("\nThere is no join string in %s that is of use: "
		       "aditd token new NAME\nmakes a user and prints one.\n",
			f->join_file);
	else if (isatty(STDOUT_FILENO))
		print_secret(f);
	else
		printf("\nTo publish what listens on port 3000 run\n\n"
		       "  adit http 3000 --join-file '%s'\n\n"
		       "or, on another machine, adit join with the line in "
		       "that file, once, and then\nadit http 3000. Who has it "
		       "may publish as the user %s.\n",
			f->join_file, f->user);
	putchar('\n');
	fflush(stdout);
}
