/* SPDX-License-Identifier: Apache-2.0 */
/* Types by name, and blobs that are written and read again. */
#include "base/macro.h"
#include "isa/btf-write.h"
#include "isa/btf.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * struct inner { int x; int y; };  typedef struct { struct inner in; union { int a; long b; };
 * } outer;  static int f(outer *);
 */
static void write_types(struct buf *blob)
{
	struct btf_writer w;
	uint32_t i32, i64, inner, anonymous, outer, pointer, proto;

	btf_writer_init(&w);
	i32 = btf_write_int(&w, "int", 4, BTF_INT_SIGNED);
	i64 = btf_write_int(&w, "long", 8, BTF_INT_SIGNED);
	inner = btf_write_struct(&w, BTF_KIND_STRUCT, "inner", 8, 2);
	btf_write_member(&w, "x", i32, 0);
	btf_write_member(&w, "y", i32, 32);
	anonymous = btf_write_struct(&w, BTF_KIND_UNION, NULL, 8, 2);
	btf_write_member(&w, "a", i32, 0);
	btf_write_member(&w, "b", i64, 0);
	outer = btf_write_struct(&w, BTF_KIND_STRUCT, NULL, 16, 2);
	btf_write_member(&w, "in", inner, 0);
	btf_write_member(&w, NULL, anonymous, 64);
	outer = btf_write_ref(&w, BTF_KIND_TYPEDEF, "outer", outer);
	pointer = btf_write_ref(&w, BTF_KIND_PTR, NULL, outer);
	proto = btf_write_proto(&w, i32, &pointer, NULL, 1);
	btf_write_func(&w, "f", proto, BTF_FUNC_STATIC);
	btf_write_array(&w, outer, i32, 3);
	btf_write_blob(&w, blob);
	btf_writer_done(&w);
}

TEST(written_and_found)
{
	_cleanup_buf_ struct buf blob = {0};
	struct btf_place place;
	struct btf_view v;
	uint32_t outer, f;

	write_types(&blob);
	CHECK_EQ(btf_view_init(&v, blob.p, blob.n), 0);
	outer = btf_find(&v, BTF_TYPES, "outer");
	f = btf_find(&v, BTF_ONE(FUNC), "f");
	CHECK(outer && f);
	CHECK_EQ(btf_find(&v, BTF_ONE(STRUCT), "outer"), 0);
	CHECK_EQ(btf_find(&v, ~0u, "no such"), 0);
	CHECK_EQ(btf_find(&v, ~0u, ""), 0);
	CHECK_EQ(btf_find_next(&v, ~0u, "outer", outer), 0);
	CHECK_EQ(btf_size(&v, outer), 16);
	CHECK_EQ(btf_size(&v, btf_view_n(&v) - 1), 48);
	CHECK_EQ(btf_size(&v, f), 0);
	CHECK(btf_member_find(&v, outer, "b", &place));
	CHECK_EQ(place.bit_offset, 64);
	CHECK_EQ(btf_size(&v, place.type), 8);
	CHECK(!btf_member_find(&v, outer, "x", &place));
	CHECK_EQ(btf_type_kind(btf_view_type(&v, btf_proto(&v, f))), BTF_KIND_FUNC_PROTO);
	btf_view_done(&v);
}

/* A module's blob goes on where its base ends, ids and strings. */
TEST(split)
{
	_cleanup_buf_ struct buf base_blob = {0}, blob = {0};
	struct btf_view base, v;
	struct btf_place place;
	struct btf_writer w;
	uint32_t id;

	write_types(&base_blob);
	CHECK_EQ(btf_view_init(&base, base_blob.p, base_blob.n), 0);
	btf_writer_init(&w);
	/* the writer knows no base: names get their offset by hand */
	w.strings.n = 1;
	btf_write_struct(&w, BTF_KIND_STRUCT, "mine", 16, 1);
	btf_write_member(&w, "o", btf_find(&base, BTF_TYPES, "outer"), 0);
	((struct btf_type *)w.types.p)->name_off += base.strings_n;
	((struct btf_member *)(w.types.p + sizeof(struct btf_type)))->name_off += base.strings_n;
	btf_write_blob(&w, &blob);
	CHECK_EQ(btf_view_init_split(&v, &base, blob.p, blob.n), 0);
	id = btf_find(&v, BTF_ONE(STRUCT), "mine");
	CHECK_EQ(id, btf_view_n(&base));
	CHECK_EQ(btf_find(&v, BTF_TYPES, "outer"), btf_find(&base, BTF_TYPES, "outer"));
	CHECK(btf_member_find(&v, id, "o", &place));
	CHECK_EQ(btf_size(&v, place.type), 16);
	btf_view_done(&v);
	btf_view_done(&base);
	btf_writer_done(&w);
}

/* Names are searched for at first, and later looked up: with the same result. */
TEST(searched_as_indexed)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	_cleanup_buf_ struct buf blob = {0};
	uint32_t first[ELEMENTS(names)][2];
	struct btf_writer w;
	struct btf_view v;

	btf_writer_init(&w);
	for (uint32_t i = 0; i < 40; i++) {
		const char *name = names[i % 4];

		/* the writer repeats names, as no kernel does */
		btf_write_struct(&w, i % 3 ? BTF_KIND_STRUCT : BTF_KIND_UNION, name, i, 0);
		if (i % 5 == 0)
			btf_write_func(&w, name, i, BTF_FUNC_STATIC);
	}
	btf_write_blob(&w, &blob);
	btf_writer_done(&w);
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		CHECK_EQ(btf_view_init(&v, blob.p, blob.n), 0);
		first[i][0] = btf_find(&v, BTF_TYPES, names[i]);
		first[i][1] = btf_find(&v, BTF_ONE(FUNC), names[i]);
		CHECK(first[i][0] && first[i][1]);
		for (int again = 0; again < 100; again++) {
			CHECK_EQ(btf_find(&v, BTF_TYPES, names[i]), first[i][0]);
			CHECK_EQ(btf_find(&v, BTF_ONE(FUNC), names[i]), first[i][1]);
			CHECK_EQ(btf_find(&v, BTF_TYPES, "e"), 0);
		}
		btf_view_done(&v);
	}
}

/* Functions that programs may call are found by their tags, if names are in order. */
TEST(kfuncs)
{
	static const char *const orders[][5] = {
		{"bpf_a", "bpf_b", "bpf_rdonly_cast", "bpf_z", "c"},
		{"bpf_rdonly_cast", "c", "d", "e", "f"},
		{"a", "b", "c", "d", "bpf_rdonly_cast"}, /* not in order */
	};

	for (size_t k = 0; k < ELEMENTS(orders); k++)
		for (uint32_t before = 0; before < 50; before += 7)
			for (int tag = 0; tag < 4; tag++) {
				static const char *const tags[] = {"bpf_kfunc", "other",
								   "bpf_kfunc"};
				_cleanup_buf_ struct buf blob = {0};
				uint32_t cast = 0, found;
				struct btf_writer w;
				struct btf_view v;

				btf_writer_init(&w);
				for (uint32_t i = 0; i < before; i++)
					btf_write_int(&w, "some", 4, 0);
				for (size_t i = 0; i < 5; i++) {
					uint32_t proto = btf_write_proto(&w, 0, NULL, NULL, 0);
					uint32_t id = btf_write_func(&w, orders[k][i], proto,
								     BTF_FUNC_STATIC);
					bool is_cast = !strcmp(orders[k][i], "bpf_rdonly_cast");

					if (tag < 3)
						btf_write_decl_tag(&w, tags[tag], id,
								   tag == 2 ? 0 : -1);
					cast = is_cast ? id : cast;
				}
				btf_write_blob(&w, &blob);
				btf_writer_done(&w);
				CHECK_EQ(btf_view_init(&v, blob.p, blob.n), 0);
				found = btf_kfunc(&v, "bpf_rdonly_cast");
				if (tag || k < 2)
					CHECK_EQ(found, tag ? 0 : cast);
				else
					CHECK(!found || found == cast);
				CHECK_EQ(btf_kfunc(&v, "bpf_rdonly_cast"), found);
				CHECK_EQ(btf_kfunc(&v, "bpf_other"), 0);
				CHECK_EQ(btf_kfunc(&v, "aa"), 0);
				CHECK_EQ(btf_kfunc(&v, "zz"), 0);
				btf_view_done(&v);
			}
}

/* Of the kernel's own: those that it tags, and no others. */
static void check_kfuncs(const struct btf_view *v)
{
	unsigned int wrong = 0, tagged = 0;
	const char *last = "";
	bool is_ordered = true;

	for (uint32_t id = 1; id + 1 < btf_view_n(v); id++) {
		const struct btf_type *t = btf_view_type(v, id), *next = btf_view_type(v, id + 1);
		bool has_tag = btf_type_kind(next) == BTF_KIND_DECL_TAG &&
			       !strcmp(btf_view_name(v, next), "bpf_kfunc");

		if (btf_type_kind(t) != BTF_KIND_FUNC)
			continue;
		is_ordered = is_ordered && strcmp(last, btf_view_name(v, t)) <= 0;
		last = btf_view_name(v, t);
		tagged += has_tag;
		if (has_tag || id % 512 == 0)
			wrong += btf_kfunc(v, last) != (has_tag ? id : 0);
	}
	if (is_ordered)
		test_result(!wrong, __FILE__, __LINE__, "%u of %u functions", wrong, tagged);
	else
		test_skip("the kernel's functions are not in the order of their names");
}

static double ms_since(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) * 1e3 + (double)(now.tv_nsec - t->tv_nsec) / 1e6;
}

TEST(kernel_types)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	struct btf_place place;
	struct timespec start;
	struct btf_view v;
	struct stat st;
	char *blob;
	size_t n = 0;
	ssize_t r;
	int64_t value;
	uint32_t task;

	if (fd < 0 || fstat(fd, &st) < 0) {
		test_skip("the kernel has no BTF");
		return;
	}
	blob = malloc((size_t)st.st_size);
	while ((r = read(fd, blob + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)r;
	close(fd);
	CHECK_EQ(btf_view_init(&v, blob, n), 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	task = btf_find(&v, BTF_ONE(STRUCT), "task_struct");
	CHECK(ms_since(&start) < 20);
	CHECK(task);
	CHECK(btf_member_find(&v, task, "pid", &place));
	CHECK_EQ(btf_size(&v, place.type), 4);
	CHECK(btf_proto(&v, btf_find(&v, BTF_ONE(TYPEDEF), "btf_trace_sys_enter")));
	CHECK(btf_proto(&v, btf_find(&v, BTF_ONE(FUNC), "do_exit")));
	CHECK(btf_enumerator_find(&v, "BPF_FUNC_map_lookup_elem", &value, NULL));
	CHECK_EQ(value, 1);
	check_kfuncs(&v);
	btf_view_done(&v);
	free(blob);
}
