/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/runtimes-parse.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>

#define TWICE(s) s s
#define ID(s)	 TWICE(TWICE(TWICE(TWICE(TWICE(s)))))
#define A	 ID("a1")

TEST(parse_bounds)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_buf_ struct buf text = {0};
	const char *value;

	buf_puts(&text, "{\"ID\":\"x\",\"Config\":{\"Labels\":{\"long\":\"");
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "ä");
	buf_puts(&text, "x\",\"number\":7,\"\":\"empty key\"");
	for (int i = 0; i < 400; i++)
		buf_puts(&text, i ? "k" : ",\"");
	buf_puts(&text, "\":\"key too long\"");
	for (int i = 0; i < 100; i++)
		buf_printf(&text, ",\"k%d\":\"%d\"", i, i);
	buf_puts(&text, "}}}");
	CHECK_EQ(parse_docker(buf_str(&text), &info), 0);
	CHECK_EQ(info.n_labels, CONTAINER_LABELS_MAX);
	value = container_info_label(&info, "long");
	/* 256 bytes are 128 characters of two bytes each */
	CHECK_EQ(strlen(value ? value : ""), CONTAINER_TEXT_MAX);
	CHECK_STREQ(container_info_label(&info, "k62"), "62");
	CHECK(!container_info_label(&info, "k63"));
	CHECK(!container_info_label(&info, "number") && !container_info_label(&info, ""));
}

TEST(parse_cuts_between_characters)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_buf_ struct buf text = {0};

	buf_puts(&text, "{\"ID\":\"x\",\"Name\":\"/a");
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "ä");
	buf_puts(&text, "\"}");
	CHECK_EQ(parse_docker(buf_str(&text), &info), 0);
	CHECK_EQ(strlen(info.name), CONTAINER_TEXT_MAX - 1);
}

TEST(parse_broken)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"null",
		"7",
		"\"x\"",
		"{\"ID\":7}",
		"{\"ID\":\"../x\"}",
		"{\"id\":\"a/b\"}",
		"{\"ID\":\"x\"} more",
		"[{\"id\":\"x\"}",
		"\xff\xfe{}",
	};

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		struct container_info info = {0};
		struct oci_state state = {.id = NULL};
		struct str text = str_of(texts[i]);

		CHECK_EQ(parse_docker(text, &info), -EBADMSG);
		CHECK_EQ(parse_oci_config(text, &info), -EBADMSG);
		CHECK_EQ(parse_oci_state(text, &state), -EBADMSG);
		CHECK(parse_storage(text, STR("x"), &info) < 0);
		CHECK(!parse_docker_daemon(text) && !parse_storage_conf(text, "graphroot"));
		CHECK(!info.id && !info.n_labels && !state.bundle);
	}
}

/* What is known stays: the first source is the best. */
TEST(parse_adds_only)
{
	_cleanup_container_ struct container_info info = {.runtime = RUNTIME_PODMAN};

	info.name = xstrdup("first");
	CHECK_EQ(parse_docker(
			 STR("{\"ID\":\"x\",\"Name\":\"/second\",\"Config\":{\"Image\":\"i\"}}"),
			 &info),
		 0);
	CHECK_STREQ(info.name, "first");
	CHECK_STREQ(info.image, "i");
	CHECK_EQ(info.runtime, RUNTIME_PODMAN);
}

TEST(parse_names)
{
	static const char *const bad[] = {"",	  "_",	  "__",	       "a_b",	"a_b_c_d",  "_b_c",
					  "a__c", "a_b_", "a_b_c.log", "a_b_c", "a_b_-.log"};
	struct container_info info = {0};

	for (size_t i = 0; i < ELEMENTS(bad); i++)
		CHECK(!parse_container_log(str_of(bad[i]), &info));
	CHECK(!parse_pod_log(STR("a_b"), &info) && !parse_pod_log(STR("a_b_c_d"), &info));
	CHECK(!parse_kubernetes_name(STR("k8s_a_b_c_d"), &info));
	CHECK(!parse_kubernetes_name(STR("my_a_b_c_d_0"), &info));
	CHECK(!info.name && !info.pod_name);
	CHECK(parse_container_log(STR("pay_shop_api-" A ".log"), &info));
	CHECK_STREQ(info.name, "api");
	CHECK_STREQ(info.pod_name, "pay");
	CHECK_STREQ(info.pod_namespace, "shop");
	CHECK_STREQ(info.id, A);
	container_info_done(&info);
	CHECK(parse_kubernetes_name(STR("k8s_POD_pay_shop_uid_12"), &info));
	CHECK(info.is_sandbox);
	container_info_done(&info);
}

TEST(parse_unit_escapes)
{
	static const char *const cases[][2] = {
		{"web", "web"},		{"a\\x2db", "a-b"},    {"\\x2d\\x2d", "--"},
		{"a\\x2", "a\\x2"},	{"a\\xzz", "a\\xzz"},  {"", ""},
		{"a\\x00b", "a\\x00b"}, {"\\x5cx2d", "\\x2d"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_free_ char *text = parse_unit_escapes(str_of(cases[i][0]));

		CHECK_STREQ(text, cases[i][1]);
	}
}

TEST(parse_storage_conf)
{
	static const char *const cases[][2] = {
		{"[storage]\ngraphroot = \"/a\"", "/a"},
		{"[storage]\n\tgraphroot='/a b' # c\n", "/a b"},
		{"[storage]\r\ngraphroot = \"/a\"\r\n", "/a"},
		{"graphroot = \"/a\"", NULL},
		{"[storage]\n#graphroot = \"/a\"", NULL},
		{"[storage]\ngraphroot = /a", NULL},
		{"[storage]\ngraphroot = \"\"", NULL},
		{"[storage]\ngraphroot = \"/a", NULL},
		{"[storage]\ngraphroot", NULL},
		{"[storage.options]\ngraphroot = \"/a\"", NULL},
		{"[a]\n[storage]\nrunroot = \"/r\"\n[b]\ngraphroot = \"/b\"", NULL},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_free_ char *value = parse_storage_conf(str_of(cases[i][0]), "graphroot");

		test_result(value && cases[i][1] ? !strcmp(value, cases[i][1])
						 : value == cases[i][1],
			    __FILE__, __LINE__, "%s: %s", cases[i][0], value);
	}
}
