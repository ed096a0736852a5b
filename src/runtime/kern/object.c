/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/object.h"

#include "base/macro.h"
#include "catalog/wire/scope.h"
#include "isa/elf.h"
#include "runtime/kern/packed.h"
#include "watch-both.gz.h"
#include "watch.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The handler is called while watch__load() runs and is told nothing but the program,
 * so the types it looks into stand here for that long.
 */
static const struct kernel_btf *types;
static const struct casts *casts;

/* What a section's target is called in the kernel's types, and what kind it is. */
static const struct target_kind {
	enum bpf_attach_type attach_type;
	const char *section, *prefix;
	unsigned int kind;
} target_kinds[] = {
	{BPF_TRACE_RAW_TP, "tp_btf+", "btf_trace_", BTF_KIND_TYPEDEF},
	{BPF_TRACE_ITER, "iter+", "bpf_iter_", BTF_KIND_FUNC},
	{BPF_TRACE_FENTRY, "fentry+", "", BTF_KIND_FUNC},
};

static int find_target(const struct kernel_btf *btf, const struct target_kind *kind,
		       const char *target)
{
	char name[128];
	uint32_t id;

	snprintf(name, sizeof(name), "%s%s", kind->prefix, target);
	id = btf_find(&btf->view, 1u << kind->kind, name);
	return id ? (int)id : -ESRCH;
}

/*
 * Until it is loaded a program counts as a raw tracepoint: for a tracing program libbpf
 * would read the kernel's types by itself.
 */
static int put_casts(struct bpf_program *p)
{
	size_t n = bpf_program__insn_cnt(p);
	struct bpf_insn *insns = xalloc(n * sizeof(*insns));
	int r;

	memcpy(insns, bpf_program__insns(p), n * sizeof(*insns));
	casts_put(casts, insns, n);
	r = bpf_program__set_insns(p, insns, n);
	free(insns);
	return r;
}

static int prepare_load(struct bpf_program *p, struct bpf_prog_load_opts *opts, long i)
{
	const char *slash = strchr(bpf_program__section_name(p), '/');
	int id = slash && types ? find_target(types, &target_kinds[i], slash + 1) : -EINVAL;

	if (id < 0)
		return id;
	opts->attach_btf_id = id;
	opts->expected_attach_type = target_kinds[i].attach_type;
	id = casts && casts->function ? put_casts(p) : 0;
	if (id < 0)
		return id;
	return bpf_program__set_type(p, BPF_PROG_TYPE_TRACING);
}

static void register_handlers(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_load);
	static bool is_done;

	if (is_done)
		return;
	is_done = true;
	for (size_t i = 0; i < ELEMENTS(target_kinds); i++) {
		opts.cookie = i;
		libbpf_register_prog_handler(target_kinds[i].section, BPF_PROG_TYPE_RAW_TRACEPOINT,
					     0, &opts);
	}
}

bool object_can_fentry(const struct object *o, const char *function)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = find_target(&o->btf, &target_kinds[2], function), fd;

	if (id < 0)
		return false;
	opts.attach_btf_id = id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "skep_probe", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Names of the kernel's types that the object reads; the ___variant of a name is ours. */
static char **names_of_types(const struct btf_view *v)
{
	unsigned int used = 0, n = btf_view_n(v);
	char **names = xalloc((n + 1) * sizeof(*names));

	for (unsigned int id = 1; id < n; id++) {
		const struct btf_type *t = btf_view_type(v, id);
		const char *name = btf_view_name(v, t), *ours;
		uint32_t kinds = BTF_ONE(STRUCT) | BTF_ONE(UNION) | BTF_ONE(ENUM) |
				 BTF_ONE(ENUM64) | BTF_ONE(TYPEDEF);

		if (!(kinds >> btf_type_kind(t) & 1) || !*name)
			continue;
		ours = strstr(name, "___");
		names[used++] = xstrndup(name, ours ? (size_t)(ours - name) : strlen(name));
	}
	return names;
}

/* The object's own types say which of the kernel's it reads. */
static int reduce_types(struct object *o, const void *bytes, size_t n)
{
	struct elf_view elf;
	struct elf_section types_of_object;
	_cleanup_buf_ struct buf aligned = {0};
	struct btf_view v;
	char **names;
	int r = elf_view_init(&elf, bytes, n);

	if (r < 0)
		return r;
	if (!elf_section_find(&elf, ".BTF", &types_of_object))
		return -EBADMSG;
	buf_add(&aligned, types_of_object.bytes.p, types_of_object.bytes.n);
	r = btf_view_init(&v, aligned.p, aligned.n);
	if (r < 0)
		return r;
	names = names_of_types(&v);
	o->btf_fd = kernel_btf_reduce(&o->btf, (const char *const *)names);
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	btf_view_done(&v);
	return o->btf_fd < 0 ? o->btf_fd : 0;
}

/*
 * The object for today's kernels; for those before 5.17 what stands behind it makes another one
 * of it.  They differ in one function (path.bpf.c) and share the skeleton, which knows the size.
 */
static int unpack(const struct object *o, struct buf *to)
{
	struct str packed = {(const char *)watch_both, watch_both_size};
	_cleanup_buf_ struct buf both = {0};
	size_t size = o->skel->skeleton->data_sz;
	int r;

	if (o->variants.bpf_loop)
		return packed_read(packed, size, to);
	r = packed_read(packed, SIZE_MAX, &both);
	if (r < 0)
		return r;
	if (both.n < size)
		return -EBADMSG;
	return packed_patch((struct str){both.p, size}, (struct str){both.p + size, both.n - size},
			    to);
}

int object_open(struct object *o)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	_cleanup_buf_ struct buf bytes = {0};
	char path[32];
	int r;

	*o = (struct object){.btf_fd = -1};
	r = kernel_btf_open(&o->btf, "/sys/kernel/btf/vmlinux");
	if (r < 0)
		return -ENOENT;
	kernel_btf_variants(&o->btf, &o->variants);
	casts_find(&o->casts, &o->btf.view);
	register_handlers();
	types = &o->btf;
	casts = &o->casts;
	o->skel = calloc(1, sizeof(*o->skel));
	if (!o->skel || watch__create_skeleton(o->skel) < 0)
		return -ENOMEM;
	r = unpack(o, &bytes);
	if (r < 0)
		return r;
	r = reduce_types(o, bytes.p, bytes.n);
	if (r < 0)
		return r;
	o->skel->skeleton->data = bytes.p; /* opening makes copies of what it needs */
	o->skel->skeleton->data_sz = bytes.n;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->btf_fd);
	opts.btf_custom_path = path;
	return bpf_object__open_skeleton(o->skel->skeleton, &opts);
}

void object_loaded(struct object *o)
{
	types = NULL;
	casts = NULL;
	kernel_btf_close(&o->btf);
}

void object_close(struct object *o)
{
	object_loaded(o);
	if (o->skel)
		watch__destroy(o->skel);
	if (o->btf_fd > 0)
		close(o->btf_fd);
	*o = (struct object){0};
}
