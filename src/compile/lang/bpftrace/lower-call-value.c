/* SPDX-License-Identifier: Apache-2.0 */
/* Builtins that are numbers: who, when, where. */
#include "compile/lang/bpftrace/lower-call.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct ir_val helper(struct lower *L, struct expr *e, unsigned int id)
{
	return lower_fit(L, IR_R(IR_CALL(&L->b, id, IRC_INT)), e->type);
}

static struct ir_val half(struct lower *L, struct expr *e, struct ir_val v, bool high)
{
	v = high ? ir_math(&L->b, IR_SHR, v, IR_I(32)) : ir_extend(&L->b, v, 32, false);
	return lower_fit(L, v, e->type);
}

struct ir_val lower_pid_tid(struct lower *L)
{
	uint64_t dev, ino;
	struct mem ids;

	if (!L->w || !L->w->ops->pid_namespace || !L->w->ops->pid_namespace(L->w, &dev, &ino))
		return IR_R(IR_CALL(&L->b, BPF_FUNC_get_current_pid_tgid, IRC_INT));
	ids = lower_temp(L, 8); /* struct bpf_pidns_info: tid, pid; zeros for strangers */
	IR_CALL(&L->b, BPF_FUNC_get_ns_current_pid_tgid, IRC_INT, IR_I((int64_t)dev),
		IR_I((int64_t)ino), IR_R(mem_addr(L, ids)), IR_I(8));
	return ir_load(&L->b, ids.base, ids.off, 8, false);
}

static struct ir_val ids(struct lower *L, struct expr *e)
{
	const struct expr *of_init = call_arg(e, 0);

	if (of_init && of_init->kind == EXPR_INT && of_init->number)
		return IR_R(IR_CALL(&L->b, BPF_FUNC_get_current_pid_tgid, IRC_INT));
	return lower_pid_tid(L);
}

struct ir_val call_pid(struct lower *L, struct expr *e)
{
	return half(L, e, ids(L, e), true);
}

struct ir_val call_tid(struct lower *L, struct expr *e)
{
	return half(L, e, ids(L, e), false);
}

static struct ir_val owner(struct lower *L)
{
	return IR_R(IR_CALL(&L->b, BPF_FUNC_get_current_uid_gid, IRC_INT));
}

struct ir_val call_uid(struct lower *L, struct expr *e)
{
	return half(L, e, owner(L), false);
}

struct ir_val call_gid(struct lower *L, struct expr *e)
{
	return half(L, e, owner(L), true);
}

struct ir_val call_cpu(struct lower *L, struct expr *e)
{
	return helper(L, e, BPF_FUNC_get_smp_processor_id);
}

struct ir_val call_numaid(struct lower *L, struct expr *e)
{
	return helper(L, e, BPF_FUNC_get_numa_node_id);
}

struct ir_val call_rand(struct lower *L, struct expr *e)
{
	return helper(L, e, BPF_FUNC_get_prandom_u32);
}

struct ir_val call_cgroup(struct lower *L, struct expr *e)
{
	return helper(L, e, BPF_FUNC_get_current_cgroup_id);
}

struct ir_val call_jiffies(struct lower *L, struct expr *e)
{
	return helper(L, e, BPF_FUNC_jiffies64);
}

static struct ir_val global(struct lower *L, int32_t *which)
{
	return ir_load(&L->b, ir_space_addr(&L->b, IRS_GLOBAL, lower_global(L, which)), 0, 8,
		       false);
}

struct ir_val call_ncpus(struct lower *L, struct expr *e)
{
	return lower_fit(L, global(L, &L->q->global_ncpus), e->type);
}

struct ir_val call_cpid(struct lower *L, struct expr *e)
{
	L->q->wants_child = true;
	return lower_fit(L, global(L, &L->q->global_cpid), e->type);
}

struct ir_val call_has_cpid(struct lower *L, struct expr *e)
{
	(void)e;
	return ir_compare(&L->b, IRC_NE, global(L, &L->q->global_cpid), IR_I(0));
}

/* --- time */

struct ir_val lower_boottime(struct lower *L)
{
	return IR_R(IR_CALL(&L->b,
			    world_has(L->w, WORLD_KTIME_BOOT) ? BPF_FUNC_ktime_get_boot_ns
							      : BPF_FUNC_ktime_get_ns,
			    IRC_INT));
}

struct ir_val call_nsecs(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0);
	enum time_mode mode = TIME_BOOT;

	if (a && a->type && a->type->kind == TYPE_TIMESTAMP_MODE)
		mode = (enum time_mode)a->number;
	switch (mode) {
	case TIME_MONOTONIC:
		return IR_R(IR_CALL(&L->b, BPF_FUNC_ktime_get_ns, IRC_INT));
	case TIME_TAI:
		return IR_R(IR_CALL(&L->b, BPF_FUNC_ktime_get_tai_ns, IRC_INT));
	case TIME_SW_TAI:
		return ir_math(&L->b, IR_ADD, lower_boottime(L), global(L, &L->q->global_epoch_ns));
	case TIME_BOOT:
		break;
	}
	return lower_boottime(L);
}

struct ir_val call_elapsed(struct lower *L, struct expr *e)
{
	(void)e;
	return ir_math(&L->b, IR_SUB, lower_boottime(L), global(L, &L->q->global_start_ns));
}

/* --- the task and its relatives */

/* Programs in skep itself see no task_struct, and so no relatives. */
static void no_task(struct lower *L, const struct expr *e)
{
	if (world_has(L->w, WORLD_EMBEDDED))
		lower_oops(L, e->span,
			   "this looks into the kernel's own task_struct, which cannot be read "
			   "without privileges");
}

ir_reg lower_current_task(struct lower *L)
{
	if (world_has(L->w, WORLD_TASK_BTF))
		return IR_CALL(&L->b, BPF_FUNC_get_current_task_btf, IRC_BTF);
	return IR_CALL(&L->b, BPF_FUNC_get_current_task, IRC_KPTR);
}

struct ir_val call_curtask(struct lower *L, struct expr *e)
{
	no_task(L, e);
	return IR_R(lower_current_task(L));
}

void lower_note_member(struct lower *L, const char *type, const char *member)
{
	const struct question_fact f = {
		.kind = QFACT_MEMBER, .type = type, .path = member, .is_movable = true};

	if (L->o->wants_facts)
		question_fact_add(L->q, &f);
}

int lower_btf_offset(struct lower *L, const char *type, const char *member)
{
	const struct btf_view *v = lower_types(L);
	uint32_t id = v ? btf_find(v, 1u << BTF_KIND_STRUCT, type) : 0;
	struct btf_place place;

	lower_note_member(L, type, member);
	return id && btf_member_find(v, id, member, &place) ? (int)(place.bit_offset / 8) : -1;
}

/* The parent, or the leader of the thread group, of the current task or of the argument. */
static ir_reg relative(struct lower *L, struct expr *e)
{
	bool is_parent = e->builtin->id == BUILTIN_PPID || e->builtin->id == BUILTIN_PCOMM;
	int off = lower_btf_offset(L, "task_struct", is_parent ? "real_parent" : "group_leader");
	struct expr *a = call_arg(e, 0);
	ir_reg task = a ? ir_to_reg(&L->b, lower_scalar(L, a)) : lower_current_task(L);
	bool typed = ir_here(&L->b)->regs.p[task].class == IRC_BTF;

	no_task(L, e);
	if (off < 0)
		lower_oops(L, e->span, "the kernel has no type information of tasks");
	return ir_to_reg(&L->b,
			 ir_kload(&L->b, task, off, 8, false, typed ? IRC_BTF : IRC_KPTR, NULL));
}

struct ir_val call_relative_pid(struct lower *L, struct expr *e)
{
	return lower_fit(L,
			 ir_kload(&L->b, relative(L, e), lower_btf_offset(L, "task_struct", "pid"),
				  4, true, IRC_INT, NULL),
			 e->type);
}

void call_relative_comm(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct mem from = {.base = relative(L, e),
			   .off = lower_btf_offset(L, "task_struct", "comm"),
			   .space = SPACE_KERNEL};

	mem_copy_text(L, to, e->type->size, from, 16, clean);
}

void call_comm(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	if (e->items.n) {
		lower_oops(L, e->span, "comm() of another process is not supported");
		return;
	}
	if (clean) /* Linux 6.1 leaves what stands behind the NUL as it was */
		mem_zero(L, to, e->type->size);
	IR_CALL(&L->b, BPF_FUNC_get_current_comm, IRC_INT, IR_R(mem_addr(L, to)),
		IR_I(e->type->size < 16 ? e->type->size : 16));
}

/* --- the hook's */

struct ir_val call_ctx(struct lower *L, struct expr *e)
{
	(void)e;
	return lower_ctx(L);
}

struct ir_val call_argn(struct lower *L, struct expr *e)
{
	unsigned int n = (unsigned int)e->number;
	struct expr *a = call_arg(e, 0);

	if (e->name && !strncmp(e->name, "arg", 3) && e->name[3] >= '0' && e->name[3] <= '9')
		n = (unsigned int)strtoul(e->name + 3, NULL, 10);
	else if (a && a->kind == EXPR_INT)
		n = (unsigned int)a->number;
	return lower_fit(L, lower_arg(L, e, n), e->type);
}

struct ir_val call_retval(struct lower *L, struct expr *e)
{
	return lower_fit(L, lower_retval(L, e), e->type);
}

void call_retval_into(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct mem address = {.base = ir_to_reg(&L->b, lower_retval(L, e)), .space = SPACE_BPF};

	(void)clean;
	if (e->type->kind == TYPE_USYM) {
		call_usym(L, e, to, clean);
		return;
	}
	if (e->type->size > 8)
		mem_zero(L, to, e->type->size);
	ir_store(&L->b, to.base, to.off, 8, IR_R(address.base));
}

struct ir_val call_func(struct lower *L, struct expr *e)
{
	return lower_func_address(L, e);
}

void call_func_into(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	if (e->type->kind == TYPE_STRING) {
		call_probe(L, e, to, clean);
		return;
	}
	call_usym(L, e, to, clean);
}

struct ir_val call_reg(struct lower *L, struct expr *e)
{
	return lower_reg(L, e, call_text(e, 0));
}

struct ir_val call_usermode(struct lower *L, struct expr *e)
{
	if (L->unit->access == ACCESS_NONE) /* our own process */
		return IR_I(1);
	if (L->unit->access != ACCESS_REGS) {
		lower_oops(L, e->span, "usermode needs the registers of the traced code");
		return IR_I(0);
	}
#ifdef __aarch64__
	struct ir_val v = ir_math(&L->b, IR_AND, lower_reg(L, e, "pstate"), IR_I(0xf));

	return ir_compare(&L->b, IRC_EQ, v, IR_I(0));
#else
	struct ir_val v = ir_math(&L->b, IR_AND, lower_reg(L, e, "cs"), IR_I(3));

	return ir_compare(&L->b, IRC_EQ, v, IR_I(3));
#endif
}

/* --- addresses and numbers */

struct ir_val call_same(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0);

	if (!lower_is_scalar(a->type)) { /* the address of what is in memory */
		struct mem p = lower_mem(L, a);

		return IR_R(mem_addr(L, p));
	}
	return lower_scalar(L, a);
}

struct ir_val call_bswap(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0);
	unsigned int size = a->type->size ? a->type->size : 8;

	return lower_fit(L, ir_swap(&L->b, lower_scalar(L, a), size * 8), e->type);
}

struct ir_val call_is_err(struct lower *L, struct expr *e)
{
	return ir_compare(&L->b, IRC_UGE, lower_scalar(L, call_arg(e, 0)), IR_I(-4095));
}

/* Whoever only checks a script may run it on another kernel, or with the right to see. */
static void no_kernel_symbol(struct lower *L, const struct expr *e, const char *name)
{
	static const char text[] = "Failed to resolve kernel symbol: %s";

	if (world_has(L->w, WORLD_EMBEDDED)) {
		diag(&L->q->diags, D_UNKNOWN_NAME, e->span,
		     "%s: symbols of the kernel cannot be had without privileges", name);
		return;
	}
	if (L->o->is_offline)
		diag_warn(&L->q->diags, D_UNKNOWN_NAME, e->span, text, name);
	else
		diag(&L->q->diags, D_UNKNOWN_NAME, e->span, text, name);
	diag_hint(&L->q->diags, "Kernels list their variables only if they are built with "
				"CONFIG_KALLSYMS_ALL, and show addresses only to root");
}

struct ir_val call_kaddr(struct lower *L, struct expr *e)
{
	const char *name = call_text(e, 0);
	uint64_t address =
		name && L->w->ops->kernel_address ? L->w->ops->kernel_address(L->w, name) : 0;

	if (L->o->wants_facts && name)
		question_fact_add(L->q, &(struct question_fact){.kind = QFACT_KSYM,
								.type = name,
								.path = "",
								.is_movable = true});
	if (!address)
		no_kernel_symbol(L, e, name ? name : "");
	return IR_I((int64_t)address);
}

struct ir_val call_percpu_kaddr(struct lower *L, struct expr *e)
{
	const char *name = call_text(e, 0);
	ir_reg var = ir_ksym_addr(&L->b, name ? name : "");

	if (e->items.n > 1)
		return IR_R(IR_CALL(&L->b, BPF_FUNC_per_cpu_ptr, IRC_KPTR, IR_R(var),
				    lower_scalar(L, call_arg(e, 1))));
	return IR_R(IR_CALL(&L->b, BPF_FUNC_this_cpu_ptr, IRC_KPTR, IR_R(var)));
}

/* Where the program is loaded follows from where it was stopped. */
struct ir_val call_uaddr(struct lower *L, struct expr *e)
{
	const struct resolved *r = L->unit->point;
	const struct world_symbol *s;
	const char *name = call_text(e, 0);
	unsigned int n = 0;

	if (!name || !r->binary || !L->w->ops->symbols ||
	    L->w->ops->symbols(L->w, r->binary, name, false, &s, &n) < 0 || !n) {
		if (!name || !r->binary ||
		    L->w->ops->symbols(L->w, r->binary, name, true, &s, &n) < 0 || !n) {
			diag(&L->q->diags, D_UNKNOWN_NAME, e->span,
			     "Could not resolve symbol: %s:%s", r->binary ? r->binary : "",
			     name ? name : "");
			return IR_I(0);
		}
	}
	if (!r->symbol)
		return IR_I((int64_t)s->value);
	return ir_math(&L->b, IR_ADD, lower_func_address(L, e),
		       IR_I((int64_t)(s->value - r->symbol->value -
				      (L->unit->provider == HOOK_URETPROBE ? 0 : r->offset))));
}

struct ir_val call_cgroupid(struct lower *L, struct expr *e)
{
	const char *path = call_text(e, 0);
	struct stat st;

	if (!path || stat(path, &st) < 0) {
		diag(&L->q->diags, D_UNKNOWN_NAME, e->span, "there is no cgroup %s",
		     path ? path : "");
		return IR_I(0);
	}
	return IR_I((int64_t)st.st_ino);
}

struct ir_val call_socket_cookie(struct lower *L, struct expr *e)
{
	return IR_R(IR_CALL(&L->b, BPF_FUNC_get_socket_cookie, IRC_INT,
			    lower_scalar(L, call_arg(e, 0))));
}

struct ir_val call_write_user(struct lower *L, struct expr *e)
{
	ir_reg to = lower_stable(L, call_arg(e, 0));
	ir_reg from = lower_stable(L, call_arg(e, 1));
	struct ir_val n = lower_scalar(L, call_arg(e, 2));

	return ir_compare(
		&L->b, IRC_EQ,
		IR_R(IR_CALL(&L->b, BPF_FUNC_probe_write_user, IRC_INT, IR_R(to), IR_R(from), n)),
		IR_I(0));
}
