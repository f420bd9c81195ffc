/* SPDX-License-Identifier: Apache-2.0 */

/* Show a target every file of a directory; an empty one is a failure. */

#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1024 * 1024)

static int replay(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *bytes = malloc(INPUT_MAX), *exact;
	size_t n = f && bytes ? fread(bytes, 1, INPUT_MAX, f) : 0;

	if (!f || !bytes)
		return -1;
	fclose(f);
	/* A block of exactly that size, so that one byte beyond is seen. */
	exact = malloc(n ? n : 1);
	if (!exact)
		return -1;
	memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *e;
	char path[4096];
	int n = 0;

	if (!dir) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		/* Before it runs: a crash names its input. */
		fprintf(stderr, "%s\n", path);
		if (replay(path) < 0) {
			perror(path);
			return 1;
		}
		n++;
	}
	closedir(dir);
	fflush(stderr);
	printf("%s fuzz %s: %d inputs replayed\n", n ? "ok" : "not ok",
		basename(argv[0]), n);
	return n ? 0 : 1;
}
