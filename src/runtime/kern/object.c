/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/object.h"

#include "base/macro.h"
#include "catalog/wire/scope.h"
#include "watch.skel.h"
#include "watch_old.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The handler is called while watch__load() runs and is told nothing but the program,
 * so the types it looks into stand here for that long.
 */
static const struct kernel_btf *types;

/* tp_btf/NAME is the typedef btf_trace_NAME, iter/NAME the function bpf_iter_NAME. */
static int find_target(const char *section)
{
	const char *slash = strchr(section, '/');
	bool is_iter = !strncmp(section, "iter/", 5);
	char name[128];

	if (!slash || !types)
		return -EINVAL;
	snprintf(name, sizeof(name), is_iter ? "bpf_iter_%s" : "btf_trace_%s", slash + 1);
	for (unsigned int id = 1; id < types->view.n; id++) {
		const struct btf_type *t = types->view.by_id[id];

		if (btf_type_kind(t) == (is_iter ? BTF_KIND_FUNC : BTF_KIND_TYPEDEF) &&
		    !strcmp(btf_view_name(&types->view, t), name))
			return id;
	}
	return -ESRCH;
}

/*
 * Until it is loaded a program counts as a raw tracepoint: for a tracing program libbpf
 * would read the kernel's types by itself.
 */
static int prepare_load(struct bpf_program *p, struct bpf_prog_load_opts *opts, long is_iter)
{
	int id = find_target(bpf_program__section_name(p));

	if (id < 0)
		return id;
	opts->attach_btf_id = id;
	opts->expected_attach_type = is_iter ? BPF_TRACE_ITER : BPF_TRACE_RAW_TP;
	return bpf_program__set_type(p, BPF_PROG_TYPE_TRACING);
}

static void register_handlers(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_load);
	static bool is_done;

	if (is_done)
		return;
	is_done = true;
	libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
	opts.cookie = 1;
	libbpf_register_prog_handler("iter+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
}

/* Names of the kernel's types that the object reads; the ___variant of a name is ours. */
static char **names_of_types(const struct btf *btf)
{
	unsigned int n = btf__type_cnt(btf), used = 0;
	char **names = xalloc((n + 1) * sizeof(*names));

	for (unsigned int id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off), *ours;

		if (!btf_is_composite(t) && !btf_is_any_enum(t) && !btf_is_typedef(t))
			continue;
		if (!name || !*name)
			continue;
		ours = strstr(name, "___");
		names[used++] = xstrndup(name, ours ? (size_t)(ours - name) : strlen(name));
	}
	return names;
}

/* The object's own types say which of the kernel's it reads. */
static int reduce_types(struct object *o, const void *elf, size_t n)
{
	struct bpf_object *probe = bpf_object__open_mem(elf, n, NULL);
	char **names;

	if (!probe)
		return -errno;
	names = names_of_types(bpf_object__btf(probe));
	o->btf_fd = kernel_btf_reduce(&o->btf, (const char *const *)names);
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
	bpf_object__close(probe);
	return o->btf_fd < 0 ? o->btf_fd : 0;
}

int object_open(struct object *o)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[32];
	int r;

	*o = (struct object){.btf_fd = -1};
	r = kernel_btf_open(&o->btf, "/sys/kernel/btf/vmlinux");
	if (r < 0)
		return -ENOENT;
	kernel_btf_variants(&o->btf, &o->variants);
	register_handlers();
	types = &o->btf;
	o->skel = calloc(1, sizeof(*o->skel));
	if (!o->skel || watch__create_skeleton(o->skel) < 0)
		return -ENOMEM;
	/* the two objects differ in one function (path.bpf.c) and share the skeleton */
	if (!o->variants.bpf_loop)
		o->skel->skeleton->data = (void *)watch_old__elf_bytes(&o->skel->skeleton->data_sz);
	r = reduce_types(o, o->skel->skeleton->data, o->skel->skeleton->data_sz);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->btf_fd);
	opts.btf_custom_path = path;
	return bpf_object__open_skeleton(o->skel->skeleton, &opts);
}

void object_loaded(struct object *o)
{
	types = NULL;
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
