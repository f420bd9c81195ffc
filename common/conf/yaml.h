/* SPDX-License-Identifier: Apache-2.0 */

/*
 * YAML (and JSON, which is read by the same parser) to a tree, by libyaml's
 * events. A file has at most CONF_FILE_MAX bytes of UTF-8, one document whose
 * root is a mapping, CONF_DEPTH_MAX levels, no aliases, anchors, tags or
 * merge keys. TOML and INI files are recognised and named.
 */

#ifndef ADIT_CONF_YAML_H
#define ADIT_CONF_YAML_H

#include "common/conf/node.h"

#define CONF_FILE_MAX (1024 * 1024)
#define CONF_DEPTH_MAX 64

/*
 * Read `file` into the empty `tree`, texts into `arena`. 0 when the tree is
 * complete, though what is not allowed may have been noted in `errors`;
 * -EINVAL (-errno if the file cannot be read) when reading had to stop, which
 * is in `errors`; -ENOMEM without memory.
 */
int conf_yaml_read(struct conf_tree *tree, struct conf_arena *arena,
	const char *file, struct conf_errors *errors) must_check;

/* As above for `size` bytes in memory; `file` is for the errors. */
int conf_yaml_parse(struct conf_tree *tree, struct conf_arena *arena,
	const char *file, const char *bytes, size_t size,
	struct conf_errors *errors) must_check;

#endif
