/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The files that `includes` names: more proxies, each file with places of its
 * own for its errors. As in frp a pattern's last part may have wildcards, its
 * folder must exist, and a path is taken from the working directory.
 */

#ifndef ADIT_CLIENT_INCLUDE_H
#define ADIT_CLIENT_INCLUDE_H

#include "client/settings.h"

/*
 * Append the proxies of all files to s->proxies, in the order of the patterns
 * and of the names, which are freed with the settings. What is wrong goes to
 * `errors`. 0 or -ENOMEM.
 */
int include_files(struct settings *s, struct conf_errors *errors) must_check;

/*
 * The configuration that proxy `index` was read from, and its index there.
 */
struct conf *include_source(
	const struct settings *s, size_t index, size_t *local_r);

#endif
