/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/guesses.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "server/users/admission.h"

void guesses_init(struct guesses *g, int64_t now)
{
	g->due = now + GUESSES_PERIOD;
}

void guesses_count(struct guesses *g, const struct admission *a)
{
	uint32_t known = a->user != NULL;

	if (a->record)
		atomic_fetch_add(&a->record->load->failures, known);
	atomic_fetch_add(&g->others, 1 - known);
}

/* Once more from zero. */
static uint32_t take(_Atomic uint32_t *n)
{
	return atomic_load(n) ? atomic_exchange(n, 0) : 0;
}

static void tell(uint32_t n, const char *whom)
{
	if (n > 0)
		log_warn("%u failed login%s as %s in the last minute", n,
			n > 1 ? "s" : "", whom);
}

int guesses_look(
	struct guesses *g, const struct users *users, int64_t now, bool last)
{
	char whom[JOIN_NAME_SIZE + 2];

	if (!last && now < g->due)
		return (int)((g->due - now) / CLOCK_MS) + 1;
	g->due = now + GUESSES_PERIOD;
	for (size_t i = 0; users && i < users->count; i++) {
		const struct user *u = &users->list[i];

		/* Names in the settings need no escapes (join.h). */
		snprintf(whom, sizeof(whom), "[%s]", user_name(u));
		tell(take(&u->load->failures), whom);
	}
	tell(take(&g->others), "nobody known");
	return GUESSES_PERIOD / CLOCK_MS;
}
