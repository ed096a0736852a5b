/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may do and what it is made of: the state files of
 * tests/data/runtimes/facts, and the texts that a record packs into one.
 */
#include "event/ident/container-text.h"
#include "event/ident/runtimes-parse.h"
#include "event/ident/runtimes.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

#define TWICE(s) s s
#define ID(s)	 TWICE(TWICE(TWICE(TWICE(TWICE(s)))))

static bool is_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The mounts as one line, as `container.mounts` has them. */
static void print_mounts(struct buf *to, struct str rest)
{
	struct container_mount m;

	while (container_mount_next(&rest, &m)) {
		if (to->n)
			buf_putc(to, ' ');
		buf_put_str(to, m.source);
		buf_putc(to, ':');
		buf_put_str(to, m.destination);
		buf_putc(to, ':');
		buf_put_str(to, m.mode);
		buf_printf(to, ":%s:", m.is_writable ? "true" : "false");
		buf_put_str(to, m.propagation);
	}
	CHECK_EQ(rest.n, 0);
}

enum {
	KNOWN = WIRE_CONTAINER_KNOWN,
	MOUNTS = WIRE_CONTAINER_MOUNTS,
	PRIVILEGED = WIRE_CONTAINER_PRIVILEGED,
	PID = WIRE_CONTAINER_HOST_PID,
	NET = WIRE_CONTAINER_HOST_NET,
	IPC = WIRE_CONTAINER_HOST_IPC,
};

TEST(facts)
{
	static const struct {
		const char *path, *image, *image_id, *digest, *ip, *pod_label, *mounts;
		uint64_t start_ns;
		uint32_t bits;
	} cases[] = {
		{"/docker/" ID("a1"), "registry.example:5000/shop/cart:1.2", ID("99"),
		 "sha256:" ID("77"), "172.17.0.2", "app",
		 "/etc:/etc/host:ro:false:rprivate "
		 "/var/lib/docker/volumes/data/_data:/data:z:true:",
		 1772600767123456789, KNOWN | MOUNTS | PRIVILEGED | PID},
		{"/docker/" ID("b2"), "pause:3", NULL, NULL, "10.1.2.3", "tier", "", 0,
		 KNOWN | MOUNTS | NET | IPC},
		{"/docker/" ID("c3"), "registry.example:5000/shop/cart:1.2", ID("99"),
		 "sha256:" ID("77"), NULL, NULL, "", 0, 0},
		{"/libpod_parent/libpod-" ID("d4"), "localhost/box:latest", ID("99"),
		 "sha256:" ID("66"), NULL, NULL,
		 "/tmp:/mnt:rw:true:rslave /:/host:ro:false:rprivate "
		 "/etc/shadow:/etc/hostname::true: /srv:/plain::true:",
		 1795269837473177371, KNOWN | MOUNTS | PRIVILEGED | PID | IPC},
		{"/default/" ID("e5"), NULL, NULL, NULL, NULL, NULL, "", 0,
		 KNOWN | MOUNTS | PRIVILEGED},
		{"/default/" ID("f6"), NULL, NULL, NULL, NULL, NULL, "", 0, KNOWN | MOUNTS},
	};
	struct runtimes *r = runtimes_new(TEST_DATA "/runtimes/facts");

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_container_ struct container_info info = {0};
		_cleanup_buf_ struct buf mounts = {0};
		struct container_ref ref;
		struct str labels;

		CHECK(container_of_cgroup(str_of(cases[i].path), &ref));
		CHECK_EQ(runtimes_lookup(r, &ref, &info), 0);
		CHECK(is_text(info.image, cases[i].image));
		CHECK(is_text(info.image_id, cases[i].image_id));
		CHECK(is_text(info.digest, cases[i].digest));
		CHECK(is_text(info.ip, cases[i].ip));
		CHECK_EQ(info.start_ns, cases[i].start_ns);
		CHECK_EQ(info.bits, cases[i].bits);
		print_mounts(&mounts, buf_str(&info.mounts));
		CHECK_STREQ(mounts.p ? mounts.p : "", cases[i].mounts);
		labels = buf_str(&info.pod_labels);
		CHECK_EQ(labels.n > 0, cases[i].pod_label != NULL);
		if (cases[i].pod_label)
			CHECK(memmem(labels.p, labels.n, cases[i].pod_label,
				     strlen(cases[i].pod_label) + 1) != NULL);
	}
	runtimes_free(r);
}

TEST(times)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{"2026-03-04T05:06:07Z", 1772600767000000000},
		{"2026-03-04T05:06:07.8Z", 1772600767800000000},
		{"2026-03-04T06:06:07.000000001+01:00", 1772600767000000001},
		{"2026-03-04T00:36:07-04:30", 1772600767000000000},
		{"2026-03-04T05:06:07.1234567891234Z", 1772600767123456789},
		{"0001-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00Z", 0},
		{"2026-03-04T05:06:07", 0},
		{"2026-03-04T05:06:07.5", 0},
		{"2026-03-04 05:06:07Z", 0},
		{"2026-13-04T05:06:07Z", 0},
		{"2026-03-04T05:06:0xZ", 0},
		{"2026-03-04T05:06:07+1:00", 0},
		{"2026-03-04T05:06:07+99:00", 0},
		{"", 0},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		test_result(parse_time(str_of(cases[i].text)) == cases[i].ns, __FILE__, __LINE__,
			    "%zu", i);
}

TEST(images)
{
	static const struct {
		const char *image, *repository, *tag, *digest;
	} cases[] = {
		{"nginx", "nginx", "", ""},
		{"nginx:1.25", "nginx", "1.25", ""},
		{"docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25", ""},
		{"registry.example:5000/a/b", "registry.example:5000/a/b", "", ""},
		{"registry.example:5000/a/b:3", "registry.example:5000/a/b", "3", ""},
		{"a/b@sha256:7", "a/b", "", "sha256:7"},
		{"a:5000/b:3@sha256:7", "a:5000/b", "3", "sha256:7"},
		{"sha256:7", "", "", ""},
		{":", "", "", ""},
		{"", "", "", ""},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct image_name name;

		image_name_split(str_of(cases[i].image), &name);
		test_result(str_eq(name.repository, str_of(cases[i].repository)) &&
				    str_eq(name.tag, str_of(cases[i].tag)) &&
				    str_eq(name.digest, str_of(cases[i].digest)),
			    __FILE__, __LINE__, "%s", cases[i].image);
	}
}

TEST(mounts_are_bounded)
{
	_cleanup_container_ struct container_info info = {0};
	_cleanup_buf_ struct buf text = {0};
	struct container_mount m;
	struct str rest;
	size_t n = 0;

	buf_puts(&text, "{\"ociVersion\": \"1\", \"linux\": {}, \"mounts\": [");
	for (int i = 0; i < 100; i++)
		buf_printf(&text,
			   "{\"type\": \"bind\", \"source\": \"/s%d\", \"destination\": "
			   "\"/%0*d\"},",
			   i, i == 3 ? 2000 : 90, i);
	buf_puts(&text, "{}]}");
	CHECK_EQ(parse_oci_config(buf_str(&text), &info), 0);
	CHECK(info.bits & WIRE_CONTAINER_CUT);
	CHECK(info.mounts.n <= CONTAINER_MOUNTS_MAX);
	rest = buf_str(&info.mounts);
	while (container_mount_next(&rest, &m))
		n++;
	CHECK(n > 30 && n < 45);
	CHECK_EQ(rest.n, 0);
	rest = STR("a\0b\0c\0true\0");
	CHECK(!container_mount_next(&rest, &m));
}

TEST(docker_host_files)
{
	_cleanup_container_ struct container_info info = {0};

	CHECK_EQ(parse_docker_host(STR("{}"), &info), -EBADMSG);
	CHECK_EQ(parse_docker_host(STR("[]"), &info), -EBADMSG);
	CHECK_EQ(parse_docker_images(STR("{}"), &info), -EBADMSG);
	CHECK_EQ(parse_docker_images(STR("{\"Repositories\": {\"a\": 1}}"), &info), 0);
	CHECK_EQ(parse_storage_images(STR("{}"), &info), -EBADMSG);
	CHECK_EQ(info.bits, 0);
	CHECK_EQ(parse_docker_host(STR("{\"Privileged\": false, \"PidMode\": 5}"), &info), 0);
	CHECK_EQ(info.bits, WIRE_CONTAINER_KNOWN);
}
