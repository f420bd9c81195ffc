/* SPDX-License-Identifier: Apache-2.0 */

/* Main thread only: it reads folders and files. */

#include "client/include.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What an included file may say. */
struct included {
	struct client_proxies proxies;
};

static const struct conf_row rows[] = {
	{ .path = "visitors",
		CONF_DEF_LATER,
		.doc = "Visitors of stcp, sudp and xtcp proxies." },
	{ .path = "proxies",
		CONF_DEF_LIST(struct included, proxies, struct client_proxy,
			client_proxy_table),
		.doc = "What this client publishes." },
};

static CONF_TABLE(table, struct included, rows);

/* Remember the file, whose proxies begin at `first`. */
static int keep_source(struct settings *s, struct conf *conf, size_t first)
{
	struct client_source *grown =
		conf_alloc(s->conf, s->source_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	if (s->source_count > 0)
		memcpy(grown, s->sources, s->source_count * sizeof(*grown));
	s->sources = grown;
	s->sources[s->source_count++] = (struct client_source){ conf, first };
	conf_own(s->conf, conf);
	return 0;
}

static int append(struct settings *s, const struct client_proxies *more)
{
	struct client_proxies *list = &s->proxies;
	struct client_proxy *grown =
		conf_alloc(s->conf, list->n + more->n, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	if (list->n > 0)
		memcpy(grown, list->v, list->n * sizeof(*grown));
	if (more->n > 0)
		memcpy(grown + list->n, more->v, more->n * sizeof(*grown));
	list->v = grown;
	list->n += more->n;
	return 0;
}

static int include_file(
	struct settings *s, const char *file, struct conf_errors *errors)
{
	struct conf *conf;
	void *base;
	int result = conf_new(&conf, &table, &base);

	if (result < 0)
		return result;
	if (keep_source(s, conf, s->proxies.n) < 0) {
		conf_free(&conf);
		return -ENOMEM;
	}
	/* Errors are noted; the other files are read for theirs. */
	if (conf_load(conf, file, errors) == -ENOMEM)
		return -ENOMEM;
	return append(s, &((struct included *)base)->proxies);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Regular files only: a device or a pipe might answer, or never. */
static int include_entry(struct settings *s, const char *folder,
	const char *name, struct conf_errors *errors)
{
	struct stat about;
	char *path;
	int result = 0;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	if (stat(path, &about) == 0 && S_ISREG(about.st_mode))
		result = include_file(s, path, errors);
	free(path);
	return result;
}

/* The files of the folder whose names match, in the order of the names. */
static int include_matching(struct settings *s, const char *folder,
	const char *pattern, struct conf_errors *errors)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, NULL, by_name);
	int result = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		if (result == 0 && !fnmatch(pattern, entries[i]->d_name, 0))
			result = include_entry(
				s, folder, entries[i]->d_name, errors);
		free(entries[i]);
	}
	free(entries);
	return result;
}

int include_files(struct settings *s, struct conf_errors *errors)
{
	char path[64], quoted[CONF_QUOTED];
	const char *slash;
	char *folder;
	int result = 0;

	for (size_t i = 0; i < s->includes.n && result != -ENOMEM; i++) {
		const char *pattern = s->includes.v[i];

		slash = strrchr(pattern, '/');
		folder = slash ? strndup(pattern,
					 slash > pattern
						 ? (size_t)(slash - pattern)
						 : 1)
			       : strdup(".");
		if (!folder)
			return -ENOMEM;
		result = include_matching(
			s, folder, slash ? slash + 1 : pattern, errors);
		free(folder);
		if (result == 0 || result == -ENOMEM)
			continue;
		snprintf(path, sizeof(path), "includes[%zu]", i);
		conf_fault(s->conf, errors, path,
			"%s: %s; a path or pattern in a folder that can be "
			"read is allowed",
			conf_quote(quoted, pattern), strerror(-result));
	}
	return result == -ENOMEM ? result : 0;
}

struct conf *include_source(
	const struct settings *s, size_t index, size_t *local_r)
{
	size_t i = s->source_count;

	while (i > 0 && s->sources[i - 1].first > index)
		i--;
	*local_r = i > 0 ? index - s->sources[i - 1].first : index;
	return i > 0 ? s->sources[i - 1].conf : s->conf;
}
