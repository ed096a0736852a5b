/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler's view of this machine when programs run in skep's own runtime.
 *
 * Tracepoints are those that runtime/vm/hook serves, whether tracefs can be read or not.
 * Features are what runtime/vm/helper has.  There is no kernel to look into: no functions, no
 * addresses; its types are there if the file is readable, for scripts that name them.
 */
#include "agent/world-internal.h"

#include "runtime/vm/helper/helper.h"
#include "runtime/vm/hook/format.h"

#include <stdlib.h>

struct world_vm {
	struct world base;
	struct world *kern; /* owned: what is the same in both */
	uint64_t without;
	struct arena arena;
};

#define VM(w) ((struct world_vm *)(w))

/* The helper that a feature is; 0: it is something else. */
static uint32_t helper_for(enum world_feature f)
{
	switch (f) {
	case WORLD_BPF_LOOP:
		return 181;
	case WORLD_FOR_EACH_MAP:
		return 164;
	case WORLD_MAP_LOOKUP_PERCPU:
		return 195;
	case WORLD_KTIME_BOOT:
		return 125;
	case WORLD_KTIME_TAI:
		return 208;
	case WORLD_ATTACH_COOKIE:
		return 174;
	case WORLD_JIFFIES64:
		return 118;
	case WORLD_GET_FUNC_IP:
		return 173;
	case WORLD_SEND_SIGNAL:
		return 109;
	case WORLD_TP_BTF:
	case WORLD_FENTRY:
	case WORLD_KPROBE:
	case WORLD_KPROBE_MULTI:
	case WORLD_UPROBE_MULTI:
	case WORLD_KPROBE_SESSION:
	case WORLD_D_PATH:
	case WORLD_COOKIE_TRACING:
	case WORLD_TASK_BTF:
	case WORLD_TASK_PT_REGS:
	case WORLD_OVERRIDE:
	case WORLD_SKB_OUTPUT:
	case WORLD_CPU_V4:
	case WORLD_CAST:
	case WORLD_EMBEDDED:
	case WORLD_FEATURES:
		break;
	}
	return 0;
}

static bool vm_has(struct world *base, enum world_feature f)
{
	uint32_t helper = helper_for(f);

	if (VM(base)->without >> f & 1)
		return false;
	if (f == WORLD_CPU_V4 || f == WORLD_EMBEDDED)
		return true;
	return helper && helper_of(helper);
}

static const struct btf_view *vm_btf(struct world *base)
{
	struct world *k = VM(base)->kern;

	return k->ops->btf(k);
}

static const struct btf_view *vm_module_btf(struct world *base, const char *module)
{
	struct world *k = VM(base)->kern;

	return k->ops->module_btf(k, module);
}

struct listing {
	struct world_vm *w;
	const char *group, *event;
	world_name_fn fn;
	void *ctx;
};

static void list_one(void *ctx, const char *group, const char *event)
{
	struct listing *l = ctx;

	if (world_glob(l->group, group) && world_glob(l->event, event))
		l->fn(l->ctx, arena_printf(&l->w->arena, "%s:%s", group, event));
}

static void vm_tracepoints(struct world *base, const char *group, const char *event,
			   world_name_fn fn, void *ctx)
{
	struct listing l = {VM(base), group, event, fn, ctx};

	format_each(list_one, &l);
}

static int vm_fields(struct world *base, const char *group, const char *event,
		     const struct world_field **ret, unsigned int *ret_n)
{
	struct arena *a = &VM(base)->arena;
	struct world_field *to;
	struct format f;
	int r = format_find(group, event, &f);

	if (r < 0)
		return r;
	to = arena_array(a, struct world_field, f.n + 1);
	for (unsigned int i = 0; i < f.n; i++)
		to[i] = (struct world_field){
			.type = arena_strndup(a, f.fields[i].type, f.fields[i].type_n),
			.name = f.fields[i].name,
			.offset = f.fields[i].offset,
			.size = f.fields[i].size,
			.is_signed = f.fields[i].is_signed,
			.is_data_loc = f.fields[i].is_data_loc,
		};
	*ret = to;
	*ret_n = f.n;
	return 0;
}

static void vm_functions(struct world *base, const char *module, const char *glob, world_name_fn fn,
			 void *ctx)
{
	(void)base;
	(void)module;
	(void)glob;
	(void)fn;
	(void)ctx;
}

static uint64_t vm_kernel_address(struct world *base, const char *name)
{
	(void)base;
	(void)name;
	return 0;
}

static const char *vm_binary(struct world *base, const char *named, int pid)
{
	struct world *k = VM(base)->kern;

	return k->ops->binary(k, named, pid);
}

static int vm_symbols(struct world *base, const char *binary, const char *glob, bool functions,
		      const struct world_symbol **ret, unsigned int *ret_n)
{
	struct world *k = VM(base)->kern;

	return k->ops->symbols(k, binary, glob, functions, ret, ret_n);
}

static int vm_usdts(struct world *base, const char *binary, const char *provider, const char *name,
		    const struct world_usdt **ret, unsigned int *ret_n)
{
	struct world *k = VM(base)->kern;

	return k->ops->usdts(k, binary, provider, name, ret, ret_n);
}

static void vm_mapped(struct world *base, int pid, world_name_fn fn, void *ctx)
{
	struct world *k = VM(base)->kern;

	k->ops->mapped(k, pid, fn, ctx);
}

static int vm_syscall_number(struct world *base, const char *name)
{
	struct world *k = VM(base)->kern;

	return k->ops->syscall_number(k, name);
}

static unsigned int vm_cpus(struct world *base)
{
	struct world *k = VM(base)->kern;

	return k->ops->cpus(k);
}

static const struct world_ops ops = {
	.has = vm_has,
	.btf = vm_btf,
	.module_btf = vm_module_btf,
	.tracepoints = vm_tracepoints,
	.tracepoint_fields = vm_fields,
	.functions = vm_functions,
	.kernel_address = vm_kernel_address,
	.binary = vm_binary,
	.symbols = vm_symbols,
	.usdts = vm_usdts,
	.mapped = vm_mapped,
	.syscall_number = vm_syscall_number,
	.cpus = vm_cpus,
	/* pids are those that we see ourselves: no namespace to look through */
};

struct world *world_vm_new(const struct world_kern_options *o)
{
	struct world_vm *w = xalloc(sizeof(*w));

	w->base.ops = &ops;
	w->kern = world_kern_new(o);
	w->without = o ? o->without : 0;
	return &w->base;
}

void world_free(struct world *base)
{
	struct world_vm *w = VM(base);

	if (!base || base->ops != &ops) {
		world_kern_free(base);
		return;
	}
	world_kern_free(w->kern);
	arena_done(&w->arena);
	free(w);
}
