/* SPDX-License-Identifier: Apache-2.0 */

/* The io_uring backend against the real kernel. */
// links: common/event/ring.c common/event/ring_send.c common/event/ring_missed.c common/event/ring_right.c common/event/ring_hint.c common/event/lent.c common/event/loop.c common/event/pipe.c common/event/chunk.c common/base/timer.c common/base/counter.c common/base/reason.c common/event/send.c
// libs: -luring

#define BACKEND backend_ring
#define SUITE ring

#include <dirent.h>
#include <stdio.h>

#include "tests/unit/backend_cases.h"

#include "common/event/ring.h"

/* The kernel must not have started a thread for anything we asked. */
static void expect_no_worker_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	while ((e = readdir(d))) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		cr_assert_not_null(fgets(name, sizeof(name), f));
		cr_assert(strncmp(name, "iou-wrk", 7) != 0, "%s", name);
		fclose(f);
	}
	closedir(d);
}

static void teardown(void)
{
	expect_no_worker_threads();
	finish();
}

TestSuite(ring, .init = setup, .fini = teardown);

Test(ring, hints_say_what_to_do)
{
	cr_assert(strstr(backend_ring_hint(EPERM), "seccomp") ||
		  strstr(backend_ring_hint(EPERM), "io_uring_disabled"));
	cr_assert(strstr(backend_ring_hint(ENOSYS), "seccomp"));
	cr_assert(strstr(backend_ring_hint(ENOMEM), "ulimit -l"));
	cr_assert(strstr(backend_ring_hint(EMFILE), "ulimit -n"));
	cr_assert(strstr(backend_ring_hint(EINVAL), "Linux 6.1"));
	cr_assert_gt(strlen(backend_ring_hint(EIO)), 5);
}

/* One entry goes to the kernel as it is; what comes of it. */
static int submit(const struct io_uring_sqe *entry)
{
	struct ring *r = l->state;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
	struct io_uring_cqe *cqe;
	int rc;

	*sqe = *entry;
	cr_assert_eq(io_uring_submit(&r->uring), 1);
	cr_assert_eq(io_uring_wait_cqe(&r->uring, &cqe), 0);
	rc = cqe->res;
	io_uring_cqe_seen(&r->uring, cqe);
	return rc;
}

Test(ring, takes_nothing_but_its_rights)
{
	struct io_uring_sqe nop = { .opcode = IORING_OP_NOP };
	struct ring *r = l->state;

	cr_assert_eq(submit(&nop), 0);
	for (uint8_t opcode = 0; opcode < IORING_OP_LAST; opcode++) {
		struct io_uring_sqe sqe = { .opcode = opcode, .fd = -1 };
		bool ours = false;

#define OPCODE(name, reason) ours = ours || opcode == IORING_OP_##name;
#define FLAG(name, reason)
#define REGISTER(name, reason)
#include "common/event/ring_right.def"
#undef OPCODE
#undef FLAG
#undef REGISTER
		if (!ours)
			cr_expect_eq(
				submit(&sqe), -EACCES, "opcode %d", opcode);
	}
	nop.flags = IOSQE_ASYNC;
	cr_expect_eq(submit(&nop), -EACCES, "a thread of the kernel's");
	cr_expect_eq(io_uring_register((unsigned)r->uring.ring_fd,
			     IORING_UNREGISTER_BUFFERS, NULL, 0),
		-EACCES);
}

/* When memory goes back, and more has come than one turn tells of. */
Test(ring, what_the_next_turn_tells_of_keeps_its_bytes)
{
	struct loop_params params = { .ops = LOOP_BATCH + 8,
		.chunk_size = 16384,
		.chunks_soft = 8,
		.chunks_hard = 16,
		.counters = &counters };
	static struct op polls[LOOP_BATCH];
	struct op op = { 0 };

	loop_destroy(&l);
	cr_assert_eq(loop_create(&l, &BACKEND, &params), 0);
	cr_assert_eq(loop_enter(l), 0);
	/* All that are lent have been used before. */
	for (int i = 1; i <= 20; i++) {
		op_recv(l, &op, pair[0], done);
		cr_assert_eq(write(pair[1], "-", 1), 1);
		turns_until(i);
	}
	/* Longer than bytes are expected to follow. */
	usleep(1100000);
	for (int i = 0; i < LOOP_BATCH; i++)
		op_poll(l, &polls[i], pair[1], POLLOUT, done);
	op_recv(l, &op, pair[0], done);
	cr_assert_eq(write(pair[1], "world", 5), 5);
	turns_until(20 + LOOP_BATCH + 1);
	cr_assert_eq(got_size, 25);
	cr_assert(memcmp(got + 20, "world", 5) == 0);
}

/* As when its end is looked for just before (ring_missed.c). */
Test(ring, a_stop_that_finds_one_without_a_buffer_is_not_said_again)
{
	enum {
		CHUNKS = 16
	};
	static char data[(CHUNKS + 1) * 1024];
	struct ring *r = l->state;
	struct op op = { 0 };
	uint64_t before;

	cr_assert_eq(write(pair[1], data, sizeof(data)), sizeof(data));
	for (int i = 0; kept_count < CHUNKS; i++) {
		cr_assert_lt(i, 1000);
		if (!op_in_flight(&op))
			op_recv(l, &op, pair[0], keep);
		loop_turn(l);
	}
	op_recv(l, &op, pair[0], keep);
	turns_for(CLOCK_MS);
	cr_assert(r->slots[op.slot].hungry);
	before = counters.value[COUNTER_enters];
	ring_stop(l, op.slot);
	turns_for(20 * CLOCK_MS);
	cr_assert_lt(counters.value[COUNTER_enters] - before, 10);
	while (op_in_flight(&op)) {
		while (kept_count > 0)
			chunk_give(kept[--kept_count]);
		loop_turn(l);
	}
	chunk_give(kept[--kept_count]);
	cr_assert_eq(kept_count, 0);
}
