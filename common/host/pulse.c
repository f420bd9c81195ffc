/* SPDX-License-Identifier: Apache-2.0 */

#include "common/host/pulse.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct pulse_letter {
	struct letter letter;
	struct pulse *pulse; /* outlives the cores */
};

int pulse_open(struct pulse *p, struct core *const *cores, int n)
{
	*p = (struct pulse){ .cores = cores, .n = n };
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->fd < 0 ? -errno : 0;
}

static void deliver_pulse(struct mailbox *m, struct letter *letter)
{
	struct pulse *p = ((struct pulse_letter *)letter)->pulse;

	(void)m;
	if (atomic_fetch_sub(&p->missing, 1) == 1)
		pulse_wake(p);
}

uint64_t pulse_ask(struct pulse *p)
{
	if (atomic_load(&p->missing) > 0)
		return p->round;
	p->round++;
	atomic_store(&p->missing, p->n);
	for (int i = 0; i < p->n; i++) {
		struct pulse_letter *l = letter_new(sizeof(*l));

		l->pulse = p;
		mailbox_post(&p->cores[i]->mailbox, &l->letter, deliver_pulse);
	}
	return p->round;
}

bool pulse_is_back(const struct pulse *p, uint64_t round)
{
	return round < p->round || atomic_load(&p->missing) == 0;
}

void pulse_wake(const struct pulse *p)
{
	uint64_t one = 1;

	/* It fails only when it is readable already. */
	if (write(p->fd, &one, sizeof(one)) < 0)
		return;
}

void pulse_rest(const struct pulse *p)
{
	uint64_t n;

	if (read(p->fd, &n, sizeof(n)) < 0)
		return;
}

void pulse_close(struct pulse *p)
{
	if (p->cores)
		close(p->fd);
	*p = (struct pulse){ 0 };
}
