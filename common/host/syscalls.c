/* SPDX-License-Identifier: Apache-2.0 */

/* The table, and libseccomp's filter out of it. */

#include "common/host/syscalls.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Newer than some systems' headers, or hidden by them. */
#ifndef TCGETS2
#define TCGETS2 _IOR('T', 0x2A, struct termios2)
#endif

const struct syscalls_row syscalls_rows[] = {
#define ALLOW(name_, of_, reason_) \
	{ .name = #name_, .of = SYSCALLS_##of_, .reason = (reason_) },
#define ALLOW_EQUAL(name_, of_, index_, value_, reason_) \
	{ .name = #name_,                                \
		.of = SYSCALLS_##of_,                    \
		.how = SYSCALLS_EQUAL,                   \
		.index = (index_),                       \
		.value = (unsigned)(value_),             \
		.argument = #value_,                     \
		.reason = (reason_) },
#define ALLOW_WITHOUT(name_, of_, index_, value_, reason_) \
	{ .name = #name_,                                  \
		.of = SYSCALLS_##of_,                      \
		.how = SYSCALLS_WITHOUT,                   \
		.index = (index_),                         \
		.value = (unsigned)(value_),               \
		.argument = #value_,                       \
		.reason = (reason_) },
#include "common/host/syscalls.def"
#undef ALLOW
#undef ALLOW_EQUAL
#undef ALLOW_WITHOUT
};

const size_t syscalls_count = ARRAY_SIZE(syscalls_rows);

int syscalls_number(const char *name)
{
	return seccomp_syscall_resolve_name(name);
}

static int add_row(scmp_filter_ctx filter, const struct syscalls_row *row)
{
	int number = syscalls_number(row->name);
	struct scmp_arg_cmp equal = SCMP_CMP(
		row->index, SCMP_CMP_MASKED_EQ, UINT32_MAX, row->value);
	struct scmp_arg_cmp without =
		SCMP_CMP(row->index, SCMP_CMP_MASKED_EQ, row->value, 0);

	/* One that this libseccomp does not know, this libc does not make. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	switch (row->how) {
	case SYSCALLS_EQUAL:
		return seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, number, 1, equal);
	case SYSCALLS_WITHOUT:
		return seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, number, 1, without);
	default:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
}

/* What the filter is besides its rows. */
static int set_terms(scmp_filter_ctx filter)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	/* Only an intruder calls as another architecture does. */
	if (rc == 0)
		rc = seccomp_attr_set(
			filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A kernel that knows the calls' bitmaps (5.11) does not even look. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* Where it cannot be had, nothing is logged. */
	if (rc == 0 && seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) < 0)
		rc = 0;
	return rc;
}

static int make(enum syscalls_of program, scmp_filter_ctx *filter_r)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? set_terms(filter) : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < syscalls_count; i++)
		if (syscalls_rows[i].of & program)
			rc = add_row(filter, &syscalls_rows[i]);
	if (rc < 0 && filter)
		seccomp_release(filter);
	*filter_r = filter;
	return rc;
}

int syscalls_restrict(enum syscalls_of program)
{
	scmp_filter_ctx filter;
	int rc = make(program, &filter);

	if (rc < 0)
		return rc;
	rc = seccomp_load(filter);
	seccomp_release(filter);
	/* Above 0: a thread that another filter keeps from having this one. */
	return rc > 0 ? -ESRCH : rc;
}

int syscalls_export(enum syscalls_of program, int fd)
{
	scmp_filter_ctx filter;
	int rc = make(program, &filter);

	if (rc < 0)
		return rc;
	rc = seccomp_export_bpf(filter, fd);
	seccomp_release(filter);
	return rc;
}

void syscalls_list(FILE *out)
{
	static const char *const programs[] = { [SYSCALLS_ADITD] = "aditd",
		[SYSCALLS_ADIT] = "adit",
		[SYSCALLS_BOTH] = "both" };

	fputs("# The system calls that aditd and adit make once they run; all "
	      "others are\n"
	      "# refused (sandbox: true). By whom, which, with what argument, "
	      "and why.\n",
		out);
	for (size_t i = 0; i < syscalls_count; i++) {
		const struct syscalls_row *row = &syscalls_rows[i];
		const char *how = row->how == SYSCALLS_EQUAL     ? " with "
				  : row->how == SYSCALLS_WITHOUT ? " without "
								 : "";

		fprintf(out, "%-6s%s%s%s: %s\n", programs[row->of], row->name,
			how, row->argument ? row->argument : "", row->reason);
	}
}
