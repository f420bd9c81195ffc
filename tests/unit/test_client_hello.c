/* SPDX-License-Identifier: Apache-2.0 */

/* Hellos of real clients, cut anywhere, and hellos that break one rule each. */
// links: common/wire/client_hello.c

#include "common/wire/client_hello.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HEADER 5
#define LARGE (2 * CLIENT_HELLO_MAX)

/* --- those of programs, as they came --- */

static const struct {
	const char *program, *name;
	bool tls13, h2, adit;
} programs[] = {
	{ "openssl", "shop.example.com", true, true, false },
	{ "openssl-12", "", false, false, false },
	{ "curl", "shop.example.com", true, true, false },
	{ "python", "shop.example.com", true, false, true },
	{ "go", "shop.example.com", true, true, true },
	/* With GREASE, ECH, and a share of ML-KEM. */
	{ "chromium", "shop.example.com", true, true, false },
};

static size_t load(const char *program, uint8_t out[static LARGE])
{
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/client_hello/%s",
		program);
	f = fopen(path, "rb");
	cr_assert(f, "%s", path);
	n = fread(out, 1, LARGE, f);
	fclose(f);
	return n;
}

static void check(size_t row, const struct client_hello *h, const uint8_t *data)
{
	const char *program = programs[row].program;

	cr_assert_str_eq(h->name, programs[row].name, "%s", program);
	cr_assert_eq(h->naming,
		*h->name ? CLIENT_HELLO_NAMED : CLIENT_HELLO_NAMELESS);
	cr_assert_eq(h->tls13, programs[row].tls13, "%s", program);
	cr_assert_eq(client_hello_offers(h, data, "h2"), programs[row].h2, "%s",
		program);
	cr_assert_eq(client_hello_offers(h, data, "adit/1"), programs[row].adit,
		"%s", program);
	cr_assert(!client_hello_offers(h, data, "adit/"));
	cr_assert(!client_hello_offers(h, data, "adit/11"));
}

/* Any two pieces; and byte by byte. */
static void check_splits(size_t row, const uint8_t *data, size_t n)
{
	struct client_hello bytes = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct client_hello h = { 0 };

		cr_assert_eq(client_hello_read(&h, data, i),
			CLIENT_HELLO_PARTIAL, "%zu", i);
		cr_assert_eq(client_hello_read(&h, data, n),
			CLIENT_HELLO_COMPLETE, "%zu", i);
		check(row, &h, data);
		cr_assert_eq(client_hello_read(&bytes, data, i),
			CLIENT_HELLO_PARTIAL, "%zu", i);
	}
	cr_assert_eq(client_hello_read(&bytes, data, n), CLIENT_HELLO_COMPLETE);
	check(row, &bytes, data);
	cr_assert_eq(bytes.record, n);
}

Test(client_hello, programs)
{
	static uint8_t data[LARGE];

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		check_splits(i, data, load(programs[i].program, data));
}

/* `n` bytes of a message as records of `size` bytes. */
static size_t cut(uint8_t *out, const uint8_t *message, size_t n, size_t size)
{
	size_t to = 0;

	for (size_t at = 0; at < n; at += size) {
		size_t k = n - at < size ? n - at : size;
		const uint8_t header[HEADER] = { 0x16, 3, 1, (uint8_t)(k >> 8),
			(uint8_t)k };

		memcpy(out + to, header, HEADER);
		memcpy(out + to + HEADER, message + at, k);
		to += HEADER + k;
	}
	return to;
}

Test(client_hello, records)
{
	static uint8_t data[LARGE], again[LARGE];
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 7, 100, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		size_t n = load(programs[i].program, data) - HEADER;

		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
			check_splits(i, again,
				cut(again, data + HEADER, n, sizes[s]));
	}
}

/* A record that ends anywhere, and another one behind it. */
Test(client_hello, two_records)
{
	static uint8_t data[LARGE], again[LARGE];
	size_t n = load("go", data) - HEADER;

	for (size_t i = 1; i < n; i++) {
		struct client_hello h = { 0 };
		size_t k = cut(again, data + HEADER, i, i);

		k += cut(again + k, data + HEADER + i, n - i, n - i);
		cr_assert_eq(
			client_hello_read(&h, again, k), CLIENT_HELLO_COMPLETE);
		check(4, &h, again);
	}
}

Test(client_hello, what_follows_is_not_read)
{
	static uint8_t data[LARGE];
	struct client_hello h = { 0 };
	size_t n = load("curl", data);

	memset(data + n, 0xff, 1000);
	cr_assert_eq(
		client_hello_read(&h, data, n + 1000), CLIENT_HELLO_COMPLETE);
	cr_assert_eq(h.record, n);
}

/* --- those made here --- */

/* What a hello is made of; each with its length, if it has one. */
struct parts {
	const char *session, *suites, *methods, *extensions;
	size_t session_n, suites_n, methods_n, extensions_n;
	const char *behind; /* in the message, behind all of that */
};

/* A literal with NULs in it, and how long it is. */
#define BYTES(text) (text), sizeof(text) - 1

static uint8_t *put_number(uint8_t *at, size_t n, int width)
{
	while (width-- > 0)
		*at++ = (uint8_t)(n >> 8 * width);
	return at;
}

static uint8_t *put(uint8_t *at, const char *bytes, size_t n, int width)
{
	at = put_number(at, n, width);
	memcpy(at, bytes, n);
	return at + n;
}

static size_t make(uint8_t out[static LARGE], const struct parts *p)
{
	static uint8_t body[LARGE], message[LARGE];
	uint8_t *at = body;
	static const char random[34] = { 3, 3 };
	size_t n;

	at = put(at, random, sizeof(random), 0);
	at = put(at, p->session, p->session_n, 1);
	at = put(at, p->suites, p->suites_n, 2);
	at = put(at, p->methods, p->methods_n, 1);
	if (p->extensions)
		at = put(at, p->extensions, p->extensions_n, 2);
	if (p->behind)
		at = put(at, p->behind, strlen(p->behind), 0);
	message[0] = 1;
	n = (size_t)(put(message + 1, (const char *)body, (size_t)(at - body),
			     3) -
		     message);
	return cut(out, message, n, n);
}

static enum client_hello_verdict read_parts(
	struct client_hello *h, const struct parts *p)
{
	static uint8_t data[LARGE];
	size_t n = make(data, p);

	memset(h, 0, sizeof(*h));
	return client_hello_read(h, data, n);
}

static struct parts usual(const char *extensions, size_t n)
{
	return (struct parts){ .session = "",
		.suites = "\x13\x01",
		.suites_n = 2,
		.methods = "",
		.methods_n = 1,
		.extensions = extensions,
		.extensions_n = n };
}

#define NAME_A "\0\0\0\6\0\4\0\0\1a"

static const struct {
	const char *what, *bytes;
	size_t n;
	bool fine;
} lists[] = {
	{ "none", BYTES(""), true },
	{ "an unknown one", BYTES("\x4a\x4a\0\1\0"), true },
	{ "an unknown one twice", BYTES("\x4a\x4a\0\0\x4a\x4a\0\0"), true },
	{ "half a type", BYTES("\0"), false },
	{ "no length", BYTES("\x4a\x4a"), false },
	{ "half a length", BYTES("\x4a\x4a\0"), false },
	{ "a length that is more than there is", BYTES("\x4a\x4a\0\1"), false },
	{ "a name", BYTES(NAME_A), true },
	{ "a name twice", BYTES(NAME_A NAME_A), false },
	{ "no list of names", BYTES("\0\0\0\0"), false },
	{ "an empty list of names", BYTES("\0\0\0\2\0\0"), false },
	{ "an empty name", BYTES("\0\0\0\5\0\3\0\0\0"), false },
	{ "a name without a length", BYTES("\0\0\0\3\0\1\0"), false },
	{ "a name of another kind", BYTES("\0\0\0\6\0\4\1\0\1a"), false },
	{ "two names", BYTES("\0\0\0\12\0\10\0\0\1a\0\0\1b"), false },
	{ "a byte behind the name", BYTES("\0\0\0\7\0\5\0\0\1ab"), false },
	{ "a byte behind the list", BYTES("\0\0\0\7\0\4\0\0\1ab"), false },
	{ "a list that is longer than it", BYTES("\0\0\0\6\0\5\0\0\1a"),
		false },
	{ "a name that is longer", BYTES("\0\0\0\6\0\4\0\0\2a"), false },
	{ "protocols", BYTES("\0\20\0\5\0\3\2h2"), true },
	{ "no protocol", BYTES("\0\20\0\2\0\0"), false },
	{ "an empty protocol", BYTES("\0\20\0\3\0\1\0"), false },
	{ "an empty protocol behind one", BYTES("\0\20\0\6\0\4\2h2\0"), false },
	{ "a protocol that is longer", BYTES("\0\20\0\5\0\3\3h2"), false },
	{ "a byte behind protocols", BYTES("\0\20\0\6\0\3\2h2x"), false },
	{ "protocols twice", BYTES("\0\20\0\5\0\3\2h2\0\20\0\5\0\3\2h2"),
		false },
	{ "a key of before, whatever it is", BYTES("\0\51\0\2ab"), true },
	{ "a ticket twice", BYTES("\0\43\0\0\0\43\0\0"), false },
	{ "versions", BYTES("\0\53\0\3\2\3\4"), true },
	{ "no version", BYTES("\0\53\0\1\0"), false },
	{ "a version and a half", BYTES("\0\53\0\4\3\3\4\3"), false },
	{ "half a version", BYTES("\0\53\0\2\1\3"), false },
	{ "a byte behind versions", BYTES("\0\53\0\4\2\3\4\0"), false },
};

Test(client_hello, extensions)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct parts p = usual(lists[i].bytes, lists[i].n);
		struct client_hello h;

		cr_assert_eq(read_parts(&h, &p),
			lists[i].fine ? CLIENT_HELLO_COMPLETE
				      : CLIENT_HELLO_MALFORMED,
			"%s", lists[i].what);
	}
}

static const struct {
	const char *what;
	struct parts parts;
	bool fine;
} bodies[] = {
	{ "no extensions", { "", "\x13\x01", "", NULL, 0, 2, 1, 0, NULL },
		true },
	{ "a session id of 32",
		{ "0123456789abcdef0123456789abcdef", "\x13\x01", "", NULL, 32,
			2, 1, 0, NULL },
		true },
	{ "a session id of 33",
		{ "0123456789abcdef0123456789abcdef0", "\x13\x01", "", NULL, 33,
			2, 1, 0, NULL },
		false },
	{ "no suites", { "", "", "", NULL, 0, 0, 1, 0, NULL }, false },
	{ "a suite and a half",
		{ "", "\x13\x01\x13", "", NULL, 0, 3, 1, 0, NULL }, false },
	{ "no compression", { "", "\x13\x01", "", NULL, 0, 2, 0, 0, NULL },
		false },
	{ "a byte behind the extensions",
		{ "", "\x13\x01", "", "", 0, 2, 1, 0, "x" }, false },
	{ "a byte for extensions",
		{ "", "\x13\x01", "", NULL, 0, 2, 1, 0, "x" }, false },
};

Test(client_hello, bodies)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct client_hello h;

		cr_assert_eq(read_parts(&h, &bodies[i].parts),
			bodies[i].fine ? CLIENT_HELLO_COMPLETE
				       : CLIENT_HELLO_MALFORMED,
			"%s", bodies[i].what);
	}
}

/* A message that ends within any of its parts; before extensions it may. */
/* Who has been here, or says so: by a ticket (35) or a key (41). */
Test(client_hello, resumes)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool resumes;
	} rows[] = {
		{ BYTES(NAME_A), false },
		{ BYTES("\0\43\0\0"), false },
		{ BYTES("\0\43\0\1x"), true },
		{ BYTES("\0\51\0\1x"), true },
		{ BYTES("\0\43\0\0" NAME_A "\0\51\0\2xy"), true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parts p = usual(rows[i].bytes, rows[i].n);
		struct client_hello h;

		cr_assert_eq(read_parts(&h, &p), CLIENT_HELLO_COMPLETE);
		cr_assert_eq(h.resumes, rows[i].resumes, "%zu", i);
	}
}

Test(client_hello, cut_short)
{
	static uint8_t data[LARGE], again[LARGE];
	size_t n = load("chromium", data) - HEADER, complete = 0;

	for (size_t i = 4; i < n; i++) {
		struct client_hello h = { 0 };
		size_t k;

		data[HEADER + 2] = (uint8_t)((i - 4) >> 8);
		data[HEADER + 3] = (uint8_t)(i - 4);
		k = cut(again, data + HEADER, i, i);
		if (client_hello_read(&h, again, k) == CLIENT_HELLO_COMPLETE)
			complete = complete == 0 ? i : n;
	}
	/* The header, the version and the random, id, suites, compression. */
	cr_assert_eq(complete, 4 + 34 + 33 + 34 + 2);
}

/* --- names --- */

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct {
	const char *said, *name; /* NULL: it is none */
} names[] = {
	{ "a", "a" },
	{ "A.Test", "a.test" },
	{ "a.test.", "a.test" },
	{ "a_b-c.test", "a_b-c.test" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "1.test", "1.test" },
	{ "1a", "1a" },
	{ SIXTY "abc.test", SIXTY "abc.test" },
	{ SIXTY "abcd.test", NULL },
	{ SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi",
		SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi" },
	{ SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi.",
		SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi" },
	{ SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghij", NULL },
	{ SIXTY "." SIXTY "." SIXTY "." SIXTY "." SIXTY, NULL },
	{ ".", NULL },
	{ ".test", NULL },
	{ "a..test", NULL },
	{ "a.test..", NULL },
	{ "*.test", NULL },
	{ "a b.test", NULL },
	{ "a.test:443", NULL },
	{ "a/b", NULL },
	{ "b\xc3\xbc"
	  "cher.example",
		NULL },
	{ "127.0.0.1", NULL },
	{ "127.0.0.1.", NULL },
	{ "127.1", NULL },
	{ "2130706433", NULL },
	{ "::1", NULL },
	{ "[::1]", NULL },
	{ "a\r\nb", NULL },
};

static struct client_hello read_name(const char *name, size_t n)
{
	char bytes[512];
	struct parts p = usual(bytes, n + 9);
	struct client_hello h;

	bytes[0] = bytes[1] = bytes[6] = 0;
	put_number((uint8_t *)bytes + 2, n + 5, 2);
	put_number((uint8_t *)bytes + 4, n + 3, 2);
	put((uint8_t *)bytes + 7, name, n, 2);
	cr_assert_eq(read_parts(&h, &p), CLIENT_HELLO_COMPLETE, "%s", name);
	return h;
}

Test(client_hello, names)
{
	struct client_hello h;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = names[i].name;

		h = read_name(names[i].said, strlen(names[i].said));
		cr_assert_eq(h.naming,
			name ? CLIENT_HELLO_NAMED : CLIENT_HELLO_MISNAMED,
			"[%s]", names[i].said);
		cr_assert_str_eq(h.name, name ? name : "");
	}
	h = read_name(BYTES("a.test\0.evil"));
	cr_assert_eq(h.naming, CLIENT_HELLO_MISNAMED);
	cr_assert_str_eq(h.name, "");
}

/* --- records --- */

static const struct {
	const char *what, *bytes;
	size_t n;
	enum client_hello_verdict verdict;
} openings[] = {
	{ "nothing", BYTES(""), CLIENT_HELLO_PARTIAL },
	{ "a request", BYTES("G"), CLIENT_HELLO_NOT_TLS },
	{ "frp's byte", BYTES("\x17"), CLIENT_HELLO_NOT_TLS },
	{ "an alert", BYTES("\x15\3\1\0\2"), CLIENT_HELLO_NOT_TLS },
	{ "SSL 2", BYTES("\x80\x2e\1\3\1"), CLIENT_HELLO_NOT_TLS },
	{ "another version", BYTES("\x16\2"), CLIENT_HELLO_NOT_TLS },
	{ "a future version", BYTES("\x16\4"), CLIENT_HELLO_NOT_TLS },
	{ "two bytes", BYTES("\x16\3"), CLIENT_HELLO_PARTIAL },
	{ "a header", BYTES("\x16\3\xff\0\1"), CLIENT_HELLO_PARTIAL },
	{ "an empty record", BYTES("\x16\3\1\0\0"), CLIENT_HELLO_MALFORMED },
	{ "a record of 2^14", BYTES("\x16\3\1\x40\0"), CLIENT_HELLO_PARTIAL },
	{ "a longer one", BYTES("\x16\3\1\x40\1"), CLIENT_HELLO_MALFORMED },
	{ "a ServerHello", BYTES("\x16\3\1\0\1\2"), CLIENT_HELLO_MALFORMED },
	{ "a ServerHello at once", BYTES("\x16\3\1\0\5\2"),
		CLIENT_HELLO_MALFORMED },
	{ "16384 bytes", BYTES("\x16\3\1\0\5\1\0\x3f\xfc"),
		CLIENT_HELLO_PARTIAL },
	{ "16385 bytes", BYTES("\x16\3\1\0\5\1\0\x3f\xfd"),
		CLIENT_HELLO_TOO_LONG },
	{ "a message that ends before its record",
		BYTES("\x16\3\1\0\5\1\0\0\0"), CLIENT_HELLO_MALFORMED },
	{ "an empty message", BYTES("\x16\3\1\0\4\1\0\0\0"),
		CLIENT_HELLO_MALFORMED },
	{ "an alert in between", BYTES("\x16\3\1\0\1\1\x15"),
		CLIENT_HELLO_MALFORMED },
	{ "a request in between", BYTES("\x16\3\1\0\1\1G"),
		CLIENT_HELLO_MALFORMED },
	{ "another version in between", BYTES("\x16\3\1\0\1\1\x16\2"),
		CLIENT_HELLO_MALFORMED },
	{ "an empty record in between", BYTES("\x16\3\1\0\1\1\x16\3\1\0\0"),
		CLIENT_HELLO_MALFORMED },
};

Test(client_hello, openings)
{
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		struct client_hello h = { 0 }, bytes = { 0 };
		const uint8_t *data = (const uint8_t *)openings[i].bytes;
		enum client_hello_verdict v = CLIENT_HELLO_PARTIAL;

		cr_assert_eq(client_hello_read(&h, data, openings[i].n),
			openings[i].verdict, "%s", openings[i].what);
		for (size_t n = 0;
			n <= openings[i].n && v == CLIENT_HELLO_PARTIAL; n++)
			v = client_hello_read(&bytes, data, n);
		cr_assert_eq(v, openings[i].verdict, "%s", openings[i].what);
	}
}

/* The longest that may be, in as many records as may be; and one more. */
Test(client_hello, limits)
{
	static uint8_t data[LARGE];
	static char extension[LARGE];
	const size_t around = 4 + 34 + 1 + 4 + 2 + 2;
	size_t n = CLIENT_HELLO_MESSAGE_MAX - around;
	struct client_hello h = { 0 };
	struct parts p = usual(extension, n);

	extension[0] = 0x4a;
	put_number((uint8_t *)extension + 2, n - 4, 2);
	n = make(data, &p);
	cr_assert_eq(n, CLIENT_HELLO_MESSAGE_MAX + HEADER);
	cr_assert_eq(client_hello_read(&h, data, n), CLIENT_HELLO_COMPLETE);
	for (size_t size = 1; size < 10; size++) {
		static uint8_t again[7 * CLIENT_HELLO_MESSAGE_MAX];
		size_t k = cut(again, data + HEADER, n - HEADER, size);

		h = (struct client_hello){ 0 };
		cr_assert_eq(client_hello_read(&h, again, k),
			k > CLIENT_HELLO_MAX ? CLIENT_HELLO_TOO_LONG
					     : CLIENT_HELLO_COMPLETE,
			"%zu", size);
	}
}

Test(client_hello, partial_is_short)
{
	static uint8_t data[LARGE];
	struct client_hello h = { 0 };
	enum client_hello_verdict v = CLIENT_HELLO_PARTIAL;
	size_t n = 0;

	/* Of a message of 16 KiB, each byte in a record of its own. */
	for (size_t i = 0; i < LARGE / 6; i++)
		memcpy(data + 6 * i, "\x16\3\1\0\1", 6);
	memcpy(data + 5, "\1", 1);
	memcpy(data + 17, "\x3f", 1);
	while (v == CLIENT_HELLO_PARTIAL)
		v = client_hello_read(&h, data, ++n);
	cr_assert_eq(v, CLIENT_HELLO_TOO_LONG);
	cr_assert_leq(n, CLIENT_HELLO_MAX);
}

Test(client_hello, alerts)
{
	uint8_t out[CLIENT_HELLO_ALERT_SIZE];

	client_hello_refuse(out, CLIENT_HELLO_UNRECOGNIZED_NAME);
	cr_assert(!memcmp(out, "\x15\3\3\0\2\2\x70", sizeof(out)));
	client_hello_refuse(out, CLIENT_HELLO_DECODE_ERROR);
	cr_assert(!memcmp(out, "\x15\3\3\0\2\2\x32", sizeof(out)));
}
