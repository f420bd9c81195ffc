/* SPDX-License-Identifier: Apache-2.0 */

/* The table of what a ring may be used for, told to the kernel. */

#include "common/event/ring.h"

static const struct io_uring_restriction rights[] = {
#define OPCODE(name, reason) \
	{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_##name },
#define FLAG(name, reason)
#define REGISTER(name, reason)                      \
	{ .opcode = IORING_RESTRICTION_REGISTER_OP, \
		.register_op = IORING_##name },
#include "common/event/ring_right.def"
#undef OPCODE
#undef FLAG
#undef REGISTER

	/* All of them are one entry. */
	{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = 0
#define OPCODE(name, reason)
#define FLAG(name, reason) | IOSQE_##name
#define REGISTER(name, reason)
#include "common/event/ring_right.def"
	},
};

int ring_restrict(struct ring *r)
{
	/* liburing 2.3 declares a function for it, but lacks it. */
	return io_uring_register((unsigned)r->uring.ring_fd,
		IORING_REGISTER_RESTRICTIONS, rights, ARRAY_SIZE(rights));
}
