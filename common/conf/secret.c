/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The file is read with a buffer on the stack, which is wiped, so that the
 * only copy left is the one that the conf wipes.
 */

#include "common/conf/secret.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/conf/file.h"
#include "common/conf/rows.h"

/* What is wrong with a secret, or NULL. */
static const char *wrong(const char *text, size_t length)
{
	size_t i;

	if (length == 0)
		return "an empty file";
	if (length > CONF_SECRET_MAX)
		return "a file of more than 4096 bytes";
	for (i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "a file with control characters";
	}
	return NULL;
}

int conf_secret_read(struct conf *conf, const char *file, const char **secret_r,
	const char **reason_r)
{
	char bytes[CONF_SECRET_MAX + 64];
	const char *text = bytes;
	ssize_t n = conf_file_read(file, bytes, sizeof(bytes) - 1);
	size_t length;
	int result = 0;

	if (n < 0) {
		*reason_r = strerrordesc_np((int)-n);
		return (int)n;
	}
	length = (size_t)n;
	while (length > 0 && isspace((unsigned char)text[0])) {
		text++;
		length--;
	}
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	*reason_r = wrong(text, length);
	if (*reason_r) {
		result = -EINVAL;
	} else {
		bytes[text - bytes + (ptrdiff_t)length] = '\0';
		*secret_r = conf_copy(conf, text);
		if (!*secret_r)
			result = -ENOMEM;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return result;
}

int conf_secret_token(struct conf *conf, struct conf_errors *errors, int source,
	const char *file, const char **token)
{
	char quoted[CONF_QUOTED];
	const char *reason;
	int result;

	if (source != CONF_TOKEN_FILE && !*file)
		return 0;
	if (source != CONF_TOKEN_FILE) {
		conf_fault(conf, errors, "auth.tokenSource",
			"no type; \"file\" is allowed");
		return -EINVAL;
	}
	if (!*file) {
		conf_fault(conf, errors, "auth.tokenSource.file.path",
			"no path; the path of a file is allowed");
		return -EINVAL;
	}
	if (**token) {
		conf_fault(conf, errors, "auth.tokenSource",
			"given beside auth.token; one of the two is allowed");
		return -EINVAL;
	}
	result = conf_secret_read(conf, file, token, &reason);
	if (result == 0 || result == -ENOMEM)
		return result;
	conf_fault(conf, errors, "auth.tokenSource.file.path",
		"%s: %s; a file with the token is allowed",
		conf_quote(quoted, file), reason);
	return -EINVAL;
}
