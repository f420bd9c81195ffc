/* SPDX-License-Identifier: Apache-2.0 */

/* Messages: frp's known answers, every row there and back, refusals. */
// links: common/wire/tree.c common/wire/decode.c common/wire/encode.c common/wire/schema.c common/wire/frame.c
// libs: -ljansson

#include "common/wire/message.h"
#include "common/wire/tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/frame.h"

static uint8_t frame[FRAME_MAX];
static const char *why;

static size_t make(char type, const char *body)
{
	size_t n = strlen(body);

	frame_header(frame, (uint8_t)type, n);
	memcpy(frame + FRAME_HEADER_SIZE, body, n);
	return FRAME_HEADER_SIZE + n;
}

static int decode(char type, const char *body, struct message *m)
{
	return message_decode(frame, make(type, body), m, &why);
}

static void expect_frame(const struct message *m, char type, const char *body)
{
	ssize_t n = message_encode(m, frame, sizeof(frame));

	cr_assert_gt(n, FRAME_HEADER_SIZE);
	frame[n] = '\0';
	cr_assert_eq(frame[0], type);
	cr_assert_str_eq((char *)frame + FRAME_HEADER_SIZE, body);
	cr_assert_eq((size_t)n, FRAME_HEADER_SIZE + strlen(body));
}

Test(message, login_known_answer)
{
	struct message m = { .type = MESSAGE_LOGIN };

	m.login.version = "0.60.0";
	m.login.os = "linux";
	m.login.arch = "amd64";
	m.login.privilege_key = "3d8aac6cc09d79da303be74c311e5808";
	m.login.timestamp = 1700000000;
	m.login.pool_count = 1;
	expect_frame(&m, 'o',
		"{\"version\":\"0.60.0\",\"os\":\"linux\",\"arch\":\"amd64\","
		"\"privilege_key\":\"3d8aac6cc09d79da303be74c311e5808\","
		"\"timestamp\":1700000000,\"client_spec\":{},"
		"\"pool_count\":1}");
	cr_assert_eq(frame[8], 0x9a);
}

Test(message, small_known_answers)
{
	struct message m = { .type = MESSAGE_LOGIN_RESP };

	m.login_resp.version = "0.60.0";
	m.login_resp.run_id = "0123456789abcdef";
	expect_frame(&m, '1',
		"{\"version\":\"0.60.0\",\"run_id\":\"0123456789abcdef\"}");
	cr_assert_eq(frame[8], 0x30);

	m = (struct message){ .type = MESSAGE_REQ_WORK_CONN };
	expect_frame(&m, 'r', "{}");

	m = (struct message){ .type = MESSAGE_NEW_WORK_CONN };
	m.new_work_conn.run_id = "0123456789abcdef";
	expect_frame(&m, 'w', "{\"run_id\":\"0123456789abcdef\"}");

	m = (struct message){ .type = MESSAGE_START_WORK_CONN };
	m.start_work_conn.proxy_name = "ssh";
	m.start_work_conn.src_addr = "203.0.113.7";
	m.start_work_conn.dst_addr = "198.51.100.1";
	m.start_work_conn.src_port = 51234;
	m.start_work_conn.dst_port = 6000;
	expect_frame(&m, 's',
		"{\"proxy_name\":\"ssh\",\"src_addr\":\"203.0.113.7\","
		"\"dst_addr\":\"198.51.100.1\",\"src_port\":51234,"
		"\"dst_port\":6000}");
	cr_assert_eq(frame[8], 0x68);

	m = (struct message){ .type = MESSAGE_UDP_PACKET };
	m.udp_packet.content = "aGVsbG8=";
	m.udp_packet.remote.present = true;
	m.udp_packet.remote.ip = "203.0.113.7";
	m.udp_packet.remote.port = 51234;
	expect_frame(&m, 'u',
		"{\"c\":\"aGVsbG8=\",\"r\":{\"IP\":\"203.0.113.7\","
		"\"Port\":51234,\"Zone\":\"\"}}");
	cr_assert_eq(frame[8], 0x40);
}

/* One body for each message, in the order in which it is written again. */
Test(message, every_message_there_and_back)
{
	static const struct {
		char type;
		enum message_type want;
		const char *body;
	} rows[] = {
		{ 'o', MESSAGE_LOGIN,
			"{\"version\":\"1\",\"hostname\":\"h\",\"os\":\"l\","
			"\"arch\":\"a\",\"user\":\"u\",\"privilege_key\":\"k\","
			"\"timestamp\":-7,\"run_id\":\"r\",\"client_id\":\"c\","
			"\"metas\":{\"a\":\"b\",\"c\":\"\"},\"client_spec\":{"
			"\"type\":\"ssh\",\"always_auth_pass\":true},"
			"\"pool_count\":5,\"adit\":{\"v\":1,\"caps\":["
			"\"half-close\",\"x\"]}}" },
		{ '1', MESSAGE_LOGIN_RESP,
			"{\"error\":\"no\",\"adit\":{\"v\":1,\"caps\":[]}}" },
		{ 'p', MESSAGE_NEW_PROXY,
			"{\"proxy_name\":\"n\",\"proxy_type\":\"http\","
			"\"use_encryption\":true,\"use_compression\":true,"
			"\"bandwidth_limit\":\"1MB\",\"bandwidth_limit_mode\":"
			"\"server\",\"group\":\"g\",\"group_key\":\"k\","
			"\"metas\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\"},"
			"\"remote_port\":6000,\"custom_domains\":[\"a\",\"b\"],"
			"\"subdomain\":\"s\",\"locations\":[\"/\"],"
			"\"http_user\":\"u\",\"http_pwd\":\"p\","
			"\"host_header_rewrite\":\"h\",\"headers\":{\"x\":"
			"\"y\"},\"response_headers\":{\"v\":\"w\"},"
			"\"route_by_http_user\":\"r\",\"sk\":\"s\","
			"\"allow_users\":[\"*\"],\"multiplexer\":"
			"\"httpconnect\"}" },
		{ '2', MESSAGE_NEW_PROXY_RESP,
			"{\"proxy_name\":\"n\",\"remote_addr\":\":6000\","
			"\"error\":\"e\"}" },
		{ 'c', MESSAGE_CLOSE_PROXY, "{\"proxy_name\":\"n\"}" },
		{ 'w', MESSAGE_NEW_WORK_CONN,
			"{\"run_id\":\"r\",\"privilege_key\":\"k\","
			"\"timestamp\":9}" },
		{ 'r', MESSAGE_REQ_WORK_CONN, "{}" },
		{ 's', MESSAGE_START_WORK_CONN,
			"{\"proxy_name\":\"n\",\"src_port\":65535,"
			"\"error\":\"e\"}" },
		{ 'v', MESSAGE_NEW_VISITOR_CONN,
			"{\"run_id\":\"r\",\"proxy_name\":\"p\",\"sign_key\":"
			"\"s\",\"timestamp\":1,\"use_encryption\":true,"
			"\"use_compression\":true}" },
		{ '3', MESSAGE_NEW_VISITOR_CONN_RESP,
			"{\"proxy_name\":\"p\",\"error\":\"e\"}" },
		{ 'h', MESSAGE_PING,
			"{\"privilege_key\":\"k\",\"timestamp\":1}" },
		{ '4', MESSAGE_PONG, "{\"error\":\"e\"}" },
		{ 'u', MESSAGE_UDP_PACKET,
			"{\"c\":\"aA==\",\"l\":{\"IP\":\"\",\"Port\":0,"
			"\"Zone\":\"\"},\"r\":{\"IP\":\"::1\",\"Port\":1,"
			"\"Zone\":\"z\"}}" },
		{ 'i', MESSAGE_NAT_HOLE_VISITOR,
			"{\"transaction_id\":\"t\",\"proxy_name\":\"p\","
			"\"pre_check\":true,\"protocol\":\"quic\",\"sign_key\":"
			"\"s\",\"timestamp\":1,\"mapped_addrs\":[\"a:1\"],"
			"\"assisted_addrs\":[\"b:2\"]}" },
		{ 'n', MESSAGE_NAT_HOLE_CLIENT,
			"{\"transaction_id\":\"t\",\"proxy_name\":\"p\","
			"\"sid\":\"s\",\"mapped_addrs\":[\"a:1\"],"
			"\"assisted_addrs\":[\"b:2\"]}" },
		{ 'm', MESSAGE_NAT_HOLE_RESP,
			"{\"transaction_id\":\"t\",\"sid\":\"s\",\"protocol\":"
			"\"kcp\",\"candidate_addrs\":[\"a:1\"],"
			"\"assisted_addrs\":[\"b:2\"],\"detect_behavior\":{"
			"\"role\":\"sender\",\"mode\":4,\"ttl\":7,"
			"\"send_delay_ms\":100,\"read_timeout\":5000,"
			"\"candidate_ports\":[{\"from\":1,\"to\":2},{"
			"\"from\":3,\"to\":4}],\"send_random_ports\":5,"
			"\"listen_random_ports\":6},\"error\":\"e\"}" },
		{ '5', MESSAGE_NAT_HOLE_SID,
			"{\"transaction_id\":\"t\",\"sid\":\"s\",\"response\":"
			"true,\"nonce\":\"n\"}" },
		{ '6', MESSAGE_NAT_HOLE_REPORT,
			"{\"sid\":\"s\",\"success\":true}" },
		{ 'M', MESSAGE_MOVE, "{}" },
	};

	cr_assert_eq(ARRAY_SIZE(rows), MESSAGE_TYPES);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct message m;

		cr_assert_eq(decode(rows[i].type, rows[i].body, &m), 0,
			"%s: %s", rows[i].body, why);
		cr_assert_eq(m.type, rows[i].want);
		expect_frame(&m, rows[i].type, rows[i].body);
		message_clear(&m);
	}
}

Test(message, absent_means_empty)
{
	struct message m;

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(decode('o', i ? "{\"user\":null}" : "{}", &m), 0);
		cr_assert_str_eq(m.login.user, "");
		cr_assert_str_eq(m.login.client_spec.type, "");
		cr_assert_eq(m.login.metas.count, 0);
		cr_assert_not(m.login.adit.present);
		message_clear(&m);
	}
	message_clear(&m);
}

Test(message, keys_in_any_case_unknown_ones_ignored)
{
	struct message m;

	cr_assert_eq(
		decode('2', "{\"Proxy_NAME\":\"a\",\"later\":[1,{}]}", &m), 0);
	cr_assert_str_eq(m.new_proxy_resp.proxy_name, "a");
	message_clear(&m);
}

Test(message, escapes)
{
	struct message m;

	cr_assert_eq(
		decode('4', "{\"error\":\"\\u003c\\ud83d\\ude00\\n\"}", &m), 0);
	cr_assert_str_eq(m.pong.error, "<\xf0\x9f\x98\x80\n");
	message_clear(&m);
}

Test(message, refused)
{
	static const struct {
		char type;
		const char *body, *why;
	} rows[] = {
		{ 'o', "", "bad JSON" },
		{ 'o', "{\"version\"", "bad JSON" },
		{ 'o', "[]", "not an object" },
		{ 'o', "null", "bad JSON" },
		{ 'o', "\"text\"", "bad JSON" },
		{ 'o', "{} {}", "bad JSON" },
		{ 'o', "{\"user\":\"\xff\"}", "bad JSON" },
		{ 'o', "{\"user\":\"\\u0000\"}", "bad JSON" },
		{ 'o', "{\"user\":\"\\ud800\"}", "bad JSON" },
		{ 'o', "{\"a\":1,\"a\":2}", "bad JSON" },
		{ 'o', "{\"metas\":{\"a\":\"1\",\"a\":\"2\"}}", "bad JSON" },
		{ 'o', "{\"user\":\"a\",\"User\":\"b\"}", "twice" },
		{ 'o', "{\"user\":1}", "\"user\" is not a string" },
		{ 'o', "{\"timestamp\":\"1\"}", "is not an integer" },
		{ 'o', "{\"timestamp\":1.0}", "is not an integer" },
		{ 'o', "{\"timestamp\":true}", "is not an integer" },
		{ 'o', "{\"timestamp\":9223372036854775808}", "bad JSON" },
		{ 'o', "{\"metas\":[]}", "is not an object" },
		{ 'o', "{\"metas\":{\"a\":null}}", "is not a string" },
		{ 'o', "{\"client_spec\":1}", "is not an object" },
		{ 'o', "{\"client_spec\":{\"always_auth_pass\":1}}",
			"is not true or false" },
		{ 'o', "{\"adit\":{\"caps\":[1]}}", "is not a string" },
		{ 'p', "{\"locations\":{}}", "is not a list" },
		{ 's', "{\"src_port\":65536}", "is not a port" },
		{ 's', "{\"src_port\":-1}", "is not a port" },
		{ 'm', "{\"detect_behavior\":{\"candidate_ports\":{}}}",
			"is not a list" },
		{ 'm', "{\"detect_behavior\":{\"candidate_ports\":[1]}}",
			"is not an object" },
		{ 'Z', "{}", "unknown type" },
	};
	struct message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(decode(rows[i].type, rows[i].body, &m), -EBADMSG,
			"%s", rows[i].body);
		cr_assert(
			strstr(why, rows[i].why), "%s: %s", rows[i].body, why);
	}
}

Test(message, depth)
{
	char body[FRAME_BODY_MAX + 1];
	struct message m;

	/* The object and 15 arrays; brackets in text do not count. */
	cr_assert_eq(decode('h',
			     "{\"a\":[[[[[[[[[[[[[[[\"[[[[\\\"[[[[\"]]]]]]]"
			     "]]]]]]]]}",
			     &m),
		0);
	message_clear(&m);
	cr_assert_eq(
		decode('h', "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", &m),
		-EBADMSG);
	/* Side by side there may be any number. */
	strcpy(body, "{\"a\":[[]");
	for (int i = 0; i < 20; i++)
		strcat(body, ",[{}]");
	strcat(body, "]}");
	cr_assert_eq(decode('h', body, &m), 0);
	message_clear(&m);
	memset(body, '[', FRAME_BODY_MAX);
	body[FRAME_BODY_MAX] = '\0';
	cr_assert_eq(decode('h', body, &m), -EBADMSG);
	cr_assert(strstr(why, "deeper"));
}

Test(message, sizes)
{
	struct message m = { .type = MESSAGE_PONG };
	char text[FRAME_BODY_MAX + 1];
	uint8_t out[FRAME_MAX + 100];
	/* {"error":"…"} */
	size_t most = FRAME_BODY_MAX - 12;

	memset(text, 'x', sizeof(text));
	text[most] = '\0';
	m.pong.error = text;
	cr_assert_eq(message_encode(&m, out, sizeof(out)), FRAME_MAX);
	cr_assert_eq(message_encode(&m, out, FRAME_MAX - 1), -EMSGSIZE);
	text[most] = 'x';
	text[most + 1] = '\0';
	cr_assert_eq(message_encode(&m, out, sizeof(out)), -EMSGSIZE);
	cr_assert_eq(message_encode(&m, out, 3), -EMSGSIZE);
	m.pong.error = "\xff";
	cr_assert_eq(message_encode(&m, out, sizeof(out)), -EINVAL);
}

/* No mutation of a good frame does harm; what is taken can be written. */
Test(message, mutations)
{
	static const char odd[] = "\"\\{}[],:0123456789eE.-truefalsn\xc3\xff";
	static const char good[] =
		"{\"proxy_name\":\"n\",\"metas\":{\"a\":\"b\"},\"locations\":["
		"\"/\"],\"use_encryption\":true,\"remote_port\":6000}";
	uint8_t out[FRAME_MAX];
	struct message m;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t n = make('p', good);

		for (int k = rand() % 4; k >= 0; k--)
			frame[FRAME_HEADER_SIZE +
				(size_t)rand() % strlen(good)] =
				(uint8_t)odd[(size_t)rand() % sizeof(odd)];
		n -= (size_t)(rand() % 8 ? 0 : rand() % 40);
		if (message_decode(frame, n, &m, &why) < 0)
			continue;
		cr_assert_gt(message_encode(&m, out, sizeof(out)), 0);
		message_clear(&m);
	}
}

Test(message, names)
{
	cr_assert_str_eq(message_name(MESSAGE_NEW_PROXY), "NewProxy");
	cr_assert_str_eq(
		message_name(MESSAGE_NAT_HOLE_REPORT), "NatHoleReport");
}

Test(message, texts_are_wiped)
{
	json_t *tree = json_pack("{s:s, s:[s], s:{s:i}}", "privilege_key",
		"abcdef", "domains", "secret", "map", "n", 1);
	json_t *texts[] = { json_object_get(tree, "privilege_key"),
		json_array_get(json_object_get(tree, "domains"), 0) };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_incref(texts[i]);
	tree_free(tree);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cr_expect_eq(json_string_length(texts[i]), 6);
		cr_expect_eq(
			memcmp(json_string_value(texts[i]), "\0\0\0\0\0", 6),
			0);
		json_decref(texts[i]);
	}
	tree_free(NULL);
}
