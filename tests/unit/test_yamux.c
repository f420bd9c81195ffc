/* SPDX-License-Identifier: Apache-2.0 */

/* Headers of yamux, where a direction stands, and what a peer may send. */
// links: common/wire/yamux.c common/wire/yamux_window.c

#include "common/wire/yamux.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/wire/yamux_window.h"

/* As frp's own programs were seen to write them. */
Test(yamux, headers)
{
	static const struct {
		struct yamux_frame f;
		const char *bytes;
	} cases[] = {
		{ { YAMUX_CREDIT, YAMUX_SYN, 1, YAMUX_FIRST_DELTA },
			"\0\1\0\1\0\0\0\1\0\x5c\0\0" },
		{ { YAMUX_DATA, 0, 1, 163 }, "\0\0\0\0\0\0\0\1\0\0\0\xa3" },
		{ { YAMUX_CREDIT, YAMUX_ACK, 1, YAMUX_FIRST_DELTA },
			"\0\1\0\2\0\0\0\1\0\x5c\0\0" },
		{ { YAMUX_PING, YAMUX_SYN, 0, 0 }, "\0\2\0\1\0\0\0\0\0\0\0\0" },
		{ { YAMUX_CREDIT, YAMUX_FIN, 1, 0 },
			"\0\1\0\4\0\0\0\1\0\0\0\0" },
		{ { YAMUX_CREDIT, YAMUX_RST, 1, 0 },
			"\0\1\0\x8\0\0\0\1\0\0\0\0" },
		{ { YAMUX_GO_AWAY, 0xffff, 0xfffffffe, 0x01020304 },
			"\0\3\xff\xff\xff\xff\xff\xfe\1\2\3\4" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t out[YAMUX_HEADER];
		struct yamux_frame f;

		yamux_encode(out, &cases[i].f);
		cr_assert(!memcmp(out, cases[i].bytes, sizeof(out)));
		cr_assert_eq(yamux_decode(&f, out), 0);
		cr_assert_eq(f.type, cases[i].f.type);
		cr_assert_eq(f.flags, cases[i].f.flags);
		cr_assert_eq(f.id, cases[i].f.id);
		cr_assert_eq(f.length, cases[i].f.length);
	}
}

Test(yamux, what_is_no_header)
{
	uint8_t h[YAMUX_HEADER] = { 0 };
	struct yamux_parser p = { 0 };
	struct yamux_frame f;
	uint32_t n = sizeof(h);

	for (int v = 1; v < 256; v++) {
		h[0] = (uint8_t)v;
		cr_assert_eq(yamux_decode(&f, h), -EPROTO);
	}
	h[0] = 0;
	for (int t = YAMUX_TYPES; t < 256; t++) {
		h[1] = (uint8_t)t;
		cr_assert_eq(yamux_decode(&f, h), -EPROTO);
	}
	cr_assert_eq(yamux_parse(&p, h, &n, &f), -EPROTO);
}

/* What was parsed, as text. */
static void parse_all(char *out, const uint8_t *in, size_t size, size_t piece)
{
	struct yamux_parser p = { 0 };

	for (size_t at = 0; at < size;) {
		size_t end = at - at % piece + piece;
		uint32_t n = (uint32_t)((end < size ? end : size) - at);
		struct yamux_frame f;
		int step = yamux_parse(&p, in + at, &n, &f);

		cr_assert(step >= 0 && n > 0);
		if (step == YAMUX_FRAME)
			out += sprintf(out, "[%d %d %u %u]", f.type, f.flags,
				f.id, f.length);
		for (uint32_t i = 0; step == YAMUX_PAYLOAD && i < n; i++)
			*out++ = (char)in[at + i];
		at += n;
	}
	*out = '\0';
}

Test(yamux, the_same_in_any_pieces)
{
	static const char in[] = "\0\1\0\1\0\0\0\1\0\x5c\0\0"
				 "\0\0\0\0\0\0\0\1\0\0\0\5hello"
				 "\0\0\0\4\0\0\0\1\0\0\0\0"
				 "\0\2\0\1\0\0\0\0\0\0\0\7"
				 "\0\0\0\4\0\0\0\3\0\0\0\2yo";
	static const char want[] = "[1 1 1 6029312][0 0 1 5]hello[0 4 1 0]"
				   "[2 1 0 7][0 4 3 2]yo";
	char got[256];

	for (size_t piece = 1; piece < sizeof(in); piece++) {
		parse_all(got, (const uint8_t *)in, sizeof(in) - 1, piece);
		cr_assert_str_eq(got, want, "pieces of %zu: %s", piece, got);
	}
}

Test(yamux_window, a_peer_may_send_what_it_was_granted)
{
	struct yamux_window w;

	yamux_window_init(&w);
	cr_assert(yamux_window_take(&w, YAMUX_WINDOW - 1));
	cr_assert(yamux_window_take(&w, 0));
	cr_assert(!yamux_window_take(&w, 2));
	cr_assert(yamux_window_take(&w, 1));
	cr_assert(!yamux_window_take(&w, 1));
}

Test(yamux_window, half_of_it_is_granted_anew)
{
	struct yamux_window w;

	yamux_window_init(&w);
	cr_assert(yamux_window_take(&w, YAMUX_WINDOW / 2 - 1));
	cr_assert(!yamux_window_is_due(&w, 0));
	cr_assert_eq(yamux_window_grant(&w, 0, 0), 0);
	cr_assert(yamux_window_take(&w, 1));
	/* Nothing for what nobody has read yet. */
	cr_assert(!yamux_window_is_due(&w, 1));
	cr_assert(yamux_window_is_due(&w, 0));
	cr_assert_eq(yamux_window_grant(&w, 0, 0), YAMUX_WINDOW / 2);
	cr_assert_eq(w.size, YAMUX_WINDOW);
	cr_assert_eq(w.credit, YAMUX_WINDOW);
}

Test(yamux_window, it_grows_while_the_reader_keeps_up)
{
	struct yamux_window w;
	uint32_t sizes[8];

	yamux_window_init(&w);
	for (int i = 0; i < 8; i++) {
		cr_assert(yamux_window_take(&w, w.size / 2));
		cr_assert(yamux_window_grant(&w, 0, YAMUX_WINDOW_MAX) > 0);
		cr_assert_eq(w.credit, w.size);
		sizes[i] = w.size;
	}
	cr_assert_eq(sizes[0], 2 * YAMUX_WINDOW);
	cr_assert_eq(sizes[3], 16 * YAMUX_WINDOW);
	cr_assert_eq(sizes[4], YAMUX_WINDOW_MAX);
	cr_assert_eq(sizes[7], YAMUX_WINDOW_MAX);
}

Test(yamux_window, it_shrinks_when_the_reader_does_not)
{
	struct yamux_window w;

	yamux_window_init(&w);
	w.size = w.credit = 4 * YAMUX_WINDOW;
	cr_assert(yamux_window_take(&w, w.size));
	cr_assert_eq(yamux_window_grant(&w, 2 * YAMUX_WINDOW, UINT32_MAX), 0);
	cr_assert_eq(w.size, 2 * YAMUX_WINDOW);
	cr_assert_eq(yamux_window_grant(&w, YAMUX_WINDOW, UINT32_MAX), 0);
	cr_assert_eq(w.size, YAMUX_WINDOW);
	/* Never below, and never stuck. */
	cr_assert_eq(yamux_window_grant(&w, YAMUX_WINDOW / 2, UINT32_MAX),
		YAMUX_WINDOW / 2);
	cr_assert_eq(w.size, YAMUX_WINDOW);
}
