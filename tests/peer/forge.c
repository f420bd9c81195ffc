/* SPDX-License-Identifier: Apache-2.0 */

/*
 * adit-forge: TLS as adit speaks it, moved by a test. Each line on stdin is a
 * command, its words parted by tabs, and is answered by one line of words:
 *
 *   open PORT [bare]     a new connection to 127.0.0.1; its channel binding, in
 *                        hex, and `resumed` or `full`
 *   accept FD            the same on an inherited connection, as aditd, with
 *                        --cert and --key
 *   send HEX             `sent`
 *   recv                 `data` HEX, or `end`
 *   flood N              N records of one space: `sent`
 *   export LABEL CONTEXT what the TLS session exports, in hex
 *   sign TOKEN BINDING USER CLIENT   a public key and a signature, as text
 *   public TOKEN         the public key alone
 *   close                `closed`
 *
 * or by `failed` and why. TLS sessions are kept from one `open` to the next.
 * Options: --cert FILE and --key FILE to show, --records N sealed with a key
 * before the next KeyUpdate, --silent: without ALPN.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/dialogue.h"
#include "common/conf/command.h"
#include "common/crypto/login_proof.h"
#include "common/crypto/tls.h"

#define TIME (15 * CLOCK_SECOND)
#define WORDS 5

struct options {
	const char *cert, *key;
	int64_t records;
	bool silent;
};

static const struct command_option options[] = {
	{ .name = "cert",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, cert) },
	{ .name = "key",
		.argument = "FILE",
		COMMAND_DEF(STRING, struct options, key) },
	{ .name = "records",
		.argument = "N",
		COMMAND_DEF(INT, struct options, records),
		.max = INT32_MAX },
	{ .name = "silent", COMMAND_DEF(FLAG, struct options, silent) },
};

static const struct command command = {
	.usage = "adit-forge\n", .options = options, .n = ARRAY_SIZE(options)
};

static struct dialogue talk;
static struct tls_context *context, *serving;
static struct tls_sessions *sessions;

static void say_hex(const char *word, const uint8_t *bytes, size_t n)
{
	fputs(word, stdout);
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

/* Bytes of hex digits into `out`; how many. */
static size_t read_hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static void failed(int rc)
{
	const struct transform *t = dialogue_transform(&talk);

	printf("failed\t%s\n", t && t->trouble ? t->trouble : strerror(-rc));
}

static void open_it(char **words)
{
	uint8_t binding[TLS_EXPORT_SIZE];
	struct address a;
	bool bare = words[2] && !strcmp(words[2], "bare");
	int rc = address_parse(&a, "127.0.0.1", (uint16_t)atoi(words[1]));

	dialogue_close(&talk);
	if (rc == 0)
		rc = dialogue_connect(&talk, &a, NULL, clock_now() + TIME);
	if (rc == 0 && !bare)
		rc = dialogue_enter(&talk, tls_client(context, "", sessions));
	if (rc == 0 && !bare)
		rc = tls_channel_binding(dialogue_transform(&talk), binding);
	if (rc < 0) {
		failed(rc);
		return;
	}
	if (bare) {
		puts("bare");
		return;
	}
	say_hex("", binding, sizeof(binding));
	puts(tls_is_resumed(dialogue_transform(&talk)) ? "\tresumed"
						       : "\tfull");
}

static void accept_it(char **words)
{
	uint8_t binding[TLS_EXPORT_SIZE];
	int rc;

	dialogue_close(&talk);
	talk = (struct dialogue){ .fd = atoi(words[1]),
		.connected = true,
		.deadline = clock_now() + TIME };
	rc = serving ? dialogue_enter(&talk, tls_server(serving)) : -EINVAL;
	if (rc == 0)
		rc = tls_channel_binding(dialogue_transform(&talk), binding);
	if (rc < 0) {
		failed(rc);
		return;
	}
	say_hex("", binding, sizeof(binding));
	puts(tls_is_resumed(dialogue_transform(&talk)) ? "\tresumed"
						       : "\tfull");
}

static void send_it(char **words)
{
	size_t size = strlen(words[1]) / 2;
	uint8_t *bytes = malloc(size + 1);
	int rc = -ENOMEM;

	if (bytes)
		rc = dialogue_send(
			&talk, bytes, read_hex(words[1], bytes, size));
	free(bytes);
	if (rc < 0)
		failed(rc);
	else
		puts("sent");
}

static void receive_it(char **words)
{
	static uint8_t bytes[65536];
	ssize_t n;

	(void)words;
	talk.deadline = clock_now() + TIME;
	n = dialogue_receive(&talk, bytes, sizeof(bytes));
	if (n < 0) {
		failed((int)n);
		return;
	}
	say_hex(n > 0 ? "data\t" : "end", bytes, (size_t)n);
	putchar('\n');
}

static void flood(char **words)
{
	int rc = 0;

	for (int n = atoi(words[1]); n > 0 && rc == 0; n--)
		rc = dialogue_send(&talk, " ", 1);
	if (rc < 0)
		failed(rc);
	else
		puts("sent");
}

static void export_it(char **words)
{
	uint8_t out[TLS_EXPORT_SIZE];
	struct transform *t = dialogue_transform(&talk);
	int rc = t ? tls_export(t, words[1], words[2], strlen(words[2]), out)
		   : -EINVAL;

	if (rc < 0) {
		failed(rc);
		return;
	}
	say_hex("", out, sizeof(out));
	putchar('\n');
}

static void sign_it(char **words)
{
	uint8_t binding[PROOF_BINDING_SIZE] = { 0 };
	uint8_t signature[PROOF_SIGNATURE_SIZE];
	char key_text[PROOF_PUBLIC_TEXT], text[PROOF_SIGNATURE_TEXT];
	struct proof_login login = { binding, words[3], words[4] };
	struct proof_key key;

	read_hex(words[2], binding, sizeof(binding));
	proof_key_derive(&key, words[1], strlen(words[1]));
	proof_public_write(key_text, key.public);
	if (proof_sign(signature, &key, &login)) {
		proof_signature_write(text, signature);
		printf("%s\t%s\n", key_text, text);
	} else {
		puts("failed\ta name is too long");
	}
	proof_key_wipe(&key);
}

static void show_public(char **words)
{
	char text[PROOF_PUBLIC_TEXT];
	struct proof_key key;

	proof_key_derive(&key, words[1], strlen(words[1]));
	proof_public_write(text, key.public);
	proof_key_wipe(&key);
	puts(text);
}

static void close_it(char **words)
{
	(void)words;
	dialogue_close(&talk);
	puts("closed");
}

static const struct {
	const char *name;
	int words; /* at least */
	void (*run)(char **words);
} commands[] = {
	{ "open", 2, open_it },
	{ "accept", 2, accept_it },
	{ "send", 2, send_it },
	{ "recv", 1, receive_it },
	{ "flood", 2, flood },
	{ "export", 3, export_it },
	{ "sign", 5, sign_it },
	{ "public", 2, show_public },
	{ "close", 1, close_it },
};

static void run(char *line)
{
	char *words[WORDS + 1] = { 0 };
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < WORDS && (words[n] = strsep(&line, "\t")))
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(words[0], commands[i].name) &&
			n >= commands[i].words) {
			commands[i].run(words);
			fflush(stdout);
			return;
		}
	puts("failed\tno such command");
	fflush(stdout);
}

static int make_context(const struct options *o)
{
	char error[CERTIFICATE_ERROR_SIZE] = "no memory";
	struct certificate *shown = NULL;
	struct tls_client_terms terms = { .min = TLS_1_3,
		.alpn = o->silent ? TLS_ALPN_SILENT : TLS_ALPN_OFFERED,
		.key_records = (uint64_t)o->records };

	if (o->cert && o->key) {
		shown = certificate_load(o->cert, o->key, error);
		if (!shown)
			fprintf(stderr, "adit-forge: %s\n", error);
		terms.certificate = shown;
	}
	if (shown)
		serving = tls_context_server(
			&(struct tls_server_terms){
				.certificate = shown, .adit = true },
			error);
	context = tls_context_client(&terms, error);
	certificate_free(&shown);
	sessions = tls_sessions_create();
	return context && sessions ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct command_words words;
	char error[COMMAND_ERROR];
	char *line = NULL;
	size_t size = 0;

	if (command_parse(&command, argc, argv, &o, &words, error) < 0 ||
		make_context(&o) < 0) {
		fprintf(stderr, "adit-forge: %s\n", error);
		return 2;
	}
	while (getline(&line, &size, stdin) > 0)
		run(line);
	free(line);
	dialogue_close(&talk);
	tls_sessions_destroy(&sessions);
	tls_context_unref(&context);
	tls_context_unref(&serving);
	return 0;
}
