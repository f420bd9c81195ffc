/* SPDX-License-Identifier: Apache-2.0 */

#include "client/trust.h"

#include <errno.h>
#include <string.h>

#include "client/crew.h"
#include "client/joined.h"
#include "common/base/log.h"

/* From the main thread: links are made by this one from now on. */
struct trust_letter {
	struct letter letter;
	struct tls_context *tls; /* held */
};

enum tls_alpn trust_alpn(const struct settings *s, size_t pin_count)
{
	if (pin_count > 0)
		return TLS_ALPN_REQUIRED;
	if (!s->extensions)
		return TLS_ALPN_SILENT;
	return *s->tls_ca_file ? TLS_ALPN_OFFERED_CA : TLS_ALPN_OFFERED;
}

struct tls_context *trust_make(const struct settings *s, const struct pin *pins,
	size_t pin_count, char error[static CERTIFICATE_ERROR_SIZE])
{
	struct tls_client_terms terms = {
		.min = TLS_1_2, .max = TLS_1_3, .alpn = trust_alpn(s, pin_count)
	};
	struct certificate *own = NULL;
	struct tls_context *tls = NULL;

	if (*s->tls_ca_file)
		terms.trusted_ca = s->tls_ca_file;
	if (pin_count > 0) {
		terms.pins = pins;
		terms.pins_n = pin_count;
		terms.min = TLS_1_3;
	}
	if (*s->tls_cert_file) {
		own = certificate_load(
			s->tls_cert_file, s->tls_key_file, error);
		terms.certificate = own;
	}
	if (own || !*s->tls_cert_file)
		tls = tls_context_client(&terms, error);
	certificate_free(&own);
	return tls;
}

int trust_pins(const struct settings *s, struct pin pins[static PINS_MAX])
{
	for (size_t i = 0; i < s->tls_pins.n; i++)
		if (pin_parse(&pins[i], s->tls_pins.v[i],
			    strlen(s->tls_pins.v[i])) < 0)
			return -EINVAL;
	return (int)s->tls_pins.n;
}

/* By the pins that it has now; NULL after an error in the log. */
static struct tls_context *make_tls(const struct trust *t)
{
	char error[CERTIFICATE_ERROR_SIZE] = "";
	struct tls_context *tls =
		trust_make(t->settings, t->pins, t->pin_count, error);

	if (!tls)
		log_error("transport.tls: %s", error);
	return tls;
}

static void deliver_trust(struct mailbox *m, struct letter *letter)
{
	struct client *c = client_of_mailbox(m);

	tls_context_unref(&c->tls);
	c->tls = ((struct trust_letter *)letter)->tls;
	/* A server that is known no more could go on with one of these. */
	tls_sessions_clear(c->tls_sessions);
}

static void discard_trust(struct letter *letter)
{
	tls_context_unref(&((struct trust_letter *)letter)->tls);
}

static void publish(struct crew *crew)
{
	for (uint32_t i = 0; i < crew->count; i++) {
		struct trust_letter *l = letter_new(sizeof(*l));

		l->letter.discard = discard_trust;
		l->tls = tls_context_ref(crew->trust.tls);
		mailbox_post(&crew->clients[i]->core.mailbox, &l->letter,
			deliver_trust);
	}
}

static void keep(const struct trust *t)
{
	const char *path = t->settings->join_file, *pins[PINS_MAX];
	char texts[PINS_MAX][PIN_SIZE];
	int rc;

	for (size_t i = 0; i < t->pin_count; i++) {
		pin_write(texts[i], &t->pins[i]);
		pins[i] = texts[i];
	}
	rc = *path ? joined_renew(path, pins, t->pin_count) : 0;
	if (rc < 0)
		log_warn("%s cannot be written: %s", path, strerror(-rc));
}

void trust_look(struct trust *t, bool last)
{
	struct tls_context *tls;

	if (!atomic_load(&t->told))
		return;
	keep(t);
	tls = last ? NULL : make_tls(t);
	if (tls) {
		tls_context_unref(&t->tls);
		t->tls = tls;
		publish(container_of(t, struct crew, trust));
	}
	atomic_store(&t->told, false);
}

void trust_told(struct trust *t, const struct message_list *told)
{
	struct pin pins[PINS_MAX];
	bool same = told->count == t->pin_count;

	if (atomic_load(&t->told) || told->count == 0 || told->count > PINS_MAX)
		return;
	for (size_t i = 0; i < told->count; i++) {
		const char *text = told->items[i];

		if (pin_parse(&pins[i], text, strlen(text)) < 0)
			return;
		same = same && pin_equal(&pins[i], &t->pins[i]);
	}
	if (same)
		return;
	memcpy(t->pins, pins, told->count * sizeof(*pins));
	t->pin_count = told->count;
	atomic_store(&t->told, true);
	/* The line wakes the main thread, too. */
	log_warn("the server's pins have changed: there are %zu", told->count);
}

int trust_open(struct trust *t, const struct settings *s)
{
	int n;

	t->settings = s;
	if (!s->tls_enable)
		return 0;
	n = trust_pins(s, t->pins);
	if (n < 0)
		return n;
	t->pin_count = (size_t)n;
	t->tls = make_tls(t);
	return t->tls ? 0 : -EINVAL;
}

void trust_close(struct trust *t)
{
	tls_context_unref(&t->tls);
}
