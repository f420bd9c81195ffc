/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Conversations that a watch follows: one piece or many tell the same, and no
 * byte is looked at that is not there. The first two bytes say how many of the
 * others are the requests'; the rest are the responses'.
 */

#include <stdlib.h>
#include <string.h>

#include "common/http/watch.h"
#include "tests/fuzz/fuzz.h"

#define TOLD 4096

typedef struct watch_step look_fn(
	struct watch *w, const uint8_t *bytes, size_t size, int64_t now);

static struct watch_exchange told[TOLD];
static size_t told_size;

static void done(struct watch *w, const struct watch_exchange *e)
{
	(void)w;
	must(e->method_len > 0 && e->method_len <= HTTP_METHOD_MAX);
	must(e->target_len > 0 && (e->status == 0 || e->status >= 101));
	must(e->status != 0 || e->cut);
	must(told_size < TOLD);
	told[told_size++] = *e;
}

/* Show a direction; each piece in memory of its own size. */
static void show(struct watch *w, look_fn *look, const uint8_t *bytes,
	size_t size, size_t piece)
{
	uint64_t skip = 0;

	for (size_t at = 0; at < size;) {
		size_t n = piece < size - at ? piece : size - at, in = 0;
		uint8_t *copy = malloc(n);

		must(copy);
		memcpy(copy, bytes + at, n);
		while (in < n) {
			struct watch_step s = { skip, true };

			if (skip == 0)
				s = look(w, copy + in, n - in, 1);
			must((s.count == 0) == (w->stopped && skip == 0));
			must(s.skip || s.count <= n - in);
			if (s.count == 0)
				break;
			skip = s.skip ? s.count : 0;
			if (s.count > n - in)
				s.count = n - in;
			if (skip > 0)
				skip -= s.count;
			in += s.count;
		}
		free(copy);
		at += n;
	}
}

static void follow(
	const uint8_t *data, size_t requests, size_t size, size_t piece)
{
	static struct watch w;

	memset(&w, 0, sizeof(w));
	told_size = 0;
	watch_init(&w, done);
	show(&w, watch_request, data, requests, piece);
	show(&w, watch_response, data + requests, size - requests, piece);
	watch_end(&w, true, 2);
	must(w.count == 0);
}

static bool same(const struct watch_exchange *a, const struct watch_exchange *b)
{
	size_t kept =
		a->target_len < WATCH_TARGET ? a->target_len : WATCH_TARGET;

	return a->status == b->status && a->cut == b->cut && a->in == b->in &&
	       (a->cut || a->out == b->out) && a->method_len == b->method_len &&
	       a->target_len == b->target_len &&
	       !memcmp(a->method, b->method, a->method_len) &&
	       !memcmp(a->target, b->target, kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct watch_exchange whole[TOLD];
	size_t requests, n;

	if (size < 2 || size > 1 << 16)
		return 0;
	requests = (size_t)(data[0] << 8 | data[1]);
	size -= 2;
	if (requests > size)
		requests = size;
	follow(data + 2, requests, size, size + 1);
	memcpy(whole, told, told_size * sizeof(*told));
	n = told_size;
	follow(data + 2, requests, size, 1 + data[1] % 7);
	must(n == told_size);
	for (size_t i = 0; i < n; i++)
		must(same(&whole[i], &told[i]));
	return 0;
}
