/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/refusal.h"

#include "common/base/log.h"
#include "common/base/version.h"
#include "common/relay/channel.h"
#include "server/users/admission.h"
#include "server/worker.h"

void refusal_log(
	const char *ip, const char *error, const char *cause, const char *user)
{
	char plain[ADMISSION_TEXT_SIZE];

	admission_text(plain, user);
	log_warn("login of [%s] refused: %s%s%s%s%s%s%s", ip, error,
		cause ? " (" : "", cause ? cause : "", cause ? ")" : "",
		*plain ? ", user [" : "", plain, *plain ? "]" : "");
}

const char *refusal_text(const struct worker *w, const char *error)
{
	return w->settings->detailed_errors ? error : "register control error";
}

void refusal_send(struct worker *w, struct stream *s, const char *error)
{
	/* Nothing is received on it. */
	static const struct channel_ops none;
	struct message m = { .type = MESSAGE_LOGIN_RESP };
	struct channel channel;

	count(&w->core.counters, logins_refused);
	w->core.counters.ended[REASON_refused]++;
	m.login_resp.version = ADIT_VERSION;
	m.login_resp.error = refusal_text(w, error);
	channel_init(&channel, s, &none);
	if (channel_send(&channel, &m) < 0)
		channel_close(&channel, true);
	else
		channel_part(&channel, &w->farewells);
}
