/* SPDX-License-Identifier: Apache-2.0 */

#include "server/sources.h"

#include <errno.h>
#include <string.h>

#include "common/crypto/certificate.h"
#include "common/crypto/tls_context.h"

static int open_page(struct page_file *f, const struct settings *s,
	struct conf_errors *errors)
{
	const char *path = s->custom_404_page;
	char quoted[CONF_QUOTED];
	int rc = page_open(f, path);

	if (rc < 0 && rc != -ENOMEM)
		conf_fault(s->conf, errors, "custom404Page", "%s: %s",
			conf_quote(quoted, path),
			rc == -EINVAL ? "it is no ordinary file"
				      : strerror(-rc));
	return rc;
}

int sources_open(struct sources *o, const struct settings *s,
	const struct users *old, struct conf_errors *errors)
{
	int page = open_page(&o->page, s, errors);
	int users = users_open(&o->users, s, old, errors);

	return page < 0 ? page : users;
}

void sources_close(struct sources *o)
{
	page_close(&o->page);
	users_close(&o->users);
}

static int refuse_tls(
	const struct settings *s, struct conf_errors *errors, const char *error)
{
	conf_fault(s->conf, errors, "transport.tls", "%s", error);
	return -EINVAL;
}

static int check_certificate(
	const struct settings *s, struct conf_errors *errors)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct certificate *c;

	if (!*s->tls_cert_file)
		return 0;
	c = certificate_load(s->tls_cert_file, s->tls_key_file, error);
	if (!c)
		return refuse_tls(s, errors, error);
	certificate_free(&c);
	return 0;
}

static int check_authorities(
	const struct settings *s, struct conf_errors *errors)
{
	/* Which side goes by them is all the same. */
	const struct tls_client_terms terms = { .trusted_ca = s->tls_ca_file };
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct tls_context *tls;

	if (!*s->tls_ca_file)
		return 0;
	tls = tls_context_client(&terms, error);
	if (!tls)
		return refuse_tls(s, errors, error);
	tls_context_unref(&tls);
	return 0;
}

int sources_check(const struct settings *s, struct conf_errors *errors)
{
	struct sources o = { 0 };
	int rc = sources_open(&o, s, NULL, errors);

	sources_close(&o);
	if (check_certificate(s, errors) < 0)
		rc = -EINVAL;
	if (check_authorities(s, errors) < 0)
		rc = -EINVAL;
	return rc;
}
