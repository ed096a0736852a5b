/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hook gives: args, arg0 …, retval, registers, the context.
 *
 * Five shapes (enum access): the fields of a tracepoint's record; the arguments that the
 * record was made of (lower-raw.c); registers at the time of a call; an array of arguments;
 * and, for single system calls, the registers that came with the call, shown as the fields of
 * sys_enter_x.  What is at the address of a context is read by plain loads with constant
 * offsets: nothing else is allowed there.
 */
#include "compile/lang/bpftrace/lower-internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#ifdef __aarch64__
static const char *const reg_names[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",    "x6",
					"x7",  "x8",  "x9",  "x10", "x11", "x12",   "x13",
					"x14", "x15", "x16", "x17", "x18", "x19",   "x20",
					"x21", "x22", "x23", "x24", "x25", "x26",   "x27",
					"x28", "x29", "x30", "sp",  "pc",  "pstate"};
static const int arg_offsets[] = {0, 8, 16, 24, 32, 40, 48, 56};
static const int syscall_offsets[] = {0 /* orig_x0 is not in user_pt_regs */, 8, 16, 24, 32, 40};
enum { REG_RESULT = 0, REG_SP = 248, REG_IP = 256, REG_NR = 64, REG_MODE = 264 };
#else
static const char *const reg_names[] = {"r15", "r14",	  "r13", "r12", "bp",	 "bx", "r11",
					"r10", "r9",	  "r8",	 "ax",	"cx",	 "dx", "si",
					"di",  "orig_ax", "ip",	 "cs",	"flags", "sp", "ss"};
static const int arg_offsets[] = {112, 104, 96, 88, 72, 64};	 /* di si dx cx r8 r9 */
static const int syscall_offsets[] = {112, 104, 96, 56, 72, 64}; /* di si dx r10 r8 r9 */
enum { REG_RESULT = 80, REG_SP = 152, REG_IP = 128, REG_NR = 120, REG_MODE = 136 };
#endif

int lower_reg_offset(const char *name)
{
#ifndef __aarch64__
	if (!strcmp(name, "pc"))
		name = "ip";
#endif
	for (size_t i = 0; i < sizeof(reg_names) / sizeof(*reg_names); i++)
		if (!strcmp(reg_names[i], name))
			return (int)i * 8;
	return -1;
}

struct ir_val lower_ctx(struct lower *L)
{
	return IR_R(L->body->ctx);
}

static struct ir_val reg_load(struct lower *L, int off)
{
	return ir_load(&L->b, L->body->ctx, off, 8, false);
}

static struct ir_val array_load(struct lower *L, unsigned int n, const struct type *t)
{
	struct ir_val v = ir_load(&L->b, L->body->ctx, (int32_t)n * 8, 8, false);
	bool is_struct = t && t->kind == TYPE_POINTER && t->of && t->of->kind == TYPE_STRUCT &&
			 t->of->is_btf && t->space != SPACE_USER;

	if (L->unit->has_typed_ctx && is_struct)
		ir_here(&L->b)->regs.p[v.reg].class = IRC_BTF;
	else if (t && t->kind == TYPE_POINTER)
		ir_here(&L->b)->regs.p[v.reg].class = IRC_KPTR;
	return t && type_is_int(t) ? lower_fit(L, v, t) : v;
}

/* The registers of the call: the first argument of both system call tracepoints. */
static ir_reg syscall_regs(struct lower *L)
{
	bool is_typed = L->unit->has_typed_ctx || world_has(L->w, WORLD_CAST);

	if (!is_typed && world_has(L->w, WORLD_TASK_PT_REGS))
		return IR_CALL(&L->b, BPF_FUNC_task_pt_regs, IRC_BTF,
			       IR_R(IR_CALL(&L->b, BPF_FUNC_get_current_task_btf, IRC_BTF)));
	return lower_typed_arg(L, 0, "pt_regs");
}

struct ir_val lower_syscall_number(struct lower *L)
{
	if (L->nr_reg)
		return IR_R(L->nr_reg);
	if (L->unit->access == ACCESS_SYS_ENTER)
		return ir_load(&L->b, L->body->ctx, 8, 8, false);
	return ir_kload(&L->b, syscall_regs(L), REG_NR, 8, false, IRC_INT, NULL);
}

/* --- USDT: "8@%rdi", "-4@-20(%rbp)", "4@$5", "8@16(%rax,%rbx,8)" */

static const char *const short_names[][2] = {{"eax", "ax"}, {"ebx", "bx"}, {"ecx", "cx"},
					     {"edx", "dx"}, {"esi", "si"}, {"edi", "di"},
					     {"ebp", "bp"}, {"esp", "sp"}, {"al", "ax"},
					     {"bl", "bx"},  {"cl", "cx"},  {"dl", "dx"},
					     {"sil", "si"}, {"dil", "di"}, {"bpl", "bp"}};

static int usdt_reg(const char *p, size_t n)
{
	char name[8] = {};
	size_t k;

	if (!n || n >= sizeof(name))
		return -1;
	memcpy(name, p, n);
	for (size_t i = 0; i < sizeof(short_names) / sizeof(*short_names); i++)
		if (!strcmp(short_names[i][0], name))
			return lower_reg_offset(short_names[i][1]);
	if (name[0] == 'r' && !isdigit((unsigned char)name[1]))
		return lower_reg_offset(name + 1);
	k = strlen(name); /* r8d, r8w, r8b */
	if (name[0] == 'r' && k && strchr("dwb", name[k - 1]))
		name[k - 1] = 0;
	return lower_reg_offset(name);
}

static const char *usdt_find(const char *args, unsigned int n)
{
	while (args && *args) {
		while (*args == ' ')
			args++;
		if (!n--)
			return *args ? args : NULL;
		while (*args && *args != ' ')
			args++;
	}
	return NULL;
}

static struct ir_val usdt_memory(struct lower *L, const char *p, int64_t off, int size,
				 bool is_signed)
{
	const char *end = strchr(p, ')'), *comma = memchr(p, ',', end ? (size_t)(end - p) : 0);
	int base = end ? usdt_reg(p + 2, (size_t)((comma ? comma : end) - p - 2)) : -1;
	struct ir_val at;

	if (base < 0)
		return IR_I(0);
	at = ir_math(&L->b, IR_ADD, reg_load(L, base), IR_I(off));
	if (comma && comma[1] == '%') {
		const char *scale = memchr(comma + 1, ',', (size_t)(end - comma - 1));
		int index = usdt_reg(comma + 2, (size_t)((scale ? scale : end) - comma - 2));

		if (index >= 0)
			at = ir_math(&L->b, IR_ADD, at,
				     ir_math(&L->b, IR_MUL, reg_load(L, index),
					     IR_I(scale ? strtol(scale + 1, NULL, 10) : 1)));
	}
	return ir_uload(&L->b, ir_to_reg(&L->b, at), 0, (unsigned int)size, is_signed, NULL);
}

/* A number of that many bytes, as a register has it. */
static int64_t constant(int64_t n, long size, bool is_signed)
{
	int shift = 64 - 8 * (int)size;

	n = (int64_t)((uint64_t)n << shift);
	return is_signed ? n >> shift : (int64_t)((uint64_t)n >> shift);
}

struct ir_val lower_usdt_arg(struct lower *L, const struct expr *e, unsigned int n)
{
	const struct world_usdt *u = L->unit->point->usdt_arg;
	const char *p = u ? usdt_find(u->args, n) : NULL;
	char *end;
	long size;
	bool is_signed;
	int64_t off;
	int reg;

	if (!p) {
		lower_oops(L, e->span, "the probe has no such argument");
		return IR_I(0);
	}
	size = strtol(p, &end, 10);
	is_signed = size < 0;
	size = labs(size);
	if (*end != '@' || (size != 1 && size != 2 && size != 4 && size != 8))
		return IR_I(0);
	p = end + 1;
	if (*p == '$')
		return IR_I(constant(strtoll(p + 1, NULL, 0), size, is_signed));
	if (*p == '%') {
		reg = usdt_reg(p + 1, strcspn(p + 1, " "));
		return reg < 0 ? IR_I(0)
			       : ir_extend(&L->b, reg_load(L, reg), (unsigned int)size * 8,
					   is_signed);
	}
	off = strtoll(p, &end, 0);
	if (*end == '(')
		return usdt_memory(L, end, off, (int)size, is_signed);
	lower_oops(L, e->span, "the argument is in a place that is not understood");
	return IR_I(0);
}

/* --- builtins */

struct ir_val lower_arg(struct lower *L, const struct expr *e, unsigned int n)
{
	if (L->unit->provider == HOOK_USDT)
		return lower_usdt_arg(L, e, n);
	switch (L->unit->access) {
	case ACCESS_REGS:
		if (n < sizeof(arg_offsets) / sizeof(*arg_offsets))
			return reg_load(L, arg_offsets[n]);
		return ir_uload(&L->b,
				ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, reg_load(L, REG_SP),
							 IR_I(8 * (n - 5)))),
				0, 8, false, NULL);
	case ACCESS_ARRAY:
		return array_load(L, n, e->type->kind == TYPE_POINTER ? e->type : NULL);
	case ACCESS_NONE:
	case ACCESS_FORMAT:
	case ACCESS_SYS_ENTER:
	case ACCESS_SYS_EXIT:
	case ACCESS_RAW:
	case ACCESS_ITER:
		break;
	}
	lower_oops(L, e->span, "this probe has no such argument");
	return IR_I(0);
}

struct ir_val lower_retval(struct lower *L, const struct expr *e)
{
	const struct resolved *r = L->unit->point;

	if (L->unit->access == ACCESS_ARRAY)
		return array_load(L, r->args ? r->args->n_members : 0, e->type);
	return reg_load(L, REG_RESULT);
}

struct ir_val lower_reg(struct lower *L, const struct expr *e, const char *name)
{
	int off = name ? lower_reg_offset(name) : -1;

	if (off < 0 || L->unit->access != ACCESS_REGS) {
		lower_oops(L, e->span,
			   arena_printf(L->a, "there is no register %s here", name ? name : ""));
		return IR_I(0);
	}
	return reg_load(L, off);
}

struct ir_val lower_func_address(struct lower *L, const struct expr *e)
{
	(void)e;
	if (L->unit->access == ACCESS_REGS && L->unit->provider != HOOK_KRETPROBE &&
	    L->unit->provider != HOOK_URETPROBE)
		return reg_load(L, REG_IP);
	if (!world_has(L->w, WORLD_GET_FUNC_IP)) {
		/* a program each, without cookies: it is known which one this is */
		const char *name = L->unit->point ? L->unit->point->function : NULL;

		return IR_I(name && L->w->ops->kernel_address
				    ? (int64_t)L->w->ops->kernel_address(L->w, name)
				    : 0);
	}
	return IR_R(IR_CALL(&L->b, BPF_FUNC_get_func_ip, IRC_INT, lower_ctx(L)));
}

/* --- args */

bool lower_is_args(const struct expr *e)
{
	while (e->kind == EXPR_CAST && !e->ref)
		e = e->a;
	return (e->kind == EXPR_CALL || e->kind == EXPR_BUILTIN) && e->builtin &&
	       e->builtin->id == BUILTIN_ARGS;
}

static const struct type *args_type(struct lower *L, const struct expr *e)
{
	const struct type *t = e->a->type;

	if (L->unit->point->args)
		t = L->unit->point->args;
	return t && t->kind == TYPE_POINTER ? t->of : t;
}

/* Which argument a member of `args` is. */
static unsigned int member_index(struct lower *L, const struct expr *e)
{
	const struct type *t = args_type(L, e);

	for (uint32_t i = 0; t && i < t->n_members; i++)
		if (t->members[i].name && !strcmp(t->members[i].name, e->name))
			return i;
	return e->member_offset / 8;
}

static struct ir_val syscall_field(struct lower *L, const struct expr *e)
{
	unsigned int i = (e->member_offset - 16) / 8;

	if (e->member_offset < 16 || !strcmp(e->name, "__syscall_nr"))
		return lower_fit(L, lower_syscall_number(L), e->type);
	if (L->unit->access == ACCESS_SYS_EXIT)
		return lower_fit(L, ir_load(&L->b, L->body->ctx, 8, 8, false), e->type);
	if (i >= sizeof(syscall_offsets) / sizeof(*syscall_offsets))
		return IR_I(0);
	return lower_fit(L,
			 ir_kload(&L->b, syscall_regs(L), syscall_offsets[i], 8, false,
				  e->type->kind == TYPE_POINTER ? IRC_KPTR : IRC_INT, NULL),
			 e->type);
}

/* Where a field of variable length is: its offset (and length above) is in the record. */
static ir_reg data_address(struct lower *L, uint32_t off, bool is_relative)
{
	struct ir_val loc = ir_load(&L->b, L->body->ctx, (int32_t)off, 4, false);
	ir_reg base = ir_reg_new(&L->b, IRC_KPTR, NULL);

	loc = ir_math(&L->b, IR_AND, loc, IR_I(0xffff));
	if (is_relative)
		loc = ir_math(&L->b, IR_ADD, loc, IR_I(off + 4));
	ir_set(&L->b, base, IR_R(L->body->ctx));
	return ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(base), loc));
}

/* The member as this point has it. */
static const struct type_member *own_member(struct lower *L, const struct expr *e)
{
	const struct type *t = args_type(L, e);

	for (uint32_t i = 0; t && i < t->n_members; i++)
		if (t->members[i].name && !strcmp(t->members[i].name, e->name))
			return &t->members[i];
	return e->member;
}

static struct ir_val format_value(struct lower *L, struct expr *e)
{
	const struct type_member *m = own_member(L, e);
	uint32_t off = m ? m->offset : e->member_offset;

	if (m && (m->is_data_loc || m->is_rel_loc))
		return IR_R(data_address(L, m->loc_offset, m->is_rel_loc));
	return mem_load_member(L, mem_bpf(L->body->ctx, (int32_t)off), m, e->type);
}

static struct ir_val uprobe_arg(struct lower *L, struct expr *e)
{
	return lower_fit(L, lower_arg(L, e, member_index(L, e)), e->type);
}

struct ir_val lower_args_field(struct lower *L, struct expr *e)
{
	switch (L->unit->access) {
	case ACCESS_SYS_ENTER:
	case ACCESS_SYS_EXIT:
		return syscall_field(L, e);
	case ACCESS_FORMAT:
		return format_value(L, e);
	case ACCESS_ARRAY:
		return array_load(L, member_index(L, e), e->type);
	case ACCESS_REGS:
		return uprobe_arg(L, e);
	case ACCESS_RAW:
		return lower_raw_field(L, e);
	case ACCESS_NONE:
	case ACCESS_ITER:
		break;
	}
	lower_oops(L, e->span, "this probe has no arguments");
	return IR_I(0);
}

/* A field that is no number: an array in the record, text of variable length. */
struct mem lower_args_place(struct lower *L, struct expr *e)
{
	const struct type_member *m = own_member(L, e);
	struct mem p = {.base = L->body->ctx,
			.off = (int32_t)(m ? m->offset : e->member_offset),
			.space = SPACE_KERNEL};

	if (L->unit->access == ACCESS_FORMAT) {
		if (m && (m->is_data_loc || m->is_rel_loc)) {
			p.base = data_address(L, m->loc_offset, m->is_rel_loc);
			p.off = 0;
		}
		return p;
	}
	if (L->unit->access == ACCESS_RAW)
		return lower_raw_place(L, e);
	/* a struct that is passed by value: its first eight bytes */
	p = lower_temp(L, e->type->size > 8 ? e->type->size : 8);
	mem_zero(L, p, e->type->size > 8 ? e->type->size : 8);
	ir_store(&L->b, p.base, p.off, 8,
		 L->unit->access == ACCESS_REGS ? lower_arg(L, e, member_index(L, e))
						: array_load(L, member_index(L, e), NULL));
	return p;
}

/* `args` as a whole: a copy of all members in our memory. */
struct mem lower_args_blob(struct lower *L, struct expr *e)
{
	const struct type *t = e->type->kind == TYPE_POINTER ? e->type->of : e->type;
	struct mem to = lower_temp(L, t->size ? t->size : 8);

	mem_zero(L, to, t->size ? t->size : 8);
	for (uint32_t i = 0; i < t->n_members; i++) {
		const struct type_member *m = &t->members[i];
		struct expr field = {.kind = EXPR_FIELD,
				     .span = e->span,
				     .name = m->name,
				     .type = m->type,
				     .a = e,
				     .member = m,
				     .member_offset = m->offset};

		if (!m->name || m->bits)
			continue;
		if (lower_is_scalar(m->type))
			mem_store(L, mem_at(to, (int32_t)m->offset), m->type,
				  lower_args_field(L, &field));
		else
			mem_copy(L, mem_at(to, (int32_t)m->offset), lower_args_place(L, &field),
				 m->type->size);
	}
	return to;
}
