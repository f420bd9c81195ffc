/* SPDX-License-Identifier: Apache-2.0 */

/* Frames: found byte by byte, refused as early as can be known. */
// links: common/wire/frame.c

#include "common/wire/frame.h"

#include <criterion/criterion.h>
#include <string.h>

Test(frame, byte_by_byte)
{
	static const uint8_t data[] = "r\0\0\0\0\0\0\0\2{}h";
	size_t size = 99;

	for (size_t n = 0; n < 11; n++)
		cr_assert_eq(frame_peek(data, n, &size), FRAME_PARTIAL);
	cr_assert_eq(size, 99);
	for (size_t n = 11; n < sizeof(data); n++) {
		cr_assert_eq(frame_peek(data, n, &size), FRAME_COMPLETE);
		cr_assert_eq(size, 11);
	}
}

Test(frame, types)
{
	static const char known[] = "o1p2crh4wsv3uinm56M";
	size_t size;

	for (int byte = 0; byte < 256; byte++) {
		uint8_t data = (uint8_t)byte;
		enum frame_status want = byte && strchr(known, byte)
						 ? FRAME_PARTIAL
						 : FRAME_BAD_TYPE;

		cr_assert_eq(frame_peek(&data, 1, &size), want, "%d", byte);
	}
}

Test(frame, lengths)
{
	static const struct {
		const char *bytes; /* 9 of them */
		enum frame_status want;
	} rows[] = {
		{ "o\0\0\0\0\0\0\x28\0", FRAME_PARTIAL },    /* 10240 */
		{ "o\0\0\0\0\0\0\x28\1", FRAME_BAD_LENGTH }, /* 10241 */
		{ "o\0\0\0\0\0\0\0\0", FRAME_COMPLETE },
		{ "o\0\0\0\1\0\0\0\0", FRAME_BAD_LENGTH },
		{ "o\x80\0\0\0\0\0\0\0", FRAME_BAD_LENGTH },
		{ "o\xff\xff\xff\xff\xff\xff\xff\xff", FRAME_BAD_LENGTH },
		{ "o\x7f\xff\xff\xff\xff\xff\xff\xff", FRAME_BAD_LENGTH },
	};
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *bytes = (const uint8_t *)rows[i].bytes;

		cr_assert_eq(frame_peek(bytes, 9, &size), rows[i].want,
			"row %zu", i);
		cr_assert_eq(frame_peek(bytes, 8, &size), FRAME_PARTIAL);
	}
}

Test(frame, header)
{
	uint8_t out[FRAME_HEADER_SIZE];

	frame_header(out, 's', 0x2800);
	cr_assert(memcmp(out, "s\0\0\0\0\0\0\x28\0", 9) == 0);
}
