/* SPDX-License-Identifier: Apache-2.0 */

/* Where the users come from, and how the workers hear of a change. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/state_file.h"
#include "common/conf/change.h"
#include "server/control/control.h"
#include "server/state_dir.h"
#include "server/users/users.h"
#include "server/worker.h"

/* From the main thread: these are the users from now on. */
struct users_letter {
	struct letter letter;
	struct users *users; /* held */
};

/*
 * Owner and mode: who else could read it may know what is in it. `s`: whose
 * key names it; NULL: that is not told.
 */
static int check_file(
	const char *path, const struct settings *s, struct conf_errors *errors)
{
	char quoted[CONF_QUOTED];
	const char *why;
	int rc = state_file_check(path, &why);

	if (rc < 0 && s)
		conf_fault(s->conf, errors, "usersFile", "%s: %s",
			conf_quote(quoted, path), why);
	else if (rc < 0)
		conf_errors_add(errors, &(struct conf_place){ 0 }, "usersFile",
			"%s: %s", conf_quote(quoted, path), why);
	return rc;
}

static int read_users(const char *path, const struct settings *s,
	const struct users *old, struct conf_errors *errors,
	struct users **users_r)
{
	const struct settings_users *says;
	struct conf *conf;
	int rc = check_file(path, s, errors);

	if (rc == 0)
		rc = settings_users_load(&conf, &says, path, errors);
	if (rc < 0)
		return rc;
	*users_r = users_make(says, conf, old);
	return *users_r ? 0 : -ENOMEM;
}

/* When the next one of those expires who have not. */
static int64_t next_expiry(const struct users *t, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; t && i < t->count; i++) {
		const struct user *u = &t->list[i];

		if (u->expires > now && u->expires < next)
			next = u->expires;
	}
	return next;
}

/* The path of the file, if there is one to read. */
static int find_file(struct users_source *f, const struct settings *s,
	struct conf_errors *errors)
{
	char directory[PATH_MAX], path[PATH_MAX + 8], quoted[CONF_QUOTED];
	const char *why;
	int rc;

	if (*s->users_file) {
		f->path = strdup(s->users_file);
		return f->path ? 0 : -ENOMEM;
	}
	if (s->users.n > 0 ||
		state_dir_find(s->state_dir, directory, sizeof(directory)) < 0)
		return 0;
	snprintf(path, sizeof(path), "%s/users", directory);
	if (access(path, F_OK) < 0)
		return 0;
	rc = state_directory_check(directory, &why);
	if (rc < 0) {
		conf_fault(s->conf, errors, "stateDir", "%s: %s",
			conf_quote(quoted, directory), why);
		return rc;
	}
	f->path = strdup(path);
	return f->path ? 0 : -ENOMEM;
}

/* Whether logins are asked for a secret: auth.token, or one of users. */
static bool are_asked(const struct settings *s)
{
	struct users_source f = { 0 };
	struct conf_errors *errors;
	bool given = *s->auth_token || s->users.n > 0 || *s->users_file;

	if (given)
		return true;
	/* What is wrong with it is for users_open to say. */
	errors = calloc(1, sizeof(*errors));
	given = !errors || find_file(&f, s, errors) < 0 || f.path;
	free(errors);
	free(f.path);
	return given;
}

static bool is_loopback(const char *ip)
{
	struct address a;

	return address_parse(&a, ip, 0) == 0 && address_is_loopback(&a);
}

int users_guard(const struct settings *s, struct conf_errors *errors)
{
	bool near = is_loopback(s->bind_addr);

	if (are_asked(s) || (near && is_loopback(s->proxy_bind_addr)))
		return 0;
	conf_fault(s->conf, errors, "auth.token",
		"not given, nor are users: %s %s%s; set auth.token or users "
		"(aditd token new NAME makes one), or bindAddr and "
		"proxyBindAddr to 127.0.0.1",
		near ? "anybody on this machine could publish services at "
		       "proxyBindAddr"
		     : "whoever reaches bindAddr",
		near ? s->proxy_bind_addr : s->bind_addr,
		near ? "" : " could publish services");
	return -EINVAL;
}

int users_open(struct users_source *f, const struct settings *s,
	const struct users *old, struct conf_errors *errors)
{
	int rc;

	*f = (struct users_source){ 0 };
	rc = find_file(f, s, errors);
	if (rc == 0 && f->path) {
		f->seen = file_stamp(f->path);
		rc = read_users(f->path, s, old, errors, &f->users);
	} else if (rc == 0 && s->users.n > 0) {
		f->users = users_make(&s->users, conf_hold(s->conf), old);
		rc = f->users ? 0 : -ENOMEM;
	}
	f->expiry = next_expiry(f->users, time(NULL));
	return rc;
}

bool users_are_same(const struct users_source *a, const struct users_source *b)
{
	size_t n = a->users ? a->users->count : 0;
	bool same = n == (b->users ? b->users->count : 0);

	/* Both tables are in the order of the names' hashes. */
	for (size_t i = 0; same && i < n; i++)
		same = conf_is_same(&settings_user_table,
			a->users->list[i].says, b->users->list[i].says);
	return same;
}

void users_tell(const struct users_source *f)
{
	if (f->users)
		log_info("users: %zu%s%s", f->users->count,
			f->path ? " from " : "", f->path ? f->path : "");
}

void users_close(struct users_source *f)
{
	users_drop(&f->users);
	free(f->path);
}

/* --- the workers --- */

static void deliver_users(struct mailbox *m, struct letter *letter)
{
	struct users_letter *l = (struct users_letter *)letter;
	struct worker *w = worker_of_mailbox(m);

	users_drop(&w->users);
	w->users = l->users;
	list_each_safe (c, &w->controls)
		control_reconsider(container_of(c, struct control, link));
}

static void discard_users(struct letter *letter)
{
	users_drop(&((struct users_letter *)letter)->users);
}

static void publish(struct users *t, struct server *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct users_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard_users;
		l->users = users_hold(t);
		mailbox_post(&s->workers[i]->core.mailbox, &l->letter,
			deliver_users);
	}
}

void users_replace(
	struct users_source *f, struct users_source *by, struct server *s)
{
	bool any = f->users || by->users;

	users_close(f);
	*f = *by;
	*by = (struct users_source){ 0 };
	users_tell(f);
	if (any)
		publish(f->users, s);
}

/* 1: the file is as it was, or there is none. */
static int read_again(struct users_source *f)
{
	struct file_stamp stamp;
	struct conf_errors *errors;
	struct users *t;
	struct stat st;
	int rc;

	if (!f->path)
		return 1;
	if (stat(f->path, &st) < 0) {
		rc = -errno;
		if (!f->warned)
			log_warn("usersFile %s: %s", f->path, strerror(-rc));
		return rc;
	}
	stamp = file_stamp_of(&st);
	if (!memcmp(&stamp, &f->seen, sizeof(stamp)))
		return 1;
	f->seen = stamp;
	errors = calloc(1, sizeof(*errors));
	rc = errors ? read_users(f->path, NULL, f->users, errors, &t) : -ENOMEM;
	for (size_t i = 0; errors && i < errors->n; i++)
		log_warn("%s", errors->v[i].text);
	free(errors);
	if (rc < 0)
		return rc;
	users_drop(&f->users);
	f->users = t;
	return 0;
}

int users_look(struct users_source *f, struct server *s)
{
	int64_t now = clock_now(), today = time(NULL);
	bool expired = today >= f->expiry;
	int rc;

	if (!f->path && f->expiry == INT64_MAX)
		return -1;
	if (now < f->due)
		return (int)((f->due - now) / CLOCK_MS) + 1;
	f->due = now + USERS_PERIOD;
	rc = read_again(f);
	if (rc == 0 || expired)
		publish(f->users, s);
	/* Who logs in after this line is asked by the new ones. */
	if (rc == 0)
		log_info("usersFile %s: read again, users: %zu", f->path,
			f->users->count);
	if (rc < 0 && !f->warned)
		log_warn("usersFile %s: the users stay as they were", f->path);
	/* One that was refused is looked at again when it changes. */
	f->warned = rc < 0 || (rc > 0 && f->warned);
	f->expiry = next_expiry(f->users, today);
	return USERS_PERIOD / CLOCK_MS;
}
