/* SPDX-License-Identifier: Apache-2.0 */

#include "common/http/path.h"

/* The path's bytes without their encoding; false: it is wrong. */
static bool decode(struct http_text path, uint8_t *out, size_t *n_r)
{
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++) {
		int high, low;

		out[n] = path.data[i];
		if (path.data[i] == '%') {
			if (path.len - i < 3)
				return false;
			high = text_hex(path.data[i + 1]);
			low = text_hex(path.data[i + 2]);
			if (high < 0 || low < 0 || high + low == 0)
				return false;
			out[n] = (uint8_t)(high * 16 + low);
			i += 2;
		}
		n++;
	}
	*n_r = n;
	return true;
}

/* Some services take a backslash for a slash. */
static bool is_slash(uint8_t byte)
{
	return byte == '/' || byte == '\\';
}

/* The segment at `from`, up to the next slash, without its parameters. */
static struct http_text segment_at(
	struct http_text path, size_t from, size_t *next_r)
{
	struct http_text s = { path.data + from, 0 };
	bool named = true;

	for (; from < path.len && !is_slash(path.data[from]); from++) {
		named = named && path.data[from] != ';';
		s.len += named;
	}
	*next_r = from;
	return s;
}

/* Back to before the last segment of what is written. */
static size_t walk_up(const uint8_t *out, size_t n)
{
	while (n > 0 && out[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

/* What a decoded path comes to. */
static size_t clean(struct http_text path, uint8_t *out)
{
	size_t n = 0, i = 0;
	bool open = false; /* it ends with a slash */

	while (i < path.len) {
		struct http_text s;

		i += is_slash(path.data[i]);
		s = segment_at(path, i, &i);
		open = s.len == 0;
		if (text_equal(s, ".") || text_equal(s, "..")) {
			n = s.len == 2 ? walk_up(out, n) : n;
			open = true;
		} else if (s.len > 0) {
			out[n++] = '/';
			memcpy(out + n, s.data, s.len);
			n += s.len;
		}
	}
	if (open || n == 0)
		out[n++] = '/';
	return n;
}

int path_read(struct http_text target, uint8_t *decoded, uint8_t *cleaned,
	struct http_text *decoded_r, struct http_text *cleaned_r)
{
	const uint8_t *query = memchr(target.data, '?', target.len);
	size_t n;

	if (query)
		target.len = (size_t)(query - target.data);
	if (!decode(target, decoded, &n))
		return -400;
	*decoded_r = (struct http_text){ decoded, n };
	*cleaned_r = (struct http_text){ cleaned, clean(*decoded_r, cleaned) };
	return 0;
}
