/* SPDX-License-Identifier: Apache-2.0 */

#include "client/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/crew.h"
#include "client/sizing.h"
#include "common/base/log.h"
#include "common/conf/change.h"

/* From the main thread, by way of all workers behind this one. */
struct use_letter {
	struct letter letter;
	struct crew *crew;
	uint32_t to;
	struct settings *settings;   /* held */
	struct proxy_table *proxies; /* the same */
};

static void discard_use(struct letter *letter)
{
	struct use_letter *l = (struct use_letter *)letter;

	settings_free(&l->settings);
	proxy_table_drop(&l->proxies);
}

static void deliver_use(struct mailbox *m, struct letter *letter);

static void pass_on(struct crew *c, uint32_t to, const struct settings *s,
	struct proxy_table *proxies)
{
	struct use_letter *l = letter_new(sizeof(*l));

	l->letter.discard = discard_use;
	l->crew = c;
	l->to = to;
	l->settings = settings_hold(s);
	l->proxies = proxy_table_hold(proxies);
	mailbox_post(&c->clients[to]->core.mailbox, &l->letter, deliver_use);
}

static void deliver_use(struct mailbox *m, struct letter *letter)
{
	struct use_letter *l = (struct use_letter *)letter;

	if (l->to > 0)
		pass_on(l->crew, l->to - 1, l->settings, l->proxies);
	client_use(client_of_mailbox(m), l->settings, l->proxies);
	if (l->to > 0)
		return;
	atomic_fetch_add(&l->crew->reload.arrived, 1);
	host_wake(&l->crew->host);
}

/* The file, and what a restart would be needed for taken out. */
static int read_settings(struct settings **s_r, struct conf_changes *changes,
	const struct crew *c, struct conf_errors *errors)
{
	int rc = settings_load(s_r, c->reload.file, errors);

	if (rc < 0)
		return rc;
	sizing_workers(*s_r);
	conf_changes_find(
		changes, c->first->conf, c->settings->conf, (*s_r)->conf);
	rc = settings_keep(*s_r, c->first, errors);
	if (rc < 0)
		settings_free(s_r);
	return rc;
}

static void tell(const struct crew *c, const struct conf_changes *changes,
	const struct proxy_table *proxies)
{
	enum log_level level = changes->later_count > 0 ? LOG_WARN : LOG_INFO;
	char names[1024], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		conf_changes_print(changes, out);
	log_write(level, NULL, "reload: %s was read again", c->reload.file);
	if (out && fclose(out) == 0)
		log_lines(level, "reload: ", text);
	free(text);
	/* frp's lines */
	if (proxy_table_missing(c->proxies, proxies, names, sizeof(names)) > 0)
		log_info("proxy removed: %s", names);
	if (proxy_table_missing(proxies, c->proxies, names, sizeof(names)) > 0)
		log_info("proxy added: %s", names);
}

/* Go by these, which are taken over; nothing of it fails. */
static void commit(
	struct crew *c, struct settings *s, struct proxy_table *proxies)
{
	struct proxy_table *before = c->proxies;

	log_set_level((enum log_level)s->log_level);
	settings_free(&c->settings);
	c->settings = s;
	c->proxies = proxies;
	/* Rows of requests have names of its proxies. */
	if (c->clients[0]->journal)
		proxies->before = before;
	else
		proxy_table_drop(&before);
	host_reload_begins(&c->host);
	c->reload.sent++;
	pass_on(c, c->count - 1, s, proxies);
}

static void begin(struct crew *c)
{
	struct conf_errors *errors = calloc(1, sizeof(*errors));
	struct conf_changes *changes = calloc(1, sizeof(*changes));
	struct proxy_table *proxies = NULL;
	struct settings *s = NULL;
	int rc = errors && changes ? read_settings(&s, changes, c, errors)
				   : -ENOMEM;

	if (rc == 0) {
		proxies = proxy_table_make(c->clients[0], s, c->proxies);
		rc = proxies ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		tell(c, changes, proxies);
		commit(c, s, proxies);
	} else {
		log_error("reload: %s is not used", c->reload.file);
		for (size_t i = 0; errors && i < errors->n; i++)
			log_error("reload: %s", errors->v[i].text);
		if (!errors || errors->n == 0)
			log_error("reload: %s", strerror(-rc));
		log_error("reload: the configuration stays as it was");
		settings_free(&s);
	}
	free(changes);
	free(errors);
}

int reload_look(struct reload *r, struct crew *c)
{
	if (atomic_load(&r->arrived) != r->sent)
		return -1;
	host_reload_ended(&c->host);
	if (!r->asked)
		return -1;
	r->asked = false;
	begin(c);
	return 0;
}
