/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/keyring.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "server/link/kept_file.h"
#include "server/worker.h"

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
	tls_context_unref(&k->adit_ca);
	free(k);
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
	int rc = dir ? kept_read(dir, key.name, &key_text, &key.size) : -ENOENT;

	if (rc == -ENOENT) {
		f->made = make_frp(f->settings);
		if (!f->made)
			return -ENOMEM;
		return dir ? kept_write(f->made, dir, crt.name, key.name) : 0;
	}
	if (rc == 0)
		rc = kept_read(dir, crt.name, &crt_text, &crt.size);
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

/* The three contexts; NULL with the error. */
static struct keyring *make_keyring(struct keyring_files *f,
	const struct settings *set, char error[static CERTIFICATE_ERROR_SIZE])
{
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
	k->pins = identity_pins(&f->identity);
	k->frp = tls_context_server(&terms, error);
	terms.adit = true;
	if (k->frp)
		k->adit_ca = tls_context_server(&terms, error);
	terms.certificate = f->identity.now;
	if (k->adit_ca)
		k->adit = tls_context_server(&terms, error);
	certificate_free(&given);
	if (!k->adit)
		keyring_drop(&k);
	return k;
}

/* What the files look like now. */
static void look_at_files(const struct keyring_files *f,
	struct file_stamp stamps[static KEYRING_FILES])
{
	const struct settings *set = f->settings;
	char now[PATH_MAX] = "", next[PATH_MAX] = "";
	const char *const files[KEYRING_FILES] = { set->tls_cert_file,
		set->tls_key_file, set->tls_ca_file, now, next };

	if (f->dir && (kept_path(now, f->dir, "identity.key") < 0 ||
			      kept_path(next, f->dir, "identity.next") < 0))
		*now = *next = '\0';
	for (size_t i = 0; i < KEYRING_FILES; i++)
		stamps[i] = file_stamp(files[i]);
}

int keyring_open(struct keyring_files *f, const struct settings *settings,
	const char *state_dir)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	char pin[PIN_SIZE];
	int rc;

	f->settings = settings;
	f->dir = state_dir ? strdup(state_dir) : NULL;
	if (state_dir && !f->dir)
		return -ENOMEM;
	rc = identity_open(&f->identity, state_dir);
	if (rc == 0 && !*settings->tls_cert_file)
		rc = open_made(f, state_dir);
	if (rc < 0)
		return rc;
	look_at_files(f, f->stamps);
	f->keyring = make_keyring(f, settings, error);
	if (!f->keyring) {
		log_error("transport.tls: %s", error);
		return -EINVAL;
	}
	pin_write(pin, &f->keyring->pins.v[0]);
	log_info("identity [%s]", pin);
	return 0;
}

void keyring_close(struct keyring_files *f)
{
	keyring_drop(&f->keyring);
	identity_close(&f->identity);
	certificate_free(&f->made);
	free(f->dir);
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

int keyring_prepare(struct keyring_files *f, const struct settings *settings,
	struct keyring **k_r, char error[static CERTIFICATE_ERROR_SIZE])
{
	const struct settings *now = f->settings;

	*k_r = NULL;
	if (!strcmp(settings->tls_cert_file, now->tls_cert_file) &&
		!strcmp(settings->tls_key_file, now->tls_key_file) &&
		!strcmp(settings->tls_ca_file, now->tls_ca_file))
		return 0;
	if (!*settings->tls_cert_file && !f->made && open_made(f, f->dir) < 0) {
		snprintf(error, CERTIFICATE_ERROR_SIZE,
			"the certificate for frpc cannot be made");
		return -EINVAL;
	}
	*k_r = make_keyring(f, settings, error);
	return *k_r ? 0 : -EINVAL;
}

void keyring_replace(struct keyring_files *f, const struct settings *settings,
	struct keyring *k, struct server *s)
{
	f->settings = settings;
	/* The files may have changed as well. */
	f->due = 0;
	if (!k)
		return;
	keyring_drop(&f->keyring);
	f->keyring = k;
	f->warned = false;
	look_at_files(f, f->stamps);
	publish(k, s);
}

/*
 * The identity as it is in its files now; false: it cannot be used. One that is
 * lost is not made: clients go by the one that is in use.
 */
static bool renew_identity(struct keyring_files *f)
{
	struct identity id = { 0 };

	if (!f->dir)
		return true;
	if (identity_read(&id, f->dir) < 0)
		return false;
	identity_close(&f->identity);
	f->identity = id;
	return true;
}

/* The files have changed, or could not be used when they did. */
static void renew(struct keyring_files *f, struct server *s)
{
	char error[CERTIFICATE_ERROR_SIZE] = "the identity cannot be read";
	struct keyring *k = NULL;

	if (renew_identity(f))
		k = make_keyring(f, f->settings, error);
	if (!k) {
		if (!f->warned)
			log_warn("transport.tls: %s; what was read before "
				 "stays in use",
				error);
		f->warned = true;
		f->again = clock_now() + KEYRING_AGAIN;
		return;
	}
	f->warned = false;
	keyring_drop(&f->keyring);
	f->keyring = k;
	publish(k, s);
	log_info("transport.tls: certificates and keys were read again");
}

int keyring_look(struct keyring_files *f, struct server *s)
{
	const struct settings *set = f->settings;
	struct file_stamp stamps[KEYRING_FILES];
	int64_t now = clock_now();

	if (!f->dir && !*set->tls_cert_file && !*set->tls_ca_file)
		return -1;
	if (now >= f->due) {
		f->due = now + KEYRING_PERIOD;
		look_at_files(f, stamps);
		if ((f->warned && now >= f->again) ||
			memcmp(stamps, f->stamps, sizeof(stamps))) {
			memcpy(f->stamps, stamps, sizeof(stamps));
			renew(f, s);
		}
	}
	return (int)((f->due - now) / CLOCK_MS) + 1;
}
