/* SPDX-License-Identifier: Apache-2.0 */

/* Text for a pipe that takes it, is full, or has no reader. */
// links: client/outlet.c

#include "client/outlet.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct outlet o;
static int ends[2];

static void setup(void)
{
	cr_assert_eq(pipe(ends), 0);
	signal(SIGPIPE, SIG_IGN);
	o = (struct outlet){ .fd = ends[1] };
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

TestSuite(outlet, .init = setup, .fini = teardown);

Test(outlet, prints_what_was_added)
{
	char text[20] = "";

	cr_assert(outlet_add(&o, "one\n", 4));
	cr_assert(outlet_add(&o, "two\n", 4));
	outlet_print(&o, 0);
	cr_assert_eq(o.size, 0);
	cr_assert_eq(read(ends[0], text, sizeof(text)), 8);
	cr_assert_str_eq(text, "one\ntwo\n");
	cr_assert(outlet_add(&o, "three", 5));
	outlet_pour(&o);
	cr_assert_eq(o.size, 0);
	cr_assert_eq(read(ends[0], text, sizeof(text)), 5);
}

Test(outlet, has_bounds)
{
	static char text[OUTLET_SIZE];

	cr_assert(outlet_add(&o, text, OUTLET_SIZE - 1));
	cr_assert_not(outlet_add(&o, text, 2));
	cr_assert(outlet_add(&o, text, 1));
	cr_assert_not(outlet_add(&o, text, 1));
}

/* A pipe that nobody reads gets whole lines, until it is full. */
Test(outlet, does_not_wait_for_a_full_pipe)
{
	char line[101], got[1 << 17];
	ssize_t n;
	int lines = 0;

	memset(line, 'x', sizeof(line));
	line[100] = '\n';
	fcntl(ends[1], F_SETPIPE_SZ, 16384);
	while (outlet_add(&o, line, sizeof(line)))
		lines++;
	outlet_print(&o, 0);
	cr_assert_gt(o.size, 0);
	cr_assert_eq(o.size % sizeof(line), 0);
	cr_assert_not(outlet_has_room(&o, 1));
	n = read(ends[0], got, sizeof(got));
	cr_assert_gt(n, 0);
	cr_assert_eq((size_t)n % sizeof(line), 0);
	while (o.size > 0) {
		ssize_t more;

		outlet_print(&o, 0);
		more = read(ends[0], got, sizeof(got));
		cr_assert_gt(more, 0);
		n += more;
	}
	cr_assert_eq((size_t)n, (size_t)lines * sizeof(line));
}

Test(outlet, without_a_reader)
{
	close(ends[0]);
	cr_assert(outlet_add(&o, "text\n", 5));
	outlet_print(&o, 0);
	cr_assert(o.dead);
	cr_assert_eq(o.size, 0);
	cr_assert(outlet_add(&o, "text\n", 5));
	outlet_pour(&o);
	cr_assert_eq(o.size, 0);
}
