/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system calls that are allowed: the list for people is the table, the
 * kernel's filter is the table, and what it is for is refused, in all threads.
 */
// links: common/host/syscalls.c
// libs: -lseccomp

#include "common/host/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/double/kept.h"

/* Beyond all numbers that architectures have in common or apart. */
#define NUMBERS 600

#define GARBAGE UINT64_C(0xffffffffffffffff)

Test(syscalls, the_list_is_current)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	syscalls_list(out);
	fclose(out);
	assert_kept("config/syscalls.txt", text);
	free(text);
}

Test(syscalls, each_row_has_a_reason)
{
	for (size_t i = 0; i < syscalls_count; i++) {
		cr_expect_gt(strlen(syscalls_rows[i].reason), 3, "%s",
			syscalls_rows[i].name);
		for (size_t k = 0; k < i; k++)
			cr_expect(strcmp(syscalls_rows[i].name,
					  syscalls_rows[k].name) ||
					  syscalls_rows[i].argument ||
					  !(syscalls_rows[i].of &
						  syscalls_rows[k].of),
				"%s stands there twice", syscalls_rows[i].name);
	}
}

/* --- the filter, without a kernel --- */

static struct sock_filter code[4096];
static size_t code_count;

static void read_filter(enum syscalls_of program)
{
	FILE *f = tmpfile();
	int rc = syscalls_export(program, fileno(f));

	/* Without seccomp(2), as under qemu-user. */
	if (rc == -EOPNOTSUPP)
		cr_skip_test("no seccomp filter can be had here");
	cr_assert_eq(rc, 0);
	rewind(f);
	code_count = fread(code, sizeof(code[0]), ARRAY_SIZE(code), f);
	cr_assert(code_count > 10 && code_count < ARRAY_SIZE(code));
	fclose(f);
}

static uint32_t jump(const struct sock_filter *i, bool taken)
{
	return taken ? i->jt : i->jf;
}

/* What the filter says of this call: as the kernel's machine runs it. */
static uint32_t verdict(const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t at = 0; at < code_count; at++) {
		const struct sock_filter *i = &code[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += jump(i, a == i->k);
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += jump(i, a > i->k);
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += jump(i, a >= i->k);
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			cr_assert_fail("instruction %#x", i->code);
		}
	}
	cr_assert_fail("no verdict");
	return 0;
}

/* This machine's: the filter asks for it first. */
static uint32_t own_architecture(void)
{
	cr_assert(code[0].k == offsetof(struct seccomp_data, arch) &&
		  code[1].code == (BPF_JMP | BPF_JEQ | BPF_K));
	return code[1].k;
}

/* Whether a call with garbage for arguments, but for this one, passes. */
static bool passes(int number, unsigned index, uint64_t value)
{
	struct seccomp_data data = { .nr = number, .arch = own_architecture() };
	uint32_t said;

	for (size_t i = 0; i < ARRAY_SIZE(data.args); i++)
		data.args[i] = GARBAGE;
	data.args[index] = value;
	said = verdict(&data);
	cr_assert(said == SECCOMP_RET_ALLOW ||
			  said == (SECCOMP_RET_ERRNO | EPERM),
		"%d: %#x", number, said);
	return said == SECCOMP_RET_ALLOW;
}

/* Whether this row lets one number pass, and just as far as it says. */
static bool look_at_row(const struct syscalls_row *row, int number)
{
	if (syscalls_number(row->name) != number)
		return false;
	switch (row->how) {
	case SYSCALLS_EQUAL:
		cr_expect(passes(number, row->index, row->value), "%s",
			row->name);
		return false;
	case SYSCALLS_WITHOUT:
		cr_expect(passes(number, row->index, 0), "%s", row->name);
		cr_expect_not(passes(number, row->index, row->value), "%s",
			row->name);
		return false;
	default:
		return true;
	}
}

static void check_program(enum syscalls_of program)
{
	struct seccomp_data other = { .nr = 0, .arch = AUDIT_ARCH_I386 };

	read_filter(program);
	for (int number = 0; number < NUMBERS; number++) {
		bool any = false;

		for (size_t i = 0; i < syscalls_count; i++)
			if (syscalls_rows[i].of & program)
				any |= look_at_row(&syscalls_rows[i], number);
		cr_expect_eq(
			passes(number, 0, GARBAGE), any, "call %d", number);
	}
	cr_expect_eq(verdict(&other), SECCOMP_RET_KILL_PROCESS);
}

Test(syscalls, the_filter_is_the_table_of_aditd)
{
	check_program(SYSCALLS_ADITD);
}

Test(syscalls, the_filter_is_the_table_of_adit)
{
	check_program(SYSCALLS_ADIT);
}

/* --- the filter in force --- */

/* In a child; how many of these were not refused, or are refused wrongly. */
static int count_wrong(long rc, bool is_allowed)
{
	bool refused = rc < 0 && errno == EPERM;

	return refused == is_allowed;
}

static int try_all(bool is_aditd)
{
	char *const none[] = { NULL };
	int wrong = 0;

	wrong += count_wrong(execve("/bin/true", none, none), false);
	wrong += count_wrong(ptrace(PTRACE_TRACEME, 0, NULL, NULL), false);
	wrong += count_wrong(syscall(SYS_clone, 0, 0, 0, 0, 0), false);
	wrong += count_wrong(syscall(SYS_clone3, NULL, 0), false);
	wrong += count_wrong(syscall(SYS_io_uring_setup, 1, NULL), false);
	wrong += count_wrong(syscall(SYS_seccomp, 99, 0, NULL), false);
	wrong += count_wrong(syscall(SYS_kill, 0, 0), false);
	wrong += count_wrong(syscall(SYS_memfd_create, "x", 0), false);
	wrong += count_wrong(socket(AF_PACKET, SOCK_RAW, 0), false);
	wrong += count_wrong(socket(AF_VSOCK, SOCK_STREAM, 0), false);
	wrong += count_wrong(socket(AF_NETLINK, SOCK_RAW, 0), !is_aditd);
	wrong += count_wrong(connect(-1, NULL, 0), !is_aditd);
	wrong += count_wrong(ioctl(0, TIOCSTI, "x"), false);
	wrong += count_wrong(fcntl(0, F_SETOWN, 1), false);
	wrong += count_wrong((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		!is_aditd);
	wrong += count_wrong(mprotect(NULL, 0, PROT_EXEC), false);
	wrong += count_wrong(socket(AF_INET, SOCK_STREAM, 0), true);
	wrong += count_wrong(socket(AF_INET6, SOCK_DGRAM, 0), true);
	wrong += count_wrong(fcntl(0, F_GETFL), true);
	wrong += count_wrong(getpid(), true);
	return wrong;
}

static pthread_barrier_t barrier;

static void *other_thread(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return (void *)(intptr_t)try_all(arg);
}

/* The exit code: how much was wrong; 99: no filter could be had. */
static int child(enum syscalls_of program)
{
	bool is_aditd = program == SYSCALLS_ADITD;
	pthread_t thread;
	void *wrong;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(
		&thread, NULL, other_thread, is_aditd ? (void *)1 : NULL);
	pthread_barrier_wait(&barrier);
	if (syscalls_restrict(program) < 0)
		return 99;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, &wrong);
	return (int)(intptr_t)wrong + try_all(is_aditd);
}

static void check_in_force(enum syscalls_of program)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(program));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "%#x", status);
	if (WEXITSTATUS(status) == 99)
		cr_skip_test("no seccomp filter can be had here");
	cr_assert_eq(WEXITSTATUS(status), 0, "%d wrong", WEXITSTATUS(status));
}

Test(syscalls, others_are_refused_to_aditd_in_all_threads)
{
	check_in_force(SYSCALLS_ADITD);
}

Test(syscalls, others_are_refused_to_adit_in_all_threads)
{
	check_in_force(SYSCALLS_ADIT);
}
