/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that append to a module; what can be a number becomes no instruction.
 *
 * Nothing is optimized here but what costs nothing: arithmetic of two numbers, x + 0,
 * branches on numbers.  A temporary is written once, by the instruction made for it.
 */
#include "compile/ir/op.h"

#include <assert.h>

enum { FIRST_REGS = 32, FIRST_BLOCKS = 16 }; /* few functions have less */

void ir_module_init(struct ir_module *m, struct arena *a, const char *name)
{
	*m = (struct ir_module){.arena = a, .name = arena_strdup(a, name)};
}

struct ir_func *ir_func_add(struct ir_module *m, const char *name, uint32_t n_params)
{
	struct ir_func *f = array_push(
		m->arena, &m->funcs,
		((struct ir_func){.name = arena_strdup(m->arena, name), .n_params = n_params}));

	array_reserve(m->arena, &f->regs, FIRST_REGS);
	array_reserve(m->arena, &f->blocks, FIRST_BLOCKS);
	array_push(m->arena, &f->regs, (struct ir_reg_info){});
	for (uint32_t i = 0; i < n_params; i++)
		array_push(m->arena, &f->regs, (struct ir_reg_info){});
	if (m->funcs.n == 1 && n_params)
		f->regs.p[1].class = IRC_PTR; /* the context */
	array_push(m->arena, &f->blocks, (struct ir_block){});
	return f;
}

uint32_t ir_func_index(const struct ir_module *m, const struct ir_func *f)
{
	return (uint32_t)(f - m->funcs.p);
}

struct ir_func *ir_here(const struct ir_builder *b)
{
	return &b->m->funcs.p[b->func];
}

static struct ir_block *block_here(const struct ir_builder *b)
{
	return &ir_here(b)->blocks.p[b->block];
}

ir_reg ir_reg_new(struct ir_builder *b, enum ir_class class, const char *name)
{
	struct ir_func *f = ir_here(b);

	array_push(b->m->arena, &f->regs, ((struct ir_reg_info){class, name}));
	return (ir_reg)(f->regs.n - 1);
}

uint32_t ir_slot_new(struct ir_builder *b, uint32_t size, uint32_t align, const char *name)
{
	struct ir_func *f = ir_here(b);

	array_push(b->m->arena, &f->slots, ((struct ir_slot){size, align ? align : 1, name}));
	return (uint32_t)(f->slots.n - 1);
}

uint32_t ir_block_new(struct ir_builder *b)
{
	struct ir_func *f = ir_here(b);

	array_push(b->m->arena, &f->blocks, (struct ir_block){.span = b->span});
	return (uint32_t)(f->blocks.n - 1);
}

void ir_block_go(struct ir_builder *b, uint32_t block)
{
	assert(block < ir_here(b)->blocks.n);
	b->block = block;
}

bool ir_block_ended(const struct ir_builder *b)
{
	return block_here(b)->end != IRE_NONE;
}

struct ir_insn *ir_add(struct ir_builder *b, enum ir_op op)
{
	assert(!ir_block_ended(b));
	return array_push(b->m->arena, &block_here(b)->insns,
			  ((struct ir_insn){.op = op, .span = b->span}));
}

/* An instruction whose result is a new register. */
static struct ir_insn *add_result(struct ir_builder *b, enum ir_op op, enum ir_class class)
{
	ir_reg dst = ir_reg_new(b, class, NULL);
	struct ir_insn *i = ir_add(b, op);

	i->dst = dst;
	return i;
}

/* --- values */

static enum ir_class class_of(const struct ir_builder *b, struct ir_val v)
{
	return v.reg ? ir_here(b)->regs.p[v.reg].class : IRC_INT;
}

ir_reg ir_to_reg(struct ir_builder *b, struct ir_val v)
{
	struct ir_insn *i;

	if (v.reg)
		return v.reg;
	i = add_result(b, IR_MOV, IRC_INT);
	i->a = v;
	return i->dst;
}

/* A pointer moved by a number is still that pointer; all else is a number. */
static enum ir_class math_class(const struct ir_builder *b, enum ir_op op, struct ir_val x,
				struct ir_val y)
{
	enum ir_class cx = class_of(b, x), cy = class_of(b, y);

	if (op == IR_ADD && cx == IRC_INT) {
		enum ir_class swap = cx;
		struct ir_val v = x;

		cx = cy, cy = swap;
		x = y, y = v;
	}
	if ((op != IR_ADD && op != IR_SUB) || cx == IRC_MAP || cy != IRC_INT)
		return IRC_INT;
	/* The verifier follows a typed pointer only by fixed steps. */
	return cx == IRC_BTF && y.reg ? IRC_KPTR : cx;
}

struct ir_val ir_math(struct ir_builder *b, enum ir_op op, struct ir_val x, struct ir_val y)
{
	struct ir_insn *i;

	if (!x.reg && !y.reg)
		return IR_I((int64_t)ir_eval_binary(op, (uint64_t)x.imm, (uint64_t)y.imm));
	if (ir_is_imm(y, 0) && (op == IR_ADD || op == IR_SUB || op == IR_OR || op == IR_XOR ||
				op == IR_SHL || op == IR_SHR || op == IR_SAR))
		return x;
	if (ir_is_imm(x, 0) && (op == IR_ADD || op == IR_OR || op == IR_XOR))
		return y;
	i = add_result(b, op, math_class(b, op, x, y));
	i->a = x;
	i->b = y;
	return IR_R(i->dst);
}

static struct ir_val unary(struct ir_builder *b, enum ir_op op, struct ir_val x, unsigned int bits)
{
	struct ir_insn *i;

	if (!x.reg)
		return IR_I((int64_t)ir_eval_unary(op, bits, (uint64_t)x.imm));
	i = add_result(b, op, IRC_INT);
	i->a = x;
	i->size = (uint8_t)bits;
	return IR_R(i->dst);
}

struct ir_val ir_unary(struct ir_builder *b, enum ir_op op, struct ir_val x)
{
	return unary(b, op, x, 0);
}

struct ir_val ir_extend(struct ir_builder *b, struct ir_val x, unsigned int bits, bool sign)
{
	return bits >= 64 ? x : unary(b, sign ? IR_SEXT : IR_ZEXT, x, bits);
}

struct ir_val ir_swap(struct ir_builder *b, struct ir_val x, unsigned int bits)
{
	return bits <= 8 ? ir_extend(b, x, 8, false) : unary(b, IR_SWAP, x, bits);
}

struct ir_val ir_compare(struct ir_builder *b, enum ir_cond cond, struct ir_val x, struct ir_val y)
{
	switch (cond) {
	case IRC_EQ:
		return ir_math(b, IR_SETEQ, x, y);
	case IRC_NE:
		return ir_math(b, IR_SETNE, x, y);
	case IRC_ULT:
		return ir_math(b, IR_SETULT, x, y);
	case IRC_ULE:
		return ir_math(b, IR_SETULE, x, y);
	case IRC_UGT:
		return ir_math(b, IR_SETULT, y, x);
	case IRC_UGE:
		return ir_math(b, IR_SETULE, y, x);
	case IRC_SLT:
		return ir_math(b, IR_SETSLT, x, y);
	case IRC_SLE:
		return ir_math(b, IR_SETSLE, x, y);
	case IRC_SGT:
		return ir_math(b, IR_SETSLT, y, x);
	case IRC_SGE:
		return ir_math(b, IR_SETSLE, y, x);
	case IRC_SET:
		return ir_math(b, IR_SETNE, ir_math(b, IR_AND, x, y), IR_I(0));
	}
	return IR_I(0);
}

void ir_set(struct ir_builder *b, ir_reg to, struct ir_val v)
{
	struct ir_insn *i;

	if (v.reg == to)
		return;
	i = ir_add(b, IR_MOV);
	i->dst = to;
	i->a = v;
}

/* --- addresses */

static ir_reg address(struct ir_builder *b, enum ir_op op, enum ir_class class, uint32_t index,
		      int32_t off)
{
	struct ir_insn *i = add_result(b, op, class);

	i->index = index;
	i->off = off;
	return i->dst;
}

ir_reg ir_slot_addr(struct ir_builder *b, uint32_t slot, int32_t off)
{
	return address(b, IR_SLOT, IRC_PTR, slot, off);
}

ir_reg ir_space_addr(struct ir_builder *b, enum ir_space space, uint32_t off)
{
	switch (space) {
	case IRS_GLOBAL:
		return address(b, IR_GLOBAL, IRC_PTR, 0, (int32_t)off);
	case IRS_RODATA:
		return address(b, IR_RODATA, IRC_PTR, 0, (int32_t)off);
	case IRS_SCRATCH:
		return address(b, IR_SCRATCH, IRC_PTR, 0, (int32_t)off);
	}
	return 0;
}

ir_reg ir_map_addr(struct ir_builder *b, uint32_t map)
{
	return address(b, IR_MAP, IRC_MAP, map, 0);
}

ir_reg ir_map_value_addr(struct ir_builder *b, uint32_t map, uint32_t off)
{
	return address(b, IR_MAPVALUE, IRC_PTR, map, (int32_t)off);
}

ir_reg ir_ksym_addr(struct ir_builder *b, const char *name)
{
	return address(b, IR_KSYM, IRC_PTR, ir_named(b->m->arena, &b->m->ksyms, name), 0);
}

ir_reg ir_func_addr(struct ir_builder *b, uint32_t func)
{
	b->m->funcs.p[func].is_callback = true;
	return address(b, IR_FUNC, IRC_PTR, func, 0);
}

/* --- memory */

static struct ir_insn *load(struct ir_builder *b, enum ir_op op, enum ir_class class, ir_reg base,
			    int32_t off, unsigned int size, bool sign)
{
	struct ir_insn *i = add_result(b, op, class);

	i->a = IR_R(base);
	i->off = off;
	i->size = (uint8_t)size;
	i->sign = sign && size < 8;
	return i;
}

struct ir_val ir_load(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign)
{
	return IR_R(load(b, IR_LOAD, IRC_INT, base, off, size, sign)->dst);
}

void ir_store(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, struct ir_val v)
{
	struct ir_insn *i = ir_add(b, IR_STORE);

	i->a = IR_R(base);
	i->off = off;
	i->size = (uint8_t)size;
	i->b = v;
}

struct ir_val ir_kload(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign,
		       enum ir_class class, ir_reg *ret_failed)
{
	bool is_direct = class_of(b, IR_R(base)) == IRC_BTF;
	ir_reg failed = 0;
	struct ir_insn *i;

	if (ret_failed)
		failed = is_direct ? ir_to_reg(b, IR_I(0)) : ir_reg_new(b, IRC_INT, NULL);
	i = load(b, is_direct ? IR_LOAD : IR_KLOAD, class, base, off, size, sign);
	if (ret_failed) {
		if (!is_direct)
			i->b = IR_R(failed);
		*ret_failed = failed;
	}
	return IR_R(i->dst);
}

struct ir_val ir_uload(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign,
		       ir_reg *ret_failed)
{
	ir_reg failed = ret_failed ? ir_reg_new(b, IRC_INT, NULL) : 0;
	struct ir_insn *i = load(b, IR_ULOAD, IRC_INT, base, off, size, sign);

	if (ret_failed) {
		i->b = IR_R(failed);
		*ret_failed = failed;
	}
	return IR_R(i->dst);
}

void ir_atomic_add(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size,
		   struct ir_val v)
{
	struct ir_insn *i = ir_add(b, IR_ATOMIC_ADD);

	i->a = IR_R(base);
	i->off = off;
	i->size = (uint8_t)size;
	i->b = v;
}

void ir_zero(struct ir_builder *b, ir_reg base, int32_t off, uint32_t n)
{
	struct ir_insn *i;

	if (!n)
		return;
	i = ir_add(b, IR_ZERO);
	i->a = IR_R(base);
	i->off = off;
	i->c = IR_I(n);
}

void ir_copy(struct ir_builder *b, ir_reg to, int32_t to_off, ir_reg from, int32_t from_off,
	     uint32_t n)
{
	struct ir_insn *i;

	if (!n || (to == from && to_off == from_off))
		return;
	i = ir_add(b, IR_COPY);
	i->a = IR_R(to);
	i->off = to_off;
	i->b = IR_R(from);
	i->index = (uint32_t)from_off;
	i->c = IR_I(n);
}

/* --- calls */

static ir_reg call(struct ir_builder *b, enum ir_op op, uint32_t index, enum ir_class class,
		   const struct ir_val *args, unsigned int n_args)
{
	struct ir_insn *i = add_result(b, op, class);

	assert(n_args <= IR_ARGS);
	i->index = index;
	i->n_args = (uint8_t)n_args;
	i->args = arena_copy(b->m->arena, args, n_args * sizeof(*args));
	return i->dst;
}

ir_reg ir_call(struct ir_builder *b, unsigned int helper, enum ir_class class,
	       const struct ir_val *args, unsigned int n_args)
{
	return call(b, IR_CALL, helper, class, args, n_args);
}

ir_reg ir_call_func(struct ir_builder *b, uint32_t func, const struct ir_val *args,
		    unsigned int n_args)
{
	return call(b, IR_CALLF, func, IRC_INT, args, n_args);
}

ir_reg ir_call_rt(struct ir_builder *b, const char *name, enum ir_class class,
		  const struct ir_val *args, unsigned int n_args)
{
	return call(b, IR_CALLRT, ir_named(b->m->arena, &b->m->rt_funcs, name), class, args,
		    n_args);
}

ir_reg ir_call_kfunc(struct ir_builder *b, const char *name, enum ir_class class,
		     const struct ir_val *args, unsigned int n_args)
{
	return call(b, IR_CALLK, ir_named(b->m->arena, &b->m->kfuncs, name), class, args, n_args);
}

ir_reg ir_cast(struct ir_builder *b, ir_reg p, uint32_t type)
{
	return call(b, IR_CAST, ir_named(b->m->arena, &b->m->kfuncs, "bpf_rdonly_cast"), IRC_BTF,
		    (struct ir_val[]){IR_R(p), IR_I(type)}, 2);
}

/* --- ends */

static struct ir_block *end(struct ir_builder *b, enum ir_end how)
{
	struct ir_block *block = block_here(b);

	assert(block->end == IRE_NONE);
	block->end = how;
	block->span = b->span;
	return block;
}

void ir_jump(struct ir_builder *b, uint32_t block)
{
	end(b, IRE_JUMP)->yes = block;
}

void ir_branch(struct ir_builder *b, enum ir_cond cond, struct ir_val x, struct ir_val y,
	       uint32_t yes, uint32_t no)
{
	struct ir_block *block;

	if (!x.reg && !y.reg) {
		ir_jump(b, ir_eval_cond(cond, (uint64_t)x.imm, (uint64_t)y.imm) ? yes : no);
		return;
	}
	block = end(b, IRE_BRANCH);
	block->cond = cond;
	block->a = x;
	block->b = y;
	block->yes = yes;
	block->no = no;
}

void ir_return(struct ir_builder *b, struct ir_val v)
{
	end(b, IRE_RETURN)->a = v;
}
