/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/btf.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BTF_MAX = 64 << 20, PARAMS = 8 };

/* Since 6.15 the file can be mapped (a539e2a6d51d); before that sysfs hands out 4096 bytes a read.
 */
static int load(int fd, size_t n, void **ret, size_t *ret_n, bool *ret_is_mapped)
{
	char *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	size_t have = 0;
	ssize_t r;

	*ret_is_mapped = p != MAP_FAILED;
	if (p == MAP_FAILED)
		p = xalloc(n);
	else
		have = n;
	while (have < n && (r = read(fd, p + have, n - have))) {
		if (r < 0) {
			r = -errno;
			free(p);
			return r;
		}
		have += r;
	}
	*ret = p;
	*ret_n = have;
	return 0;
}

int kernel_btf_read(const char *path, void **ret, size_t *ret_n, bool *ret_is_mapped)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > BTF_MAX)
		return -EFBIG;
	return load(fd, st.st_size, ret, ret_n, ret_is_mapped);
}

void kernel_btf_unread(void *blob, size_t n, bool is_mapped)
{
	if (is_mapped)
		munmap(blob, n);
	else
		free(blob);
}

int kernel_btf_open(struct kernel_btf *k, const char *path)
{
	int r;

	*k = (struct kernel_btf){0};
	r = kernel_btf_read(path, &k->blob, &k->n, &k->is_mapped);
	if (r < 0)
		return r;
	r = btf_view_init(&k->view, k->blob, k->n);
	if (r < 0)
		kernel_btf_close(k);
	return r;
}

void kernel_btf_close(struct kernel_btf *k)
{
	btf_view_done(&k->view);
	kernel_btf_unread(k->blob, k->n, k->is_mapped);
	*k = (struct kernel_btf){0};
}

/* A prototype: names of the structs its pointers point to; "" for what is none. */
struct proto {
	bool found;
	unsigned int n; /* parameters, without the context that comes first */
	const char *to[PARAMS];
};

/* Follow a pointer and the qualifiers behind it to a struct's name. */
static const char *pointee(const struct btf_view *v, unsigned int id)
{
	const struct btf_type *t = btf_view_type(v, id);

	if (!t || btf_type_kind(t) != BTF_KIND_PTR)
		return "";
	for (int hops = 0; hops < 8; hops++) {
		t = btf_view_type(v, t->type);
		if (!t)
			return "";
		if (btf_type_kind(t) == BTF_KIND_STRUCT)
			return btf_view_name(v, t);
		if (btf_type_kind(t) != BTF_KIND_CONST && btf_type_kind(t) != BTF_KIND_TYPEDEF)
			return "";
	}
	return "";
}

static void read_proto(const struct btf_view *v, const struct btf_type *typedef_, struct proto *p)
{
	const struct btf_type *ptr = btf_view_type(v, typedef_->type);
	const struct btf_type *func = ptr ? btf_view_type(v, ptr->type) : NULL;
	const struct btf_param *params;
	unsigned int n;

	if (!ptr || btf_type_kind(ptr) != BTF_KIND_PTR || !func ||
	    btf_type_kind(func) != BTF_KIND_FUNC_PROTO)
		return;
	params = (const void *)(func + 1);
	n = BTF_INFO_VLEN(func->info);
	p->found = true;
	p->n = n ? n - 1 : 0;
	for (unsigned int i = 1; i < n && i <= PARAMS; i++)
		p->to[i - 1] = pointee(v, params[i].type);
}

void kernel_btf_variants(const struct kernel_btf *k, struct variants *ret)
{
	static const char *const names[] = {"btf_trace_io_uring_submit_req",
					    "btf_trace_io_uring_submit_sqe",
					    "btf_trace_io_uring_complete",
					    "btf_trace_cgroup_mkdir"};
	struct proto p[ELEMENTS(names)] = {0};
	const struct btf_view *v = &k->view;

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		uint32_t id = btf_find(v, BTF_ONE(TYPEDEF), names[i]);

		if (id)
			read_proto(v, btf_view_type(v, id), &p[i]);
	}
	*ret = (struct variants){
		.uring_submit_req = p[0].found,
		.uring_submit_sqe = p[1].n && !strcmp(p[1].to[0], "io_kiocb"),
		.uring_has_cqe = p[2].n == 3 && !strcmp(p[2].to[2], "io_uring_cqe"),
		.cgroup_mkdir = p[3].found,
		/* enumerators are names like any other; only helpers begin like that */
		.bpf_loop = memmem(v->strings, v->strings_n, "\0BPF_FUNC_loop", 15),
	};
	ret->uring_complete = ret->uring_has_cqe || p[2].n >= 5;
}

int kernel_btf_reduce(const struct kernel_btf *k, const char *const *names)
{
	_cleanup_buf_ struct buf small = {0};
	int fd = memfd_create("skep-btf", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	btf_reduce(&k->view, names, &small);
	if (write(fd, small.p, small.n) != (ssize_t)small.n) {
		close(fd);
		return -EIO;
	}
	return fd;
}
