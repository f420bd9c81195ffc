/* SPDX-License-Identifier: Apache-2.0 */

#include "server/users/user_load.h"

#include <stdlib.h>

struct user_load *user_load_new(void)
{
	struct user_load *l = calloc(1, sizeof(*l));

	if (l)
		l->holders = 1;
	return l;
}

struct user_load *user_load_hold(struct user_load *l)
{
	if (l)
		atomic_fetch_add(&l->holders, 1);
	return l;
}

void user_load_drop(struct user_load **lp)
{
	struct user_load *l = *lp;

	*lp = NULL;
	if (l && atomic_fetch_sub(&l->holders, 1) == 1)
		free(l);
}

void user_load_give_proxy(struct user_load *l)
{
	atomic_fetch_sub(&l->proxies, 1);
}

void user_load_give_visitor(struct user_load *l)
{
	atomic_fetch_sub(&l->visitors, 1);
}
