/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/demand.h"

#include "common/base/clock.h"

#define WINDOW CLOCK_SECOND

void demand_arrival(struct demand *d, int64_t now)
{
	int64_t passed = now - d->since;

	if (passed >= WINDOW) {
		d->rate = passed < 2 * WINDOW ? d->arrivals : 0;
		d->arrivals = 0;
		d->since = now;
	}
	d->arrivals++;
}

void demand_asked(struct demand *d, int64_t now, uint32_t outstanding)
{
	if (d->asked)
		return;
	d->asked = now;
	d->ahead = outstanding;
}

void demand_answered(struct demand *d, int64_t now)
{
	if (!d->asked)
		return;
	if (d->ahead > 0) {
		d->ahead--;
		return;
	}
	d->making = d->making ? (3 * d->making + now - d->asked) / 4
			      : now - d->asked;
	d->asked = 0;
}

uint32_t demand_idle(const struct demand *d, int64_t now)
{
	uint32_t rate = d->arrivals > d->rate ? d->arrivals : d->rate;
	int64_t making = d->making < WINDOW ? d->making : WINDOW;

	if (now - d->since >= 2 * WINDOW)
		rate = 0;
	return 1 + (uint32_t)(2 * (int64_t)rate * making / WINDOW);
}
