/* SPDX-License-Identifier: Apache-2.0 */

#include "server/keyring.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/state_file.h"
#include "server/worker.h"

/* A certificate with its chain, and a key, as text. */
#define PEM_MAX 16384

/* From the main thread: show this one from now on. */
struct keyring_letter {
	struct letter letter;
	struct keyring *keyring; /* held */
};

struct keyring *keyring_hold(struct keyring *k)
{
	if (k)
		atomic_fetch_add(&k->holders, 1);
	return k;
}

void keyring_drop(struct keyring **kp)
{
	struct keyring *k = *kp;

	*kp = NULL;
	if (!k || atomic_fetch_sub(&k->holders, 1) != 1)
		return;
	tls_context_unref(&k->frp);
	tls_context_unref(&k->adit);
	free(k);
}

/* --- what is kept in the state directory --- */

static int kept_path(
	char path[static PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

/* Read a kept file; *text_r from malloc. -ENOENT: there is none; else the
 * error is in the log. */
static int read_kept(
	const char *dir, const char *name, char **text_r, size_t *size_r)
{
	char path[PATH_MAX];
	const char *why = "the path is too long";
	int rc = kept_path(path, dir, name);

	if (rc == 0)
		rc = state_file_read(path, text_r, size_r, &why);
	if (rc < 0 && rc != -ENOENT)
		log_error("%s/%s: %s", dir, name, why);
	return rc;
}

typedef int keep_fn(const char *path, const void *bytes, size_t size);

static int keep(keep_fn *how, const char *dir, const char *name,
	const char *text, size_t n)
{
	char path[PATH_MAX];
	int rc = kept_path(path, dir, name);

	if (rc == 0)
		rc = how(path, text, n);
	if (rc < 0)
		log_error("%s/%s: %s", dir, name, strerror(-rc));
	return rc;
}

/*
 * Keep the certificate, if it has a file, and the key. Without the key a
 * certificate that is there is what a start left that was cut off.
 */
static int keep_made(const struct certificate *c, const char *dir,
	const char *crt, const char *key)
{
	char *text = malloc(PEM_MAX);
	ssize_t n = -ENOMEM;
	int rc = 0;

	if (text && crt) {
		n = certificate_write(c, text, PEM_MAX);
		rc = n < 0 ? (int)n
			   : keep(state_file_write, dir, crt, text, (size_t)n);
	}
	if (text && rc == 0) {
		n = certificate_write_key(c, text, PEM_MAX);
		rc = n < 0 ? (int)n
			   : keep(state_file_create, dir, key, text, (size_t)n);
		explicit_bzero(text, PEM_MAX);
	}
	free(text);
	return text ? rc : -ENOMEM;
}

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

static int open_identity(struct keyring_files *f, const char *dir)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct pem pem = { .name = "identity.key" };
	char *text = NULL;
	int rc = dir ? read_kept(dir, "identity.key", &text, &pem.size)
		     : -ENOENT;

	if (rc == -ENOENT) {
		rc = dir ? check_loss(dir) : 0;
		if (rc < 0)
			return rc;
		f->identity = certificate_make(NULL, 0);
		if (!f->identity)
			return -ENOMEM;
		return dir ? keep_made(f->identity, dir, NULL, "identity.key")
			   : 0;
	}
	if (rc < 0)
		return rc;
	pem.text = text;
	f->identity = certificate_read_key(&pem, error);
	explicit_bzero(text, pem.size);
	free(text);
	if (f->identity)
		return 0;
	log_error("%s/%s", dir, error);
	return -EINVAL;
}

int keyring_make_identity(const char *dir, struct pin *pin)
{
	struct keyring_files f = { 0 };
	int rc = open_identity(&f, dir);

	if (rc == 0)
		certificate_pin(f.identity, pin);
	certificate_free(&f.identity);
	return rc;
}

/* What frpc may have to call this server, for its serverName. */
static struct certificate *make_frp(const struct settings *set)
{
	char host[256] = "";
	const char *names[] = { "localhost", "127.0.0.1", "::1", host,
		set->bind_addr };
	size_t n = 3;

	if (gethostname(host, sizeof(host) - 1) == 0 && *host &&
		strcmp(host, "localhost"))
		n++;
	else
		names[3] = set->bind_addr;
	if (strcmp(set->bind_addr, "0.0.0.0") && strcmp(set->bind_addr, "::") &&
		strcmp(set->bind_addr, "127.0.0.1") &&
		strcmp(set->bind_addr, "::1"))
		n++;
	return certificate_make(names, n);
}

/* The certificate for frpc where none is given. */
static int open_made(struct keyring_files *f, const char *dir)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct pem crt = { .name = "frp.crt" }, key = { .name = "frp.key" };
	char *crt_text = NULL, *key_text = NULL;
	int rc = dir ? read_kept(dir, key.name, &key_text, &key.size) : -ENOENT;

	if (rc == -ENOENT) {
		f->made = make_frp(f->settings);
		if (!f->made)
			return -ENOMEM;
		return dir ? keep_made(f->made, dir, crt.name, key.name) : 0;
	}
	if (rc == 0)
		rc = read_kept(dir, crt.name, &crt_text, &crt.size);
	if (rc == -ENOENT)
		log_error("%s/frp.crt is missing, but frp.key is there: put "
			  "it back, or remove both",
			dir);
	if (rc == 0) {
		crt.text = crt_text;
		key.text = key_text;
		f->made = certificate_read(&crt, &key, error);
		if (!f->made) {
			log_error("%s/%s", dir, error);
			rc = -EINVAL;
		}
	}
	if (key_text)
		explicit_bzero(key_text, key.size);
	free(key_text);
	free(crt_text);
	return rc;
}

/* --- keyrings --- */

/* The two contexts; NULL with the error. */
static struct keyring *make_keyring(
	struct keyring_files *f, char error[static CERTIFICATE_ERROR_SIZE])
{
	const struct settings *set = f->settings;
	struct certificate *given = NULL;
	struct tls_server_terms terms = { .certificate = f->made };
	struct keyring *k;

	if (*set->tls_ca_file)
		terms.trusted_ca = set->tls_ca_file;
	if (*set->tls_cert_file) {
		given = certificate_load(
			set->tls_cert_file, set->tls_key_file, error);
		if (!given)
			return NULL;
		terms.certificate = given;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		snprintf(error, CERTIFICATE_ERROR_SIZE, "no memory");
		certificate_free(&given);
		return NULL;
	}
	k->holders = 1;
	certificate_pin(f->identity, &k->pin);
	k->frp = tls_context_server(&terms, error);
	terms.certificate = f->identity;
	terms.adit = true;
	if (k->frp)
		k->adit = tls_context_server(&terms, error);
	certificate_free(&given);
	if (!k->adit)
		keyring_drop(&k);
	return k;
}

/* What the three files look like now. */
static void look_at_files(
	const struct settings *set, struct file_stamp stamps[static 3])
{
	const char *const files[] = { set->tls_cert_file, set->tls_key_file,
		set->tls_ca_file };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		stamps[i] = file_stamp(files[i]);
}

int keyring_open(struct keyring_files *f, const struct settings *settings,
	const char *state_dir)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	char pin[PIN_SIZE];
	int rc;

	f->settings = settings;
	rc = open_identity(f, state_dir);
	if (rc == 0 && !*settings->tls_cert_file)
		rc = open_made(f, state_dir);
	if (rc < 0)
		return rc;
	look_at_files(settings, f->stamps);
	f->keyring = make_keyring(f, error);
	if (!f->keyring) {
		log_error("transport.tls: %s", error);
		return -EINVAL;
	}
	pin_write(pin, &f->keyring->pin);
	log_info("identity [%s]", pin);
	return 0;
}

void keyring_close(struct keyring_files *f)
{
	keyring_drop(&f->keyring);
	certificate_free(&f->identity);
	certificate_free(&f->made);
}

/* --- the workers --- */

static void deliver_keyring(struct mailbox *m, struct letter *letter)
{
	struct keyring_letter *l = (struct keyring_letter *)letter;
	struct worker *w = worker_of_mailbox(m);

	keyring_drop(&w->keyring);
	w->keyring = l->keyring;
}

static void discard_keyring(struct letter *letter)
{
	keyring_drop(&((struct keyring_letter *)letter)->keyring);
}

static void publish(struct keyring *k, struct server *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct keyring_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard_keyring;
		l->keyring = keyring_hold(k);
		mailbox_post(&s->workers[i]->core.mailbox, &l->letter,
			deliver_keyring);
	}
}

/* The files have changed, or could not be used when they did. */
static void renew(struct keyring_files *f, struct server *s)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct keyring *k = make_keyring(f, error);

	if (!k) {
		if (!f->warned)
			log_warn("transport.tls: %s; what was read before "
				 "stays in use",
				error);
		f->warned = true;
		return;
	}
	f->warned = false;
	keyring_drop(&f->keyring);
	f->keyring = k;
	publish(k, s);
	log_info("transport.tls: certificates were read again");
}

int keyring_look(struct keyring_files *f, struct server *s)
{
	const struct settings *set = f->settings;
	struct file_stamp stamps[3];
	int64_t now = clock_now();

	if (!*set->tls_cert_file && !*set->tls_ca_file)
		return -1;
	if (now >= f->due) {
		f->due = now + KEYRING_PERIOD;
		look_at_files(set, stamps);
		if (f->warned || memcmp(stamps, f->stamps, sizeof(stamps))) {
			memcpy(f->stamps, stamps, sizeof(stamps));
			renew(f, s);
		}
	}
	return (int)((f->due - now) / CLOCK_MS) + 1;
}
