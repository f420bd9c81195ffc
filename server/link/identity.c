/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/state_file.h"
#include "server/link/kept_file.h"

#define NOW "identity.key"
#define NEXT "identity.next"

/* A directory with secrets of ours, but not this one, has lost it. */
static int check_loss(const char *dir)
{
	static const char *const others[] = { "users", "frp.key",
		"legacy-seen" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (kept_path(path, dir, others[i]) < 0 ||
			access(path, F_OK) < 0)
			continue;
		log_error("%s/identity.key is missing, but %s is there: put "
			  "it back, or empty the directory: clients that hold "
			  "the old pin will refuse a new identity",
			dir, others[i]);
		return -ENOENT;
	}
	return 0;
}

/* -ENOENT: there is none. */
static int read_key(const char *dir, const char *name, struct certificate **c_r)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct pem pem = { .name = name };
	char *text = NULL;
	int rc = kept_read(dir, name, &text, &pem.size);

	if (rc < 0)
		return rc;
	pem.text = text;
	*c_r = certificate_read_key(&pem, error);
	explicit_bzero(text, pem.size);
	free(text);
	if (*c_r)
		return 0;
	log_error("%s/%s", dir, error);
	return -EINVAL;
}

static int make_key(const char *dir, const char *name, struct certificate **c_r)
{
	*c_r = certificate_make(NULL, 0);
	if (!*c_r)
		return -ENOMEM;
	return dir ? kept_write(*c_r, dir, NULL, name) : 0;
}

int identity_read(struct identity *id, const char *dir)
{
	int rc = read_key(dir, NOW, &id->now);

	if (rc < 0)
		return rc;
	rc = read_key(dir, NEXT, &id->next);
	if (rc == -ENOENT)
		rc = 0;
	if (rc < 0)
		identity_close(id);
	return rc;
}

int identity_open(struct identity *id, const char *dir)
{
	int rc = dir ? identity_read(id, dir) : -ENOENT;

	if (rc != -ENOENT)
		return rc;
	rc = dir ? check_loss(dir) : 0;
	return rc < 0 ? rc : make_key(dir, NOW, &id->now);
}

void identity_close(struct identity *id)
{
	certificate_free(&id->now);
	certificate_free(&id->next);
}

struct pin_list identity_pins(const struct identity *id)
{
	struct pin_list l = { .n = 1 };

	certificate_pin(id->now, &l.v[0]);
	if (id->next)
		certificate_pin(id->next, &l.v[l.n++]);
	return l;
}

int identity_look(const char *dir, struct pin_list *pins)
{
	struct identity id = { 0 };
	int rc = identity_open(&id, dir);

	if (rc == 0)
		*pins = identity_pins(&id);
	identity_close(&id);
	return rc;
}

int identity_make_next(const char *dir)
{
	struct identity id = { 0 };
	int rc = identity_open(&id, dir);

	if (rc == 0 && id.next) {
		log_error("%s/%s is there already: activate it, or remove it",
			dir, NEXT);
		rc = -EEXIST;
	}
	if (rc == 0)
		rc = make_key(dir, NEXT, &id.next);
	identity_close(&id);
	return rc;
}

int identity_activate(const char *dir)
{
	char now[PATH_MAX], next[PATH_MAX];
	struct identity id = { 0 };
	int rc = identity_open(&id, dir);

	if (rc == 0 && !id.next) {
		log_error("%s/%s is not there: make it, and wait until the "
			  "clients have logged in since",
			dir, NEXT);
		rc = -ENOENT;
	}
	identity_close(&id);
	if (rc == 0)
		rc = kept_path(now, dir, NOW);
	if (rc == 0)
		rc = kept_path(next, dir, NEXT);
	if (rc < 0)
		return rc;
	rc = state_file_move(next, now);
	if (rc < 0)
		log_error("%s: %s", now, strerror(-rc));
	return rc;
}
