/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler's view of this machine.
 *
 * Every answer is worked out when it is asked for and kept: a script that only says
 * "hello" opens no file here.  Strings live in the arena, as long as the world.  Functions
 * that are named in full are looked up in the BTF, which is mapped; only patterns make us
 * read the long lists (available_filter_functions, kallsyms).
 */
#include "agent/world-internal.h"

#include "base/macro.h"
#include "catalog/syscall-table.h"
#include "runtime/kern/cpus.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

bool world_glob(const char *pattern, const char *s)
{
	if (!strpbrk(pattern, "*?["))
		return !strcmp(pattern, s);
	return fnmatch(pattern, s, FNM_NOESCAPE) == 0;
}

static const struct btf_view *open_btf_locked(struct world_kern *w)
{
	if (!w->is_btf_asked) {
		w->is_btf_asked = true;
		w->has_btf = kernel_btf_open(&w->btf, "/sys/kernel/btf/vmlinux") >= 0;
	}
	return w->has_btf ? &w->btf.view : NULL;
}

static const struct btf_view *open_btf(struct world_kern *w, bool is_use)
{
	const struct btf_view *v;

	pthread_mutex_lock(&w->btf_lock); /* until who looks ahead is done */
	w->is_btf_used |= is_use;
	v = open_btf_locked(w);
	pthread_mutex_unlock(&w->btf_lock);
	return v;
}

static const struct btf_view *world_btf(struct world *base)
{
	return open_btf(WORLD(base), true);
}

const struct btf_view *world_kern_btf_ahead(struct world_kern *w)
{
	return open_btf(w, false);
}

void world_types_ahead(struct world *base, const struct world_type *types, size_t n)
{
	struct world_kern *w = WORLD(base);
	const struct btf_view *v;

	pthread_mutex_lock(&w->btf_lock);
	v = n && !w->is_btf_used ? open_btf_locked(w) : NULL;
	for (size_t i = 0; v && i < n; i++)
		btf_find(v, types[i].kinds, types[i].name);
	pthread_mutex_unlock(&w->btf_lock);
}

static const struct btf_view *world_module_btf(struct world *base, const char *module)
{
	struct world_kern *w = WORLD(base);
	const struct btf_view *v = world_btf(base);
	struct world_module *m;

	for (m = w->modules; m; m = m->next)
		if (!strcmp(m->name, module))
			return m->is_there ? &m->btf.view : NULL;
	if (!v)
		return NULL;
	m = arena_new(&w->arena, struct world_module);
	m->name = arena_strdup(&w->arena, module);
	m->is_there = module_btf_open(&m->btf, v, module) >= 0;
	m->next = w->modules;
	w->modules = m;
	return m->is_there ? &m->btf.view : NULL;
}

static uint64_t world_kernel_address(struct world *base, const char *name)
{
	struct world_kern *w = WORLD(base);
	const struct kallsym *s;
	uint64_t address;
	int r = w->is_kallsyms_read ? -ENOTSUP : kallsyms_ask(name, &address);

	if (!r || r == -ENOENT)
		return r ? 0 : address;
	s = kallsyms_named(world_kallsyms(w), name);
	return s ? s->address : 0;
}

const struct kallsyms *world_kallsyms(struct world_kern *w)
{
	if (!w->is_kallsyms_read)
		kallsyms_read(&w->kallsyms);
	w->is_kallsyms_read = true;
	return &w->kallsyms;
}

static int world_syscall_number(struct world *base, const char *name)
{
	(void)base;
	return syscall_number(name);
}

static unsigned int world_cpus(struct world *base)
{
	struct world_kern *w = WORLD(base);

	if (!w->cpus)
		w->cpus = cpus_possible();
	return w->cpus;
}

static bool world_pid_namespace(struct world *base, uint64_t *ret_dev, uint64_t *ret_ino)
{
	const ino_t first = 0xeffffffc; /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	struct world_kern *w = WORLD(base);
	struct stat st;

	if (!w->pid_namespace) {
		if (stat("/proc/self/ns/pid", &st) < 0)
			st = (struct stat){.st_ino = first};
		w->pid_namespace = st.st_ino;
		w->pid_namespace_dev = st.st_dev;
	}
	if (w->pid_namespace == first)
		return false;
	/* MKDEV of include/linux/kdev_t.h, which stat() does not show */
	*ret_dev = (uint64_t)major(w->pid_namespace_dev) << 20 | minor(w->pid_namespace_dev);
	*ret_ino = w->pid_namespace;
	return true;
}

static const struct world_ops ops;

int world_tracefs(struct world *base)
{
	bool is_kern = base && base->ops == &ops;

	return is_kern && WORLD(base)->tracefs.root > 0 ? WORLD(base)->tracefs.root : 0;
}

static const struct world_ops ops = {
	.has = world_kern_has,
	.btf = world_btf,
	.module_btf = world_module_btf,
	.tracepoints = world_kern_tracepoints,
	.tracepoint_fields = world_kern_tracepoint_fields,
	.functions = world_kern_functions,
	.kernel_address = world_kernel_address,
	.binary = world_kern_binary,
	.symbols = world_kern_symbols,
	.usdts = world_kern_usdts,
	.mapped = world_kern_mapped,
	.syscall_number = world_syscall_number,
	.cpus = world_cpus,
	.pid_namespace = world_pid_namespace,
};

struct world *world_kern_new(const struct world_kern_options *o)
{
	struct world_kern *w = xalloc(sizeof(*w));

	w->base.ops = &ops;
	w->tracefs.root = -1;
	pthread_mutex_init(&w->btf_lock, NULL);
	if (o) {
		w->without = o->without;
		w->traceable_functions = o->traceable_functions;
	}
	return &w->base;
}

void world_kern_free(struct world *base)
{
	struct world_kern *w = WORLD(base);

	if (!base)
		return;
	for (struct world_module *m = w->modules; m; m = m->next)
		if (m->is_there)
			module_btf_close(&m->btf);
	for (struct world_binary *b = w->binaries; b; b = b->next)
		if (b->is_open)
			binary_close(&b->binary);
	if (w->has_btf)
		kernel_btf_close(&w->btf);
	if (w->is_kallsyms_read)
		kallsyms_done(&w->kallsyms);
	tracefs_close(&w->tracefs);
	buf_done(&w->functions);
	pthread_mutex_destroy(&w->btf_lock);
	arena_done(&w->arena);
	free(w);
}
