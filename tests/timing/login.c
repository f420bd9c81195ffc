/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit-timing: whether the time that a refused login takes tells if there is
 * such a user. As dudect measures it (Reparaz, Balasch, Verbauwhede: "Dude, is
 * my code constant time?", DATE 2017): two classes, chosen at random from one
 * try to the next, Welch's t-test between them, over all tries and over those
 * below each of several percentiles, as the slow ones are of other causes.
 *
 *   adit-timing [TRIES [ROUNDS]]
 *
 * One line a round and kind of login: the largest |t| and the mean times. From
 * 4.5 on the classes differ, where nothing else runs on the machine; only
 * above BOUND the exit code is 1, as machines are noisy.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/crypto/login.h"
#include "common/crypto/random.h"
#include "server/users/admission.h"
#include "server/settings.h"

#define BOUND 10
#define TRIES 100000
#define ROUNDS 5
#define CROPS 100 /* percentiles that are looked at */
#define WARM 1000 /* tries before the first that counts */

#define NOW 1700000000
#define USERS 50
#define NAME 9 /* bytes of a name with its NUL */

enum kind {
	KIND_SIGNED,
	KIND_LEGACY,
	KINDS
};

/* What is asked for: a user that there is, or is not. */
enum class {
	CLASS_KNOWN,
	CLASS_UNKNOWN,
	CLASSES
};

struct sample {
	int64_t ns;
	enum class class;
};

/* Welford's sums of one class. */
struct sums {
	double n, mean, squares;
};

static struct settings settings;
static struct settings_user list[USERS];
static char names[CLASSES][USERS][NAME], tokens[USERS][80];
static char keys[USERS][PROOF_PUBLIC_TEXT];
static const char *key_lists[USERS][1];
static struct proof_key guess; /* nobody's */
static uint64_t seed;

static uint32_t pick(uint32_t n)
{
	/* Any generator will do that the predictors of a CPU do not learn. */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/*
 * Names that nobody has, for each user one with which its record is looked at:
 * which one that is tells nothing, but each takes its own time.
 */
static bool name_strangers(const struct users *users)
{
	char *name;
	size_t missing = USERS;

	for (uint32_t i = 0; i < 10000000 && missing > 0; i++) {
		char text[NAME];
		bool known;
		const struct user *u;

		snprintf(text, sizeof(text), "v%07u", i);
		u = users_find_evenly(users, text, &known);
		name = names[CLASS_UNKNOWN][u->says - list];
		if (*name || known)
			continue;
		memcpy(name, text, NAME);
		missing--;
	}
	return missing == 0;
}

/* Users with keys, and with frpTokens of several lengths. */
static struct users *make_users(void)
{
	const struct settings_users all = { USERS, list };

	for (uint32_t i = 0; i < USERS; i++) {
		struct proof_key key;

		snprintf(names[CLASS_KNOWN][i], NAME, "u%07u", i);
		memset(tokens[i], 'x', 4 + i % 60);
		proof_key_derive(&key, tokens[i], 4 + i % 60);
		proof_public_write(keys[i], key.public);
		key_lists[i][0] = keys[i];
		list[i] = (struct settings_user){ .name = names[0][i],
			.bandwidth = "",
			.frp_token = tokens[i],
			.keys = { .n = 1, .v = key_lists[i] },
			.expires = "" };
	}
	proof_key_derive(&guess, "guess", strlen("guess"));
	settings.auth_token = "shared";
	return users_make(&all, NULL, NULL);
}

/* One refused login, of a name and with a proof that were never seen. */
static struct sample try(struct users *users, enum kind kind)
{
	static char user[NAME], md5[LOGIN_KEY_SIZE], token[40];
	static char key[PROOF_PUBLIC_TEXT], sig[PROOF_SIGNATURE_TEXT];
	static uint8_t binding[PROOF_BINDING_SIZE];
	uint8_t signature[PROOF_SIGNATURE_SIZE];
	struct sample s = { .class = (enum class)pick(CLASSES) };
	struct message_login m = { .user = user,
		.client_id = "0123456789abcdef",
		.privilege_key = "",
		.timestamp = NOW + pick(1000),
		.adit = { .key = "", .sig = "" } };
	struct proof_login what = { binding, user, m.client_id };
	struct admission_terms terms = { .settings = &settings,
		.users = users,
		.secure = true,
		.binding = binding,
		.now = NOW };
	struct admission a;
	bool good;

	memcpy(user, names[s.class][pick(USERS)], NAME);
	if (kind == KIND_SIGNED) {
		random_bytes(binding, sizeof(binding));
		if (!proof_sign(signature, &guess, &what))
			never_reached();
		proof_public_write(key, guess.public);
		proof_signature_write(sig, signature);
		m.adit.key = key;
		m.adit.sig = sig;
	} else {
		snprintf(token, sizeof(token), "guess %u", pick(1000000));
		login_key(md5, token, m.timestamp);
		m.privilege_key = md5;
	}
	s.ns = clock_now();
	good = admission_check(&a, &terms, &m);
	s.ns = clock_now() - s.ns;
	if (good || !a.failed)
		never_reached();
	return s;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct sample *)a)->ns;
	int64_t y = ((const struct sample *)b)->ns;

	return (x > y) - (x < y);
}

static void add(struct sums *s, double x)
{
	double off = x - s->mean;

	s->n++;
	s->mean += off / s->n;
	s->squares += off * (x - s->mean);
}

static double welch(const struct sums s[CLASSES])
{
	double variance = 0;

	for (int i = 0; i < CLASSES; i++)
		variance += s[i].squares / (s[i].n - 1) / s[i].n;
	return variance > 0 ? (s[0].mean - s[1].mean) / sqrt(variance) : 0;
}

/*
 * The largest |t| of all tries and of those below each percentile, which are
 * denser where most tries are, as in dudect; *mean_r: of the fastest half.
 */
static double judge(struct sample *all, size_t n, double mean_r[CLASSES])
{
	struct sums s[CLASSES] = { 0 };
	size_t at = 0;
	double worst = 0;

	qsort(all, n, sizeof(*all), by_time);
	for (int crop = 1; crop <= CROPS; crop++) {
		double part = 1 - pow(0.5, 10.0 * crop / CROPS);
		size_t to = crop == CROPS ? n : (size_t)(part * (double)n);
		double t;

		for (; at < to; at++)
			add(&s[all[at].class], (double)all[at].ns);
		if (crop == CROPS / 10)
			for (int i = 0; i < CLASSES; i++)
				mean_r[i] = s[i].mean;
		/* Of few tries nothing is known. */
		if (s[0].n < 1000 || s[1].n < 1000)
			continue;
		t = fabs(welch(s));
		worst = t > worst ? t : worst;
	}
	return worst;
}

static bool measure(
	struct users *users, enum kind kind, struct sample *all, size_t n)
{
	static const char *const kinds[] = { "signed", "legacy" };
	double t, mean[CLASSES];

	for (int i = 0; i < WARM; i++)
		(void)try(users, kind);
	for (size_t i = 0; i < n; i++)
		all[i] = try(users, kind);
	t = judge(all, n, mean);
	printf("%s  t %5.2f  known %.1f ns  unknown %.1f ns  of the fastest "
	       "half\n",
		kinds[kind], t, mean[CLASS_KNOWN], mean[CLASS_UNKNOWN]);
	return t <= BOUND;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : TRIES;
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	struct users *users = make_users();
	struct sample *all = calloc(n, sizeof(*all));
	bool good = true;

	random_bytes(&seed, sizeof(seed));
	seed |= 1;
	if (!users || !all || n < 2 * WARM || !name_strangers(users))
		return 2;
	for (int i = 0; i < rounds; i++)
		for (int kind = 0; kind < KINDS; kind++)
			good &= measure(users, (enum kind)kind, all, n);
	free(all);
	users_drop(&users);
	return good ? 0 : 1;
}
