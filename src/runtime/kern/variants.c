/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/variants.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BTF_MAX = 64 << 20, WANTED = 4, PARAMS = 8 };

/* A prototype: names of the structs its pointers point to; "" for what is none. */
struct proto {
	bool found;
	unsigned int n; /* parameters, without the context that comes first */
	const char *to[PARAMS];
};

struct walk {
	const struct btf_type **by_id; /* owned */
	unsigned int n;
	const char *strings;
	size_t strings_n;
};

/* Bytes of a type's own header and of what follows it; 0: unknown kind. */
static size_t type_bytes(const struct btf_type *t)
{
	unsigned int vlen = BTF_INFO_VLEN(t->info);
	size_t n = sizeof(*t);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return n + 4;
	case BTF_KIND_ARRAY:
		return n + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n + vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n + vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n + vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n + vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n + vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return n;
	default:
		return 0;
	}
}

static const char *name_of(const struct walk *w, const struct btf_type *t)
{
	return t->name_off < w->strings_n ? w->strings + t->name_off : "";
}

static const struct btf_type *type_of(const struct walk *w, unsigned int id)
{
	return id && id < w->n ? w->by_id[id] : NULL;
}

/* Follow a pointer and the qualifiers behind it to a struct's name. */
static const char *pointee(const struct walk *w, unsigned int id)
{
	const struct btf_type *t = type_of(w, id);

	if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_PTR)
		return "";
	for (int hops = 0; hops < 8; hops++) {
		t = type_of(w, t->type);
		if (!t)
			return "";
		if (BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT)
			return name_of(w, t);
		if (BTF_INFO_KIND(t->info) != BTF_KIND_CONST &&
		    BTF_INFO_KIND(t->info) != BTF_KIND_TYPEDEF)
			return "";
	}
	return "";
}

static void read_proto(const struct walk *w, const struct btf_type *typedef_, struct proto *p)
{
	const struct btf_type *ptr = type_of(w, typedef_->type);
	const struct btf_type *func = ptr ? type_of(w, ptr->type) : NULL;
	const struct btf_param *params;
	unsigned int n;

	if (!func || BTF_INFO_KIND(func->info) != BTF_KIND_FUNC_PROTO)
		return;
	params = (const void *)(func + 1);
	n = BTF_INFO_VLEN(func->info);
	p->found = true;
	p->n = n ? n - 1 : 0;
	for (unsigned int i = 1; i < n && i <= PARAMS; i++)
		p->to[i - 1] = pointee(w, params[i].type);
}

/* Fills protos[i] with the prototype of tracepoint names[i]. */
static int walk_btf(const char *p, size_t n, const char *const *names, struct proto *protos,
		    bool *ret_bpf_loop)
{
	const struct btf_header *h = (const void *)p;
	struct walk w = {0};
	const char *at, *end;
	unsigned int room = 1 << 16;

	if (n < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len > n ||
	    (size_t)h->hdr_len + h->type_off + h->type_len > n || !h->str_len ||
	    (size_t)h->hdr_len + h->str_off + h->str_len > n)
		return -EBADMSG;
	w.strings = p + h->hdr_len + h->str_off;
	w.strings_n = h->str_len;
	if (w.strings[w.strings_n - 1])
		return -EBADMSG;
	/* enumerators of bpf_func_id are names like any other; only helpers begin like that */
	*ret_bpf_loop = memmem(w.strings, w.strings_n, "\0BPF_FUNC_loop", 15);
	w.by_id = xalloc(room * sizeof(*w.by_id));
	w.n = 1;
	at = p + h->hdr_len + h->type_off;
	end = at + h->type_len;
	while (at + sizeof(struct btf_type) <= end) {
		size_t bytes = type_bytes((const void *)at);

		if (!bytes || at + bytes > end)
			break; /* a kind we do not know: what was read so far still counts */
		if (w.n == room) {
			room *= 2;
			w.by_id = xrealloc(w.by_id, room * sizeof(*w.by_id));
		}
		w.by_id[w.n++] = (const void *)at;
		at += bytes;
	}
	for (unsigned int id = 1; id < w.n; id++) {
		const struct btf_type *t = w.by_id[id];

		if (BTF_INFO_KIND(t->info) != BTF_KIND_TYPEDEF ||
		    strncmp(name_of(&w, t), "btf_trace_", 10))
			continue;
		for (int i = 0; names[i]; i++)
			if (!strcmp(name_of(&w, t) + 10, names[i]))
				read_proto(&w, t, &protos[i]);
	}
	free(w.by_id);
	return 0;
}

static int read_all(const char *path, char **ret, size_t *ret_n)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *p = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > BTF_MAX)
		return -EFBIG;
	p = xalloc(st.st_size);
	while (n < (size_t)st.st_size) {
		r = read(fd, p + n, st.st_size - n);
		if (r < 0)
			return -errno;
		if (!r)
			break;
		n += r;
	}
	*ret = TAKE(p);
	*ret_n = n;
	return 0;
}

int variants_read(const char *path, struct variants *ret)
{
	static const char *const names[WANTED + 1] = {"io_uring_submit_req", "io_uring_submit_sqe",
						      "io_uring_complete", "cgroup_mkdir"};
	struct proto p[WANTED] = {0};
	_cleanup_free_ char *bytes = NULL;
	size_t n = 0;
	int r;

	r = read_all(path, &bytes, &n);
	if (r < 0)
		return r;
	*ret = (struct variants){0};
	r = walk_btf(bytes, n, names, p, &ret->bpf_loop);
	if (r < 0)
		return r;
	ret->uring_submit_req = p[0].found;
	ret->uring_submit_sqe = p[1].found && p[1].n && !strcmp(p[1].to[0], "io_kiocb");
	ret->uring_has_cqe = p[2].n == 3 && !strcmp(p[2].to[2], "io_uring_cqe");
	ret->uring_complete = p[2].found && (ret->uring_has_cqe || p[2].n >= 5);
	ret->cgroup_mkdir = p[3].found;
	return 0;
}
