/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the kernel's types: read, asked about, and reduced to a blob that reads. */
#include "runtime/kern/btf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const names[] = {"io_kiocb", "io_uring_cqe", "io_ring_ctx", "member",
				    "round",	"and_round",	"u64",	       NULL};

static void read_file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	ssize_t r = write(fd, data, n);
	struct kernel_btf k;
	struct variants v;
	char path[32];

	assert(r == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kernel_btf_open(&k, path) == 0) {
		kernel_btf_variants(&k, &v);
		kernel_btf_close(&k);
	}
	close(fd);
}

/* Every question of a view, for every type and every name that it has. */
static void ask(const struct btf_view *v)
{
	struct btf_place place;
	int64_t value;

	for (unsigned int id = 0, end = btf_view_n(v); id < end; id++) {
		const struct btf_type *t = btf_view_type(v, id);
		const char *name = t ? btf_view_name(v, t) : "";
		uint32_t found = btf_find(v, ~0u, name);

		assert(found <= id || !btf_view_type(v, found) || *name);
		btf_find_next(v, BTF_TYPES, name, id);
		btf_kfunc(v, name);
		btf_resolve(v, id, NULL);
		btf_size(v, id);
		btf_proto(v, id);
		btf_member_find(v, id, name, &place);
		btf_member_find(v, id, "member", &place);
	}
	btf_enumerator_find(v, "round", &value, NULL);
}

/* The second half as a module on top of the first. */
static void split(const struct btf_view *base, const void *blob, size_t n)
{
	struct btf_view v;

	if (btf_view_init_split(&v, base, blob, n) < 0)
		return;
	ask(&v);
	btf_view_done(&v);
}

/* From a block of its own: a page has room behind it that would hide a read too far. */
static void reduce(const void *blob, size_t n)
{
	_cleanup_buf_ struct buf small = {0}, smaller = {0};
	struct btf_view v, w;
	int r;

	if (btf_view_init(&v, blob, n) < 0)
		return;
	for (unsigned int id = 0, end = btf_view_n(&v); id < end; id++)
		assert(!btf_view_type(&v, id) == !id);
	ask(&v);
	split(&v, blob, n);
	btf_reduce(&v, names, &small);
	r = btf_view_init(&w, small.p, small.n);
	assert(r == 0);
	btf_reduce(&w, names, &smaller);
	assert(smaller.n <= small.n);
	btf_view_done(&w);
	btf_view_done(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	void *copy = malloc(n);

	read_file(data, n);
	if (n)
		memcpy(copy, data, n);
	reduce(copy, n);
	free(copy);
	return 0;
}
