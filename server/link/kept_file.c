/* SPDX-License-Identifier: Apache-2.0 */

#include "server/link/kept_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/state_file.h"

/* A certificate with its chain, and a key, as text. */
#define PEM_MAX 16384

int kept_path(char path[static PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

int kept_read(const char *dir, const char *name, char **text_r, size_t *size_r)
{
	char path[PATH_MAX];
	const char *why = "the path is too long";
	int rc = kept_path(path, dir, name);

	if (rc == 0)
		rc = state_file_read(path, text_r, size_r, &why);
	if (rc < 0 && rc != -ENOENT)
		log_error("%s/%s: %s", dir, name, why);
	return rc;
}

typedef int keep_fn(const char *path, const void *bytes, size_t size);

static int keep(keep_fn *how, const char *dir, const char *name,
	const char *text, size_t n)
{
	char path[PATH_MAX];
	int rc = kept_path(path, dir, name);

	if (rc == 0)
		rc = how(path, text, n);
	if (rc < 0)
		log_error("%s/%s: %s", dir, name, strerror(-rc));
	return rc;
}

int kept_write(const struct certificate *c, const char *dir, const char *crt,
	const char *key)
{
	char *text = malloc(PEM_MAX);
	ssize_t n = -ENOMEM;
	int rc = 0;

	if (text && crt) {
		n = certificate_write(c, text, PEM_MAX);
		rc = n < 0 ? (int)n
			   : keep(state_file_write, dir, crt, text, (size_t)n);
	}
	if (text && rc == 0) {
		n = certificate_write_key(c, text, PEM_MAX);
		rc = n < 0 ? (int)n
			   : keep(state_file_create, dir, key, text, (size_t)n);
		explicit_bzero(text, PEM_MAX);
	}
	free(text);
	return text ? rc : -ENOMEM;
}
