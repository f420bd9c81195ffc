/* SPDX-License-Identifier: Apache-2.0 */

#include "server/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/conf/change.h"
#include "server/http/access_log.h"
#include "server/server.h"
#include "server/sizing.h"
#include "server/sources.h"
#include "server/worker.h"

/* From the main thread: go by these from now on. */
struct settings_letter {
	struct letter letter;
	struct settings *settings; /* held */
};

/* What was read, before anybody goes by it. */
struct draft {
	struct settings *settings;
	struct conf_changes changes;
	struct sources sources;
	struct keyring *keyring; /* NULL: the old one */
};

static void discard_settings(struct letter *letter)
{
	settings_free(&((struct settings_letter *)letter)->settings);
}

static void deliver_settings(struct mailbox *m, struct letter *letter)
{
	worker_use(worker_of_mailbox(m),
		((struct settings_letter *)letter)->settings);
}

static void publish(const struct settings *set, struct server *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct settings_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard_settings;
		l->settings = settings_hold(set);
		mailbox_post(&s->workers[i]->core.mailbox, &l->letter,
			deliver_settings);
	}
}

/* --- reading --- */

/* The file, and what a restart would be needed for taken out. */
static int read_settings(struct draft *d, const char *file,
	const struct server *s, struct conf_errors *errors)
{
	int rc = settings_load(&d->settings, file, errors);

	if (rc < 0)
		return rc;
	sizing_workers(d->settings);
	conf_changes_find(&d->changes, s->first->conf, s->settings->conf,
		d->settings->conf);
	rc = settings_keep(d->settings, s->first, errors);
	if (rc == -EINVAL)
		conf_errors_add(errors, &(struct conf_place){ 0 }, "reload",
			"keys that have changed, and need a restart, do not "
			"go with the others as they were; a restart is needed");
	return rc;
}

static int change_access_log(struct server *s, const struct settings *set)
{
	bool watched = s->access_log;
	int rc = access_log_change(&s->access_log, set, s->worker_count);

	if (rc == 0 && !watched && s->access_log)
		rc = host_watch(&s->host, access_log_fd(s->access_log));
	return rc;
}

static bool is_logged_otherwise(
	const struct settings *a, const struct settings *b)
{
	return strcmp(a->access_log_to, b->access_log_to) != 0 ||
	       a->access_log_format != b->access_log_format;
}

/* Others may be in the file that they are in, or the file is there now: the
 * keys tell nothing of it. */
static void find_users_changed(struct draft *d, const struct server *s)
{
	const struct conf_table *t = conf_table(d->settings->conf);
	const struct conf_row *users = conf_table_row(t, "users", 5);
	struct conf_changes *c = &d->changes;

	for (size_t i = 0; i < c->now_count; i++)
		if (c->now[i] == users || !strcmp(c->now[i]->path, "usersFile"))
			return;
	if (!users_are_same(&s->users, &d->sources.users))
		c->now[c->now_count++] = users;
}

/* All that may fail. */
static int prepare(struct draft *d, const char *file, struct server *s,
	struct conf_errors *errors)
{
	char error[CERTIFICATE_ERROR_SIZE], quoted[CONF_QUOTED];
	const struct settings *set;
	int rc = read_settings(d, file, s, errors);

	if (rc < 0)
		return rc;
	set = d->settings;
	rc = users_guard(set, errors);
	if (rc == 0)
		rc = sources_open(&d->sources, set, s->users.users, errors);
	if (rc == 0 && keyring_prepare(&s->keys, set, &d->keyring, error) < 0) {
		conf_fault(set->conf, errors, "transport.tls", "%s", error);
		rc = -EINVAL;
	}
	/* The last one, as it is changed at once. */
	if (rc == 0 && is_logged_otherwise(set, s->settings)) {
		rc = change_access_log(s, set);
		if (rc < 0)
			conf_fault(set->conf, errors, "accessLog.to", "%s: %s",
				conf_quote(quoted, set->access_log_to),
				strerror(-rc));
	}
	return rc;
}

static void discard(struct draft *d)
{
	sources_close(&d->sources);
	keyring_drop(&d->keyring);
	settings_free(&d->settings);
}

/* Nothing of this fails. */
static void commit(struct draft *d, struct server *s)
{
	s->reload.old_settings = s->settings;
	s->reload.old_users = users_hold(s->users.users);
	s->settings = d->settings;
	d->settings = NULL;
	log_set_level((enum log_level)s->settings->log_level);
	page_replace(&s->page_404, &d->sources.page, s);
	keyring_replace(&s->keys, s->settings, d->keyring, s);
	d->keyring = NULL;
	publish(s->settings, s);
	/* Behind the settings, by which controls are looked at again. */
	users_replace(&s->users, &d->sources.users, s);
}

/* --- telling --- */

/* Whether a file was refused that this process may not open any more. */
static bool is_out_of_reach(
	const struct server *s, const struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		if (strstr(errors->v[i].text, strerror(EACCES)))
			return s->sandbox.state >= SANDBOX_ENTERED;
	return false;
}

static void tell_refusal(const struct server *s,
	const struct conf_errors *errors, int rc, FILE *out)
{
	conf_errors_print(errors, out);
	if (errors->n == 0)
		fprintf(out, "%s\n", strerror(-rc));
	if (is_out_of_reach(s, errors))
		fputs("a file in a folder that no key named at the start "
		      "needs a restart: the sandbox keeps it closed\n",
			out);
	fputs("the configuration stays as it was", out);
}

/* Whoever has asked hears it. */
static void answer(struct server *s, int status, const char *text)
{
	if (s->host.health)
		health_answer_reload(s->host.health, status, text);
	host_reload_ended(&s->host);
}

/*
 * Read all, and go by it or not. 0 or -errno, with the text, and how bad it is
 * for the log.
 */
static int attempt(
	struct reload *r, struct server *s, FILE *out, enum log_level *level_r)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct draft *d = calloc(1, sizeof(*d));
	int rc = errors && d ? prepare(d, r->file, s, errors) : -ENOMEM;

	*level_r = LOG_ERROR;
	if (rc == 0) {
		find_users_changed(d, s);
		commit(d, s);
		conf_changes_print(&d->changes, out);
		*level_r = d->changes.later_count > 0 ? LOG_WARN : LOG_INFO;
	} else if (errors) {
		tell_refusal(s, errors, rc, out);
	}
	if (d)
		discard(d);
	free(d);
	free(errors);
	return rc;
}

static void begin(struct reload *r, struct server *s)
{
	enum log_level level;
	char *text = NULL;
	size_t size;
	FILE *out;
	int rc;

	host_reload_begins(&s->host);
	if (!r->file) {
		log_warn("reload: aditd was started without a configuration");
		answer(s, 409, "aditd was started without a configuration");
		return;
	}
	out = open_memstream(&text, &size);
	if (!out) {
		log_error("reload: no memory");
		answer(s, 503, "no memory");
		return;
	}
	rc = attempt(r, s, out, &level);
	if (fclose(out) < 0 || !text) {
		answer(s, 503, "no memory");
		free(text);
		reload_close(r);
		return;
	}
	log_write(level, NULL, "reload: %s %s", r->file,
		rc == 0 ? "was read again" : "is not used");
	log_lines(level, "reload: ", text);
	if (size > 0 && text[size - 1] == '\n')
		text[size - 1] = '\0';
	if (rc < 0) {
		answer(s, 409, text);
		free(text);
		return;
	}
	r->answer = text;
	r->round = pulse_ask(&s->host.pulse);
	r->again = false;
	r->until = clock_now() + HEALTH_PATIENCE;
	r->state = RELOAD_SPREADING;
}

/* All workers go by it, or one has not for too long: `hangs`. */
static void end(struct reload *r, struct server *s, bool hangs)
{
	static const char slow[] =
		"it was read again, but a worker does not answer";

	r->state = RELOAD_IDLE;
	if (hangs)
		log_warn("reload: %s", slow);
	answer(s, hangs ? 503 : 200, hangs ? slow : r->answer);
	reload_close(r);
}

/* In how many ms to look again. */
static int watch(struct reload *r, struct server *s)
{
	struct pulse *p = &s->host.pulse;
	int64_t now = clock_now();

	/* The first round may have begun before the letters were sent. */
	if (!r->again && pulse_is_back(p, r->round)) {
		r->round = pulse_ask(p);
		r->again = true;
	}
	if (r->again && pulse_is_back(p, r->round))
		end(r, s, false);
	else if (now >= r->until)
		end(r, s, true);
	if (r->state == RELOAD_IDLE)
		return 0;
	return (int)((r->until - now) / CLOCK_MS) + 1;
}

int reload_look(struct reload *r, struct server *s)
{
	bool asked;

	if (r->state == RELOAD_SPREADING)
		return watch(r, s);
	asked = s->host.health && health_takes_reload(s->host.health);
	if (!asked && !r->asked)
		return -1;
	r->asked = false;
	begin(r, s);
	return 0;
}

void reload_close(struct reload *r)
{
	users_drop(&r->old_users);
	settings_free(&r->old_settings);
	free(r->answer);
	r->answer = NULL;
}
