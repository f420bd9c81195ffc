/* SPDX-License-Identifier: Apache-2.0 */

/* What the loops may be built on (common/event), as an operator asks for it. */

#ifndef ADIT_BASE_BACKEND_CHOICE_H
#define ADIT_BASE_BACKEND_CHOICE_H

enum backend_choice {
	BACKEND_AUTO, /* io_uring, or epoll where that cannot be set up */
	BACKEND_IO_URING,
	BACKEND_EPOLL
};

#endif
