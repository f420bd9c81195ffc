/* SPDX-License-Identifier: Apache-2.0 */

/* Secrets in files of their own. */
// links: common/conf/secret.c common/conf/conf.c common/conf/table.c common/conf/value.c common/conf/number.c common/conf/several.c common/conf/nearest.c common/conf/yaml.c common/conf/template.c common/conf/expansion.c common/conf/numbers.c common/conf/word.c common/conf/node.c common/conf/arena.c common/conf/error.c common/conf/file.c
// libs: -lyaml

#include "common/conf/secret.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/rows.h"

static const struct conf_table table = { .size = sizeof(int) };
static char file[] = "/tmp/adit-secret-XXXXXX";
static struct conf_errors errors;
static struct conf *conf;

static void setup(void)
{
	void *base;

	cr_assert_eq(conf_new(&conf, &table, &base), 0);
	close(mkstemp(file));
}

static void done(void)
{
	unlink(file);
	conf_free(&conf);
}

TestSuite(conf_secret, .init = setup, .fini = done);

static void put(const char *text, size_t size)
{
	FILE *out = fopen(file, "w");

	fwrite(text, 1, size, out);
	fclose(out);
}

Test(conf_secret, is_read_without_white_space_around_it)
{
	const char *reason;
	const char *secret = NULL;

	put(" \tmy token\r\n\n", 13);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), 0);
	cr_assert_str_eq(secret, "my token");
}

Test(conf_secret, bad_files_are_refused)
{
	static char large[5000];
	const char *reason;
	const char *secret;

	put("", 0);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	cr_assert_str_eq(reason, "an empty file");
	put("\n \n", 3);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	put("a\nb", 3);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	cr_assert_str_eq(reason, "a file with control characters");
	put("a\0b", 3);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	memset(large, 'x', sizeof(large));
	put(large, CONF_SECRET_MAX);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), 0);
	cr_assert_eq(strlen(secret), CONF_SECRET_MAX);
	put(large, CONF_SECRET_MAX + 1);
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	put(large, sizeof(large));
	cr_assert_eq(conf_secret_read(conf, file, &secret, &reason), -EINVAL);
	cr_assert_eq(conf_secret_read(conf, "/nowhere/x", &secret, &reason),
		-ENOENT);
	cr_assert_str_eq(reason, "No such file or directory");
}

Test(conf_secret, a_token_has_one_source)
{
	const char *token = "";

	put("t", 1);
	cr_assert_eq(
		conf_secret_token(conf, &errors, CONF_TOKEN_INLINE, "", &token),
		0);
	cr_assert_str_eq(token, "");
	cr_assert_eq(
		conf_secret_token(conf, &errors, CONF_TOKEN_FILE, file, &token),
		0);
	cr_assert_str_eq(token, "t");
	cr_assert_eq(
		conf_secret_token(conf, &errors, CONF_TOKEN_FILE, file, &token),
		-EINVAL);
	token = "";
	cr_assert_eq(
		conf_secret_token(conf, &errors, CONF_TOKEN_FILE, "", &token),
		-EINVAL);
	cr_assert_eq(conf_secret_token(
			     conf, &errors, CONF_TOKEN_INLINE, file, &token),
		-EINVAL);
	cr_assert_eq(conf_secret_token(conf, &errors, CONF_TOKEN_FILE,
			     "/nowhere/x", &token),
		-EINVAL);
	cr_assert_eq(errors.n, 4);
	cr_assert(strstr(errors.v[3].text, "No such file"));
}
