/* SPDX-License-Identifier: Apache-2.0 */

#include "server/http_route.h"

#include <errno.h>
#include <string.h>

#include "common/http/credentials.h"
#include "common/http/emit.h"
#include "common/http/target.h"
#include "server/worker.h"

/* The head as the service gets it. 0 or the status to answer with. */
static int forward(const struct address *peer, const struct head_found *f,
	const struct request_facts *q, const struct http_target *target,
	const struct route *r, struct chunk **forwarded_r)
{
	char ip[ADDRESS_TEXT_SIZE];
	struct emit_params params = {
		.rewrite = *r->rewrite ? r->rewrite : NULL,
		.set = &r->set[0],
		.head = f->head,
		.data = f->data,
		.target = target,
		.framing = &q->framing,
		.peer = ip,
	};
	size_t size = f->head->size + 2u * f->head->target_len + EMIT_EXTRA +
		      emit_set_size(params.set) + strlen(r->rewrite);
	uint8_t out[4096];
	struct chunk *c;
	ssize_t n;

	address_ip(peer, ip);
	/* It may have to wait, or to move: then it has only what it needs. */
	n = emit_request(out, sizeof(out), &params);
	if (n < 0 && n != -EMSGSIZE)
		return (int)-n;
	c = chunk_from_heap((uint32_t)(n < 0 ? (ssize_t)size : n));
	if (!c)
		return 503;
	if (n < 0)
		n = emit_request(c->data, size, &params);
	else
		memcpy(c->data, out, (size_t)n);
	if (n < 0) {
		chunk_give(c);
		return 431;
	}
	c->to = (uint32_t)n;
	*forwarded_r = c;
	return 0;
}

static bool is_one_of(const struct head_found *f, const char *const *methods)
{
	for (; *methods; methods++)
		if (head_method_is(f->head, f->data, *methods))
			return true;
	return false;
}

/* What has to be known of the request when its head has gone. */
static void note_request(struct request_facts *q, const struct head_found *f)
{
	static const char *const again[] = { "GET", "HEAD", "OPTIONS", NULL };
	static const char *const delete[] = { "DELETE", NULL };

	q->head = head_method_is(f->head, f->data, "HEAD");
	q->again = is_one_of(f, again);
	q->safe = q->again || is_one_of(f, delete);
	q->old = f->head->minor == 0;
}

int http_route_decide(struct worker *w, const struct address *peer,
	const struct head_found *f, struct request_facts *q, struct route **r_r,
	struct chunk **forwarded_r)
{
	struct http_target target;
	struct route *r;
	int rc;

	note_request(q, f);
	rc = target_authority(&target, f->head, f->data);
	if (rc == 0)
		rc = framing_request(&q->framing, f->head, f->data);
	if (rc < 0)
		return -rc;
	q->clear = true;
	*r_r = r = directory_route(&w->directory, target.host);
	if (!r)
		return 404;
	rc = credentials_check(
		f->head, f->data, target.form == TARGET_ABSOLUTE, r->login);
	return rc < 0 ? -rc : forward(peer, f, q, &target, r, forwarded_r);
}
