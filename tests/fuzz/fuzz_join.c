/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Join strings: what is read is written to something that reads the same, of
 * no other characters than a shell leaves alone; an error is one line and
 * never holds the token.
 */

#include <string.h>

#include "common/conf/join.h"
#include "tests/fuzz/fuzz.h"

#define ALLOWED                                                          \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
	"-_.:,@/"

static void check_good(const struct join *j)
{
	char text[JOIN_TEXT_SIZE], error[JOIN_ERROR_SIZE];
	struct join again;

	must(join_is_name(j->name));
	must(j->server_count >= 1 && j->server_count <= JOIN_SERVERS);
	must(j->pin_count >= 1 && j->pin_count <= JOIN_PINS);
	join_write(text, j);
	must(strspn(text, ALLOWED) == strlen(text));
	must(join_parse(&again, text, strlen(text), error) == 0);
	must(memcmp(&again, j, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), error[JOIN_ERROR_SIZE];
	struct join j;

	must(text);
	memcpy(text, data, size);
	if (join_parse(&j, text, size, error) == 0)
		check_good(&j);
	else
		must(strlen(error) < sizeof(error) && !strchr(error, '\n') &&
			!strstr(error, "adit_"));
	free(text);
	return 0;
}
