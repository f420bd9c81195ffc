/* SPDX-License-Identifier: Apache-2.0 */

/*
 * open(2), read(2) until nothing is left, close(2).
 */

#include "common/conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

ssize_t conf_file_read(const char *file, char *bytes, size_t room)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t result = 0;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (size < room) {
		n = read(fd, bytes + size, room - size);
		if (n == 0)
			break;
		if (n > 0) {
			size += (size_t)n;
		} else if (errno != EINTR) {
			result = -errno;
			break;
		}
	}
	close(fd);
	return result < 0 ? result : (ssize_t)size;
}
