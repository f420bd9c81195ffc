/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Templates in a configuration, expanded before it is read as YAML, in the
 * part of Go's text/template that frp's users need:
 *
 *	{{ .Envs.NAME }}                         an environment variable
 *	{{ if .Envs.NAME }} {{ else }} {{ end }}  whether it is set, not empty
 *	{{ range $v := parseNumberRange "1-3,7" }} {{ $v }} {{ end }}
 *	{{ range $i, $v := parseNumberRangePair "1-3" "11-13" }}
 *		{{ $v.First }} {{ $v.Second }} {{ end }}
 *	{{- ... -}}                              without the white space around
 *	a comment: slash and star inside of the braces
 *
 * A variable that is not set is an error, where frp writes "<no value>".
 */

#ifndef ADIT_CONF_TEMPLATE_H
#define ADIT_CONF_TEMPLATE_H

#include "common/conf/error.h"
#include "common/conf/expansion.h"

/* Whether the text has an action at all. */
bool conf_template_in(const char *bytes, size_t size);

/*
 * Expand into the zeroed *e, to at most `limit` bytes. 0; -EINVAL with the
 * reason in `errors`; -ENOMEM. Freed by conf_expansion_free in any case.
 */
int conf_template_expand(struct conf_expansion *e, const char *bytes,
	size_t size, size_t limit, const char *file,
	struct conf_errors *errors) must_check;

#endif
