/* SPDX-License-Identifier: Apache-2.0 */

/* Show a target every file of some directories; an empty one is a failure. */

#include <dirent.h>
#include <errno.h>
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

/* How many there were; -1: errno says why. */
static int replay_all(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	char path[4096];
	int n = 0;

	if (!dir)
		return -1;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		/* Before it runs: a crash names its input. */
		fprintf(stderr, "%s\n", path);
		if (replay(path) < 0)
			return -1;
		n++;
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int sum = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int n = replay_all(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: %s\n", argv[i],
				n < 0 ? strerror(errno) : "empty");
			return 1;
		}
		sum += n;
	}
	fflush(stderr);
	printf("ok fuzz %s: %d inputs replayed\n", basename(argv[0]), sum);
	return 0;
}
