/* SPDX-License-Identifier: Apache-2.0 */

/* The character classes, and the small comparisons. */

#include "common/http/text.h"

#include <string.h>

/* Sums of the classes that a byte belongs to. */
#define T TEXT_TOKEN
#define R TEXT_TARGET
#define V TEXT_VALUE
#define H TEXT_HOST

const uint8_t text_classes[256] = {
	['\t'] = V,
	[' '] = V,
	['!'] = T | R | V,
	['"'] = R | V,
	['#'] = T | V,
	['$' ... '\''] = T | R | V,
	['('] = R | V,
	[')'] = R | V,
	['*'] = T | R | V,
	['+'] = T | R | V,
	[','] = R | V,
	['-'] = T | R | V | H,
	['.'] = T | R | V | H,
	['/'] = R | V,
	['0' ... '9'] = T | R | V | H,
	[':' ... '@'] = R | V,
	['A' ... 'Z'] = T | R | V | H,
	['[' ... ']'] = R | V,
	['^'] = T | R | V,
	['_'] = T | R | V | H,
	['`'] = T | R | V,
	['a' ... 'z'] = T | R | V | H,
	['{'] = R | V,
	['|'] = T | R | V,
	['}'] = R | V,
	['~'] = T | R | V,
	[0x80 ... 0xff] = R | V,
};

bool text_is_token(struct http_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text_is(text.data[i], TEXT_TOKEN))
			return false;
	return text.len > 0;
}

bool text_equal_whole(struct http_text text, const char *word, bool loose)
{
	if (text.len != strlen(word))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t have = text_lower(text.data[i]);
		uint8_t want = text_lower((uint8_t)word[i]);

		if (have != want && !(loose && have == '_' && want == '-'))
			return false;
	}
	return true;
}

int text_hex(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = text_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool text_same(struct http_text a, struct http_text b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	return true;
}

struct http_text text_trim(struct http_text text)
{
	while (text.len > 0 && text_is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && text_is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

bool text_number(struct http_text text, uint64_t *number_r)
{
	uint64_t number = 0;

	if (text.len == 0 || text.len > 18)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (text.data[i] - '0');
	}
	*number_r = number;
	return true;
}

bool text_list_next(struct http_text *rest, struct http_text *member)
{
	size_t n = 0;

	if (!rest->data)
		return false;
	while (n < rest->len && rest->data[n] != ',')
		n++;
	*member = text_trim((struct http_text){ rest->data, n });
	if (n == rest->len) {
		/* The last member: nothing is left, not even an empty one. */
		rest->data = NULL;
		rest->len = 0;
	} else {
		rest->data += n + 1;
		rest->len -= n + 1;
	}
	return true;
}
