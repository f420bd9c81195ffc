/* SPDX-License-Identifier: Apache-2.0 */

#include "client/words.h"

#include <stdio.h>

#include "common/base/address.h"
#include "common/base/compiler.h"

static const char *const first[] = { "able", "amber", "apt", "bold", "brave",
	"brief", "bright", "brisk", "calm", "clear", "clever", "cool", "crisp",
	"deft", "eager", "early", "easy", "even", "fair", "fast", "fine",
	"firm", "fond", "free", "fresh", "gentle", "glad", "golden", "good",
	"grand", "green", "happy", "hardy", "honest", "keen", "kind", "light",
	"lively", "loyal", "lucky", "merry", "mild", "neat", "new", "nimble",
	"noble", "plain", "polite", "proud", "quick", "quiet", "rapid", "ready",
	"silver", "simple", "smart", "snug", "spry", "steady", "sunny", "swift",
	"tidy", "warm", "wise" };

static const char *const second[] = { "alder", "ant", "aspen", "badger", "bay",
	"beech", "bee", "birch", "brook", "cedar", "cloud", "clover", "comet",
	"coral", "crane", "creek", "dove", "eagle", "elk", "elm", "falcon",
	"fern", "field", "finch", "fox", "frog", "glade", "grove", "harbor",
	"hare", "hawk", "heron", "hill", "iris", "lake", "lark", "leaf", "lily",
	"lynx", "maple", "meadow", "moss", "oak", "olive", "otter", "owl",
	"panda", "pine", "pond", "rain", "raven", "reef", "river", "robin",
	"seal", "snow", "spruce", "star", "stone", "swan", "tiger", "trout",
	"willow", "wren" };

/* FNV-1a, with a NUL between what follows each other. */
static uint64_t mix(uint64_t hash, const char *text)
{
	do {
		hash ^= (unsigned char)*text;
		hash *= 0x100000001b3;
	} while (*text++);
	return hash;
}

void words_make(char out[static WORDS_SIZE], const char *user, const char *host,
	uint16_t port, unsigned turn)
{
	uint64_t hash = mix(0xcbf29ce484222325, user);
	struct address a[2];
	char number[32];

	/* One service by either name. */
	if (address_localhost(a, host, port) > 0)
		host = "127.0.0.1";
	snprintf(number, sizeof(number), "%u %u", port, turn);
	hash = mix(mix(hash, host), number);
	/* Its lowest bits are the least mixed ones. */
	hash ^= hash >> 32;
	snprintf(out, WORDS_SIZE, "%s-%s", first[hash % ARRAY_SIZE(first)],
		second[hash / ARRAY_SIZE(first) % ARRAY_SIZE(second)]);
}
