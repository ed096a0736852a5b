/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars: numbers, pointers, conditions.
 *
 * A scalar is always extended to 64 bits by its type's sign; arithmetic on narrow types is
 * done in 64 bits and cut back (lower_fit).  Division and shifts to the right are without signs
 * in this language, whatever the operands' types are.
 *
 * Operands are evaluated from left to right.  A variable's register stands for its value
 * only until something writes it: where a later operand might, a copy is made
 * (lower_stable).
 */
#include "compile/lang/bpftrace/lower-internal.h"

bool lower_is_scalar(const struct type *t)
{
	return type_is_scalar(t);
}

/* --- looking ahead */

static bool block_any(const struct block *b, const struct variable *v);

/* Does it write anything (v NULL), or mention v? */
static bool expr_any(const struct expr *e, const struct variable *v)
{
	if (!e)
		return false;
	if (v && e->kind == EXPR_VAR && e->var == v)
		return true;
	if (!v && e->kind == EXPR_UNARY && e->op >= OP_PREINC && e->op <= OP_POSTDEC)
		return true;
	if (!v && (e->kind == EXPR_BLOCK || e->block))
		return true;
	if (!v && e->kind == EXPR_CALL && (!e->builtin || !(e->builtin->flags & BUILTIN_PURE)))
		return true;
	for (size_t i = 0; i < e->items.n; i++)
		if (expr_any(e->items.p[i], v))
			return true;
	return expr_any(e->a, v) || expr_any(e->b, v) || expr_any(e->c, v) ||
	       block_any(e->block, v);
}

static bool block_any(const struct block *b, const struct variable *v)
{
	if (!b)
		return false;
	for (size_t i = 0; i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if (!v || expr_any(s->a, v) || expr_any(s->b, v) || expr_any(s->c, v) ||
		    block_any(s->block, v) || block_any(s->other, v))
			return true;
	}
	return expr_any(b->value, v);
}

bool lower_has_effects(const struct expr *e)
{
	return expr_any(e, NULL);
}

bool lower_mentions(const struct expr *e, const struct variable *v)
{
	return expr_any(e, v);
}

/* --- arithmetic */

struct ir_val lower_fit(struct lower *L, struct ir_val v, const struct type *t)
{
	if (t->kind == TYPE_BOOL)
		return v.reg || (v.imm != 0 && v.imm != 1) ? ir_compare(&L->b, IRC_NE, v, IR_I(0))
							   : v;
	if ((t->kind == TYPE_INT || t->kind == TYPE_ENUM) && t->size && t->size < 8)
		return ir_extend(&L->b, v, t->size * 8, t->is_signed);
	return v;
}

static enum ir_cond condition(enum expr_op op, bool is_signed)
{
	switch ((int)op) {
	case OP_EQ:
		return IRC_EQ;
	case OP_NE:
		return IRC_NE;
	case OP_LT:
		return is_signed ? IRC_SLT : IRC_ULT;
	case OP_LE:
		return is_signed ? IRC_SLE : IRC_ULE;
	case OP_GT:
		return is_signed ? IRC_SGT : IRC_UGT;
	}
	return is_signed ? IRC_SGE : IRC_UGE;
}

static bool is_comparison(enum expr_op op)
{
	return op >= OP_EQ && op <= OP_GE;
}

/* x / 0 and x % 0 are 1, and user space hears of it. */
static struct ir_val divide(struct lower *L, const struct expr *at, enum expr_op op,
			    const struct type *t, struct ir_val x, struct ir_val y)
{
	enum ir_op ir = op == OP_DIV ? IR_UDIV : IR_UMOD;
	unsigned int bits = t->size ? t->size * 8 : 64;
	uint32_t zero, fine, done;
	ir_reg result;

	if (t->is_signed && bits < 64) {
		x = ir_extend(&L->b, x, bits, false);
		y = ir_extend(&L->b, y, bits, false);
	}
	if (!y.reg && y.imm)
		return ir_math(&L->b, ir, x, y);
	result = ir_reg_new(&L->b, IRC_INT, NULL);
	zero = ir_block_new(&L->b);
	fine = ir_block_new(&L->b);
	done = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_EQ, y, IR_I(0), zero, fine);
	ir_block_go(&L->b, zero);
	lower_runtime_error(L, at->op_span.end ? at->op_span : at->span,
			    "Divide or modulo by 0 detected. This can lead to unexpected results. "
			    "1 is being used as the result.");
	ir_set(&L->b, result, IR_I(1));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, fine);
	ir_set(&L->b, result, ir_math(&L->b, ir, x, y));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(result);
}

static struct ir_val math(struct lower *L, enum expr_op op, const struct type *t, struct ir_val x,
			  struct ir_val y)
{
	switch ((int)op) {
	case OP_ADD:
		return ir_math(&L->b, IR_ADD, x, y);
	case OP_SUB:
		return ir_math(&L->b, IR_SUB, x, y);
	case OP_MUL:
		return ir_math(&L->b, IR_MUL, x, y);
	case OP_AND:
		return ir_math(&L->b, IR_AND, x, y);
	case OP_OR:
		return ir_math(&L->b, IR_OR, x, y);
	case OP_XOR:
		return ir_math(&L->b, IR_XOR, x, y);
	case OP_SHL:
		return ir_math(&L->b, IR_SHL, x, y);
	case OP_SHR:
		if (t->is_signed && t->size && t->size < 8)
			x = ir_extend(&L->b, x, t->size * 8, false);
		return ir_math(&L->b, IR_SHR, x, y);
	}
	return x;
}

struct ir_val lower_binary_values(struct lower *L, const struct expr *at, enum expr_op op,
				  const struct type *t, struct ir_val x, struct ir_val y)
{
	struct ir_val v;

	if (op == OP_DIV || op == OP_MOD)
		v = divide(L, at, op, t, x, y);
	else
		v = math(L, op, t, x, y);
	return lower_fit(L, v, t);
}

ir_reg lower_stable(struct lower *L, struct expr *e)
{
	struct ir_val v = lower_scalar(L, e);
	ir_reg r;

	if (e->kind != EXPR_VAR && v.reg)
		return v.reg;
	r = ir_reg_new(&L->b, v.reg ? ir_here(&L->b)->regs.p[v.reg].class : IRC_INT, NULL);
	ir_set(&L->b, r, v);
	return r;
}

static struct ir_val operand(struct lower *L, struct expr *e, const struct expr *later)
{
	if (e->kind == EXPR_VAR && lower_has_effects(later))
		return IR_R(lower_stable(L, e));
	return lower_scalar(L, e);
}

static uint32_t pointee_size(const struct type *t)
{
	return t->of && t->of->size ? t->of->size : 1;
}

/* pointer + integer, in steps of what it points to */
static struct ir_val pointer_math(struct lower *L, struct expr *e)
{
	bool left = e->a->type->kind == TYPE_POINTER;
	const struct type *t = left ? e->a->type : e->b->type;
	struct ir_val x = lower_untyped(L, operand(L, e->a, e->b));
	struct ir_val y = lower_untyped(L, lower_scalar(L, e->b));
	struct ir_val *n = left ? &y : &x;

	if (e->b->type->kind == TYPE_POINTER && left) { /* a difference, in bytes */
		return ir_math(&L->b, e->op == OP_ADD ? IR_ADD : IR_SUB, x, y);
	}
	*n = ir_math(&L->b, IR_MUL, *n, IR_I(pointee_size(t)));
	return ir_math(&L->b, e->op == OP_SUB ? IR_SUB : IR_ADD, x, y);
}

static struct ir_val select(struct lower *L, struct expr *e)
{
	ir_reg result = ir_reg_new(&L->b, IRC_INT, NULL);
	uint32_t yes = ir_block_new(&L->b), no = ir_block_new(&L->b), done = ir_block_new(&L->b);

	lower_branch(L, e, yes, no);
	ir_block_go(&L->b, yes);
	ir_set(&L->b, result, IR_I(1));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, no);
	ir_set(&L->b, result, IR_I(0));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(result);
}

static struct ir_val lower_binary(struct lower *L, struct expr *e)
{
	const struct type *ta = e->a->type, *tb = e->b->type;
	struct ir_val x, y;

	if (e->op == OP_LAND || e->op == OP_LOR)
		return select(L, e);
	if (is_comparison(e->op)) {
		if (!lower_is_scalar(ta) || !lower_is_scalar(tb))
			return lower_compare_blobs(L, e);
		x = operand(L, e->a, e->b);
		y = lower_scalar(L, e->b);
		return ir_compare(&L->b, condition(e->op, ta->is_signed || tb->is_signed), x, y);
	}
	if (ta->kind == TYPE_POINTER || tb->kind == TYPE_POINTER)
		return pointer_math(L, e);
	x = operand(L, e->a, e->b);
	y = lower_scalar(L, e->b);
	return lower_binary_values(L, e, e->op, e->type, x, y);
}

/* --- ++, --, !, ~, -, * */

struct ir_val lower_step(struct lower *L, const struct expr *e)
{
	int64_t n = e->a->type->kind == TYPE_POINTER ? pointee_size(e->a->type) : 1;

	(void)L;
	return IR_I(e->op == OP_PREDEC || e->op == OP_POSTDEC ? -n : n);
}

static struct ir_val lower_increment(struct lower *L, struct expr *e)
{
	struct ir_val old, new;
	ir_reg kept = 0;

	if (e->a->kind != EXPR_VAR)
		return lower_map_step(L, e);
	old = lower_var_get(L, e->a->var);
	if (!e->is_discarded && (e->op == OP_POSTINC || e->op == OP_POSTDEC)) {
		kept = ir_reg_new(&L->b, IRC_INT, NULL);
		ir_set(&L->b, kept, old);
	}
	new = lower_fit(L, ir_math(&L->b, IR_ADD, old, lower_step(L, e)), e->a->type);
	lower_var_put(L, e->a->var, new);
	if (kept)
		return IR_R(kept);
	return e->is_discarded ? IR_I(0) : lower_var_get(L, e->a->var);
}

static struct mem pointed(struct lower *L, const struct type *t, ir_reg base)
{
	return (struct mem){.base = base, .space = lower_space(L, t), .is_ctx = t->is_ctx};
}

static struct ir_val lower_unary(struct lower *L, struct expr *e)
{
	/* of an unsigned number: its own bits only, as bpftrace has it */
	const struct type *fit = e->a->type->is_signed ? e->type : e->a->type;
	struct ir_val x;

	switch ((int)e->op) {
	case OP_NOT:
		if (e->a->kind == EXPR_BINARY)
			return select(L, e);
		return ir_compare(&L->b, IRC_EQ, lower_scalar(L, e->a), IR_I(0));
	case OP_BNOT:
		return lower_fit(L, ir_unary(&L->b, IR_NOT, lower_scalar(L, e->a)), fit);
	case OP_NEG:
		return lower_fit(L, ir_unary(&L->b, IR_NEG, lower_scalar(L, e->a)), fit);
	case OP_DEREF:
		x = lower_scalar(L, e->a);
		return mem_load_type(L, pointed(L, e->a->type, ir_to_reg(&L->b, x)), e->type);
	}
	return lower_increment(L, e);
}

/* --- casts, ternaries */

static bool same_target(const struct type *a, const struct type *b)
{
	return a->of && b->of && a->of->kind == TYPE_STRUCT && b->of->kind == TYPE_STRUCT &&
	       a->of->name && b->of->name && !strcmp(a->of->name, b->of->name);
}

static struct ir_val lower_cast(struct lower *L, struct expr *e)
{
	const struct type *from = e->a->type, *to = e->type;
	struct ir_val v;

	if (type_is_agg(from) && (e->a->kind == EXPR_MAP || e->a->kind == EXPR_MAP_ACCESS))
		return lower_fit(L, lower_agg_read(L, e->a), to);
	if (type_is_agg(to) && lower_is_scalar(from))
		return lower_scalar(L, e->a);
	if (!lower_is_scalar(from)) {
		/* bytes that are read as a number; a string as a condition: is it not empty */
		struct mem p = lower_mem(L, e->a);

		if (from->kind == TYPE_STRING || to->kind == TYPE_BOOL)
			return ir_compare(&L->b, IRC_NE, mem_load(L, p, 1, false, IRC_INT),
					  IR_I(0));
		return mem_load_type(L, p, from->size < to->size ? from : to);
	}
	v = lower_scalar(L, e->a);
	if (to->kind != TYPE_POINTER || from->kind != TYPE_POINTER || !same_target(to, from))
		v = lower_untyped(L, v);
	if (to->kind == TYPE_BOOL && from->kind == TYPE_BOOL)
		return v;
	if (to->kind == TYPE_POINTER && from->kind == TYPE_INT &&
	    from->is_signed) /* an address has none */
		v = lower_fit(L, v, type_int(from->size, false));
	return lower_fit(L, v, to);
}

static struct ir_val lower_if(struct lower *L, struct expr *e)
{
	bool has_value = e->type && e->type->kind != TYPE_NONE && e->type->kind != TYPE_VOID;
	ir_reg result =
		has_value ? ir_reg_new(&L->b, e->type->kind == TYPE_POINTER ? IRC_KPTR : IRC_INT,
				       NULL)
			  : 0;
	uint32_t yes = ir_block_new(&L->b), no = ir_block_new(&L->b), done = ir_block_new(&L->b);
	struct expr *arms[] = {e->b, e->c};
	uint32_t blocks[] = {yes, no};

	lower_branch(L, e->a, yes, no);
	for (int i = 0; i < 2; i++) {
		ir_block_go(&L->b, blocks[i]);
		if (arms[i] && has_value)
			ir_set(&L->b, result, lower_fit(L, lower_scalar(L, arms[i]), e->type));
		else if (arms[i])
			lower_effect(L, arms[i]);
		ir_jump(&L->b, done);
	}
	ir_block_go(&L->b, done);
	return result ? IR_R(result) : IR_I(0);
}

static struct ir_val lower_block_value(struct lower *L, struct expr *e)
{
	lower_block(L, e->block);
	return e->block->value ? lower_scalar(L, e->block->value) : IR_I(0);
}

static struct ir_val lower_address(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(e->a, &key);

	if (e->a->kind == EXPR_VAR)
		return IR_R(mem_addr(L, lower_var_place(L, e->a->var)));
	if (m && (e->a->kind == EXPR_MAP_ACCESS || lower_map_is_array(m)))
		return IR_R(mem_addr(L, lower_map_read(L, m, key)));
	if (m) { /* of the map itself: a number, behind which is the kernel's memory */
		ir_reg address = ir_reg_new(&L->b, IRC_INT, NULL);

		ir_set(&L->b, address, IR_R(ir_map_addr(&L->b, lower_map_index(m))));
		return IR_R(address);
	}
	return IR_R(mem_addr(L, lower_mem(L, e->a)));
}

static struct ir_val scalar_call(struct lower *L, struct expr *e)
{
	const struct lower_call *row;

	if (!e->builtin)
		return IR_R(lower_fn_call(L, e, NULL));
	row = &lower_calls[e->builtin->id];
	if (row->scalar)
		return row->scalar(L, e);
	if (row->effect) {
		row->effect(L, e);
		return IR_I(0);
	}
	lower_oops(L, e->span, arena_printf(L->a, "%s() is not supported here", e->name));
	return IR_I(0);
}

static struct ir_val map_value(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(e, &key);

	return lower_map_get(L, m, key, e->type);
}

struct ir_val lower_scalar(struct lower *L, struct expr *e)
{
	struct span outer = L->b.span;
	struct ir_val v = IR_I(0);

	L->b.span = e->span;
	switch (e->kind) {
	case EXPR_INT:
		v = lower_fit(L, IR_I((int64_t)e->number), e->type);
		break;
	case EXPR_BOOL:
		v = IR_I(e->number != 0);
		break;
	case EXPR_BUILTIN:
	case EXPR_CALL:
		v = scalar_call(L, e);
		break;
	case EXPR_MAP:
	case EXPR_MAP_ACCESS:
		if (type_is_agg(e->map ? e->map->value : e->type)) {
			v = lower_agg_read(L, e);
			break;
		}
		v = map_value(L, e);
		break;
	case EXPR_VAR:
		v = lower_var_get(L, e->var);
		break;
	case EXPR_ADDRESS:
		v = lower_address(L, e);
		break;
	case EXPR_BINARY:
		v = lower_binary(L, e);
		break;
	case EXPR_UNARY:
		v = lower_unary(L, e);
		break;
	case EXPR_FIELD:
		v = lower_field(L, e);
		break;
	case EXPR_INDEX:
		v = lower_index(L, e);
		break;
	case EXPR_TUPLE_AT:
		v = mem_load_type(L, lower_mem(L, e), e->type);
		break;
	case EXPR_CAST:
		v = lower_cast(L, e);
		break;
	case EXPR_IF:
		v = lower_if(L, e);
		break;
	case EXPR_BLOCK:
		v = lower_block_value(L, e);
		break;
	case EXPR_COMPTIME:
		v = lower_scalar(L, e->a);
		break;
	case EXPR_NONE:
		break;
	case EXPR_STRING:
	case EXPR_PARAM:
	case EXPR_PARAM_COUNT:
	case EXPR_IDENT:
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPE:
	case EXPR_TUPLE:
	case EXPR_RECORD:
		lower_oops(L, e->span, "this value is not a number");
		break;
	}
	L->b.span = outer;
	return v;
}

void lower_effect(struct lower *L, struct expr *e)
{
	if (e->kind == EXPR_NONE)
		return;
	if (e->kind == EXPR_BLOCK) {
		lower_block(L, e->block);
		if (e->block->value)
			lower_effect(L, e->block->value);
	} else if (e->kind == EXPR_IF && e->type && !lower_is_scalar(e->type) &&
		   e->type->kind != TYPE_NONE && e->type->kind != TYPE_VOID) {
		struct mem tmp = lower_temp(L, e->type->size);

		lower_into(L, e, tmp, false);
	} else if (!e->type || e->type->kind == TYPE_NONE || e->type->kind == TYPE_VOID ||
		   lower_is_scalar(e->type)) {
		e->is_discarded = true;
		lower_scalar(L, e);
	} else if (lower_has_effects(e)) {
		lower_mem(L, e);
	}
}

/* --- conditions */

static bool branch_short(struct lower *L, struct expr *e, uint32_t yes, uint32_t no)
{
	uint32_t next;

	if (e->kind == EXPR_UNARY && e->op == OP_NOT) {
		lower_branch(L, e->a, no, yes);
		return true;
	}
	if (e->kind != EXPR_BINARY || (e->op != OP_LAND && e->op != OP_LOR))
		return false;
	next = ir_block_new(&L->b);
	if (e->op == OP_LAND)
		lower_branch(L, e->a, next, no);
	else
		lower_branch(L, e->a, yes, next);
	ir_block_go(&L->b, next);
	lower_branch(L, e->b, yes, no);
	return true;
}

void lower_branch(struct lower *L, struct expr *e, uint32_t yes, uint32_t no)
{
	struct span outer = L->b.span;

	L->b.span = e->span;
	if (branch_short(L, e, yes, no)) {
		/* done */
	} else if (e->kind == EXPR_BINARY && is_comparison(e->op) && lower_is_scalar(e->a->type) &&
		   lower_is_scalar(e->b->type)) {
		bool is_signed = e->a->type->is_signed || e->b->type->is_signed;
		struct ir_val x = operand(L, e->a, e->b), y = lower_scalar(L, e->b);

		ir_branch(&L->b, condition(e->op, is_signed), x, y, yes, no);
	} else if (e->type && !lower_is_scalar(e->type)) {
		struct mem p = lower_mem(L, e);

		ir_branch(&L->b, IRC_NE, mem_load(L, p, 1, false, IRC_INT), IR_I(0), yes, no);
	} else {
		ir_branch(&L->b, IRC_NE, lower_scalar(L, e), IR_I(0), yes, no);
	}
	L->b.span = outer;
}
