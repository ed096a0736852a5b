/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tracepoints a kernel has and how they look, from blobs of BTF: made by hand for
 * each kernel that differs, damaged in every way, and this kernel's own.
 *
 * Makes the seeds of the fuzz target, too: SKEP_CORPUS=FOLDER test-variants seeds
 */
#include "runtime/kern/btf.h"

#include "base/macro.h"
#include "runtime/made-btf.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CYCLE = 64 };

/* Reads a blob as if it were the kernel's file. */
static int read_blob(const struct buf *blob, struct variants *ret)
{
	_cleanup_close_ int fd = memfd_create("btf", MFD_CLOEXEC);
	struct kernel_btf k;
	char path[32];
	int r;

	CHECK_EQ(write(fd, blob->p, blob->n), blob->n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = kernel_btf_open(&k, path);
	if (r < 0)
		return r;
	kernel_btf_variants(&k, ret);
	kernel_btf_close(&k);
	return 0;
}

enum { KIOCB = 3, CTX = 5, CQE = 7, U64 = 8, CONST_KIOCB = 10, CYCLIC = 13 };

/* void *, and what parameters can be; the ids are those above. */
static void add_types(struct made_btf *b)
{
	unsigned int id;

	made_ptr(b, 0);
	id = made_struct(b, "io_kiocb", 1);
	CHECK_EQ(made_ptr(b, id), KIOCB);
	id = made_struct(b, "io_ring_ctx", 1);
	CHECK_EQ(made_ptr(b, id), CTX);
	id = made_struct(b, "io_uring_cqe", 1);
	CHECK_EQ(made_ptr(b, id), CQE);
	CHECK_EQ(made_int(b, "u64", 8), U64);
	id = made_type(b, BTF_KIND_CONST, 0, "", 2);
	CHECK_EQ(made_ptr(b, id), CONST_KIOCB);
	/* a typedef of a typedef of the first one */
	id = made_type(b, BTF_KIND_TYPEDEF, 0, "round", b->n + 2);
	CHECK_EQ(made_type(b, BTF_KIND_TYPEDEF, 0, "and_round", id), id + 1);
	CHECK_EQ(made_ptr(b, id), CYCLIC);
}

/* Kernels as they came, newest first. */
enum kernel { V6_15, V6_3, V6_0, V5_17, V5_10, NOTHING, KERNELS };

static void make_kernel(struct made_btf *b, enum kernel kernel)
{
	add_types(b);
	switch (kernel) {
	case V6_15: /* io_uring_complete(ctx, req, cqe) */
		made_tracepoint(b, "io_uring_submit_req", 1, (uint32_t[]){KIOCB});
		made_tracepoint(b, "io_uring_complete", 3, (uint32_t[]){CTX, U64, CQE});
		break;
	case V6_3: /* io_uring_complete(ctx, req, user_data, res, cflags, extra1, extra2) */
		made_tracepoint(b, "io_uring_submit_req", 1, (uint32_t[]){CONST_KIOCB});
		made_tracepoint(b, "io_uring_complete", 7,
				(uint32_t[]){CTX, U64, U64, U64, U64, U64, U64});
		break;
	case V6_0:
		made_tracepoint(b, "io_uring_submit_sqe", 2, (uint32_t[]){CONST_KIOCB, U64});
		made_tracepoint(b, "io_uring_complete", 7,
				(uint32_t[]){CTX, U64, U64, U64, U64, U64, U64});
		break;
	case V5_17: /* the context comes first, and nothing leads to the request */
		made_tracepoint(b, "io_uring_submit_sqe", 7,
				(uint32_t[]){CTX, U64, U64, U64, U64, U64, U64});
		made_tracepoint(b, "io_uring_complete", 4, (uint32_t[]){CTX, U64, U64, U64});
		break;
	case V5_10:
		made_tracepoint(b, "io_uring_submit_sqe", 5, (uint32_t[]){CTX, U64, U64, U64, U64});
		made_tracepoint(b, "io_uring_complete", 3, (uint32_t[]){CTX, U64, U64});
		break;
	case NOTHING:
	case KERNELS:
		return;
	}
	made_tracepoint(b, "cgroup_mkdir", 2, (uint32_t[]){CTX, U64});
	if (kernel <= V5_17)
		made_name(b, "BPF_FUNC_loop");
}

static void make_blob(enum kernel kernel, struct buf *ret)
{
	struct made_btf b = {0};

	make_kernel(&b, kernel);
	made_blob(&b, ret);
	made_btf_done(&b);
}

TEST(kernels)
{
	static const struct variants expected[KERNELS] = {
		[V6_15] = {.uring_submit_req = true,
			   .uring_complete = true,
			   .uring_has_cqe = true,
			   .cgroup_mkdir = true,
			   .bpf_loop = true},
		[V6_3] = {.uring_submit_req = true,
			  .uring_complete = true,
			  .cgroup_mkdir = true,
			  .bpf_loop = true},
		[V6_0] = {.uring_submit_sqe = true,
			  .uring_complete = true,
			  .cgroup_mkdir = true,
			  .bpf_loop = true},
		[V5_17] = {.cgroup_mkdir = true, .bpf_loop = true},
		[V5_10] = {.cgroup_mkdir = true},
		[NOTHING] = {0},
	};

	for (int k = 0; k < KERNELS; k++) {
		_cleanup_buf_ struct buf blob = {0};
		struct variants v;

		make_blob(k, &blob);
		memset(&v, 0xff, sizeof(v));
		CHECK_EQ(read_blob(&blob, &v), 0);
		test_result(!memcmp(&v, &expected[k], sizeof(v)), __FILE__, __LINE__,
			    "kernel %d: %d%d%d%d%d%d", k, v.uring_submit_req, v.uring_submit_sqe,
			    v.uring_complete, v.uring_has_cqe, v.cgroup_mkdir, v.bpf_loop);
	}
}

/* Typedefs that lead to each other, a prototype that is none, a parameter of no type. */
TEST(no_prototypes)
{
	struct made_btf b = {0};
	_cleanup_buf_ struct buf blob = {0};
	struct variants v;

	add_types(&b);
	made_tracepoint(&b, "io_uring_submit_sqe", 1, (uint32_t[]){CYCLIC});
	made_tracepoint(&b, "io_uring_complete", 3, (uint32_t[]){0, 9999, UINT32_MAX});
	made_type(&b, BTF_KIND_TYPEDEF, 0, "btf_trace_cgroup_mkdir", b.n + 1); /* itself */
	made_type(&b, BTF_KIND_TYPEDEF, 0, "btf_trace_io_uring_submit_req", KIOCB);
	made_type(&b, BTF_KIND_STRUCT, 0, "btf_trace_io_uring_submit_req", 0);
	made_tracepoint(&b, "io_uring_submit_req_", 0, NULL);
	made_blob(&b, &blob);
	made_btf_done(&b);
	CHECK_EQ(read_blob(&blob, &v), 0);
	CHECK(!memcmp(&v, &(struct variants){0}, sizeof(v)));
}

/* More parameters than anybody looks at, and none at all. */
TEST(odd_prototypes)
{
	uint32_t many[100];
	struct made_btf b = {0};
	_cleanup_buf_ struct buf blob = {0};
	struct variants v;

	for (size_t i = 0; i < ELEMENTS(many); i++)
		many[i] = KIOCB;
	add_types(&b);
	made_tracepoint(&b, "io_uring_submit_sqe", 0, NULL);
	made_tracepoint(&b, "io_uring_complete", ELEMENTS(many), many);
	made_type(&b, BTF_KIND_FUNC_PROTO, 0, "", 0); /* not even a context */
	made_type(&b, BTF_KIND_TYPEDEF, 0, "btf_trace_cgroup_mkdir", made_ptr(&b, b.n));
	made_blob(&b, &blob);
	made_btf_done(&b);
	CHECK_EQ(read_blob(&blob, &v), 0);
	CHECK(!v.uring_submit_sqe && v.uring_complete && !v.uring_has_cqe && v.cgroup_mkdir);
}

/* Types behind one of a kind that nobody knows yet are not seen; those before it are. */
TEST(unknown_kind)
{
	struct made_btf b = {0};
	_cleanup_buf_ struct buf blob = {0};
	struct variants v;

	add_types(&b);
	made_tracepoint(&b, "cgroup_mkdir", 1, (uint32_t[]){CTX});
	made_type(&b, 31, 0, "of the future", 0);
	made_tracepoint(&b, "io_uring_submit_req", 1, (uint32_t[]){KIOCB});
	made_blob(&b, &blob);
	made_btf_done(&b);
	CHECK_EQ(read_blob(&blob, &v), 0);
	CHECK(v.cgroup_mkdir && !v.uring_submit_req);
}

/* Cut at every byte: refused, for the strings come last. */
TEST(truncated)
{
	_cleanup_buf_ struct buf blob = {0};
	struct variants v;
	size_t wrong = 0, n;

	make_blob(V6_15, &blob);
	for (n = blob.n - 1; n > 0; n--) {
		blob.n = n;
		wrong += read_blob(&blob, &v) != -EBADMSG;
	}
	CHECK_EQ(wrong, 0);
	blob.n = 0;
	CHECK_EQ(read_blob(&blob, &v), -EFBIG);
}

TEST(damaged_head)
{
	static const struct {
		size_t at;
		uint32_t value;
	} cases[] = {
		{offsetof(struct btf_header, hdr_len), 0},
		{offsetof(struct btf_header, hdr_len), 20},
		{offsetof(struct btf_header, hdr_len), 25},
		{offsetof(struct btf_header, hdr_len), UINT32_MAX},
		{offsetof(struct btf_header, type_off), 1},
		{offsetof(struct btf_header, type_off), UINT32_MAX & ~3u},
		{offsetof(struct btf_header, type_len), UINT32_MAX},
		{offsetof(struct btf_header, str_off), UINT32_MAX},
		{offsetof(struct btf_header, str_len), 0},
		{offsetof(struct btf_header, str_len), 2}, /* does not end in a NUL */
		{offsetof(struct btf_header, str_len), UINT32_MAX},
	};
	/* the first is that of a machine of the other byte order */
	static const char *const magics[] = {__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "\xeb\x9f"
										       : "\x9f\xeb",
					     "\x7f"
					     "E",
					     "\0\0", "{}"};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf blob = {0};
		struct variants v;

		make_blob(V6_15, &blob);
		memcpy(blob.p + cases[i].at, &cases[i].value, sizeof(cases[i].value));
		test_result(read_blob(&blob, &v) == -EBADMSG, __FILE__, __LINE__,
			    "%u at %zu was taken", cases[i].value, cases[i].at);
	}
	for (size_t i = 0; i < ELEMENTS(magics); i++) {
		_cleanup_buf_ struct buf blob = {0};
		struct variants v;

		make_blob(V6_15, &blob);
		memcpy(blob.p, magics[i], 2);
		CHECK_EQ(read_blob(&blob, &v), -EBADMSG);
	}
}

TEST(no_file)
{
	struct kernel_btf k;

	CHECK_EQ(kernel_btf_open(&k, "/nowhere/vmlinux"), -ENOENT);
	CHECK_EQ(kernel_btf_open(&k, "/dev/null"), -EFBIG);
	kernel_btf_close(&k); /* also after it failed */
}

TEST(this_kernel)
{
	struct kernel_btf k;
	struct variants v;
	int r = kernel_btf_open(&k, "/sys/kernel/btf/vmlinux");

	if (r == -ENOENT || r == -EACCES) {
		test_skip("no /sys/kernel/btf/vmlinux here");
		return;
	}
	CHECK_EQ(r, 0);
	kernel_btf_variants(&k, &v);
	CHECK(btf_view_n(&k.view) > 10000);
	CHECK(v.cgroup_mkdir);
	CHECK(!v.uring_has_cqe || v.uring_complete);
	CHECK(!(v.uring_submit_req && v.uring_submit_sqe));
	kernel_btf_close(&k);
}

/* The small copy has the tracepoint's structs and is itself a blob that can be read. */
TEST(reduced)
{
	static const char *const names[] = {"io_kiocb", "io_uring_cqe", "no_such_type", NULL};
	_cleanup_buf_ struct buf blob = {0}, small = {0}, again = {0};
	struct btf_view v, w;
	unsigned int found = 0;

	make_blob(V6_15, &blob);
	CHECK_EQ(btf_view_init(&v, blob.p, blob.n), 0);
	btf_reduce(&v, names, &small);
	CHECK_EQ(btf_view_init(&w, small.p, small.n), 0);
	for (unsigned int id = 1, n = btf_view_n(&w); id < n; id++) {
		const char *name = btf_view_name(&w, btf_view_type(&w, id));

		found += !strcmp(name, "io_kiocb") || !strcmp(name, "io_uring_cqe");
		CHECK(strcmp(name, "io_ring_ctx"));
	}
	CHECK_EQ(found, 2);
	btf_reduce(&w, names, &again);
	CHECK(str_eq(buf_str(&small), buf_str(&again)));
	btf_view_done(&w);
	btf_view_done(&v);
}

static void write_seed(const char *name, int number, struct str bytes)
{
	const char *folder = getenv("SKEP_CORPUS");
	char path[256];
	int fd;

	CHECK(bytes.n < 4096);
	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s-%d", folder, name, number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK_EQ(write(fd, bytes.p, bytes.n), bytes.n);
	close(fd);
}

/* For tests/fuzz/corpus/btf: the kernels, one type of each kind, and damage. */
TEST(seeds)
{
	static const uint8_t tails[20] = {
		[BTF_KIND_INT] = 4,
		[BTF_KIND_ARRAY] = 12,
		[BTF_KIND_VAR] = 4,
		[BTF_KIND_DECL_TAG] = 4,
	};
	_cleanup_buf_ struct buf all = {0};
	struct made_btf b = {0};

	for (int k = 0; k < KERNELS; k++) {
		_cleanup_buf_ struct buf blob = {0};

		make_blob(k, &blob);
		write_seed("kernel", k, buf_str(&blob));
		blob.n -= 9;
		write_seed("cut", k, buf_str(&blob));
	}
	for (unsigned int kind = 1; kind <= 19; kind++) {
		made_type(&b, kind, 0, "io_kiocb", kind);
		buf_add(&b.types, "\1\0\0\0\2\0\0\0\3\0\0\0", tails[kind]);
	}
	made_blob(&b, &all);
	write_seed("kinds", 0, buf_str(&all));
	buf_reset(&all);
	for (int i = 0; i < CYCLE; i++)
		made_struct(&b, "io_kiocb", i + 2);
	made_blob(&b, &all);
	write_seed("chain", 0, buf_str(&all));
	made_btf_done(&b);
}
