/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that do not fit a register: where they are (lower_mem), or put where the caller
 * wants them (lower_into).
 *
 * What exists already (a variable, a literal, a struct of the kernel's) is found without
 * a copy.  What has to be made is made in the caller's memory, or in a temporary.
 */
#include "compile/lang/bpftrace/lower-internal.h"

static struct mem literal(struct lower *L, struct expr *e)
{
	uint32_t size =
		e->type && e->type->size > e->text.n ? e->type->size : (uint32_t)e->text.n + 1;
	char *bytes = arena_alloc(L->a, size);
	struct mem p;

	if (e->text.n)
		memcpy(bytes, e->text.p, e->text.n);
	p = mem_bpf(ir_space_addr(&L->b, IRS_RODATA, lower_rodata(L, bytes, size, 8)), 0);
	p.is_clean = true;
	return p;
}

static struct mem made(struct lower *L, struct expr *e)
{
	struct mem tmp = lower_temp_of(L, e->type);

	lower_into(L, e, tmp, false);
	return tmp;
}

static struct mem deref(struct lower *L, struct expr *e)
{
	ir_reg base = ir_to_reg(&L->b, lower_scalar(L, e->a));

	return (struct mem){
		.base = base, .space = lower_space(L, e->a->type), .is_ctx = e->a->type->is_ctx};
}

static struct mem member_place(struct lower *L, struct expr *e)
{
	const struct type *owner = e->a->type;
	struct mem p;
	bool is_typed;

	if (lower_is_args(e->a))
		return lower_args_place(L, e);
	if (owner->kind == TYPE_POINTER) {
		p = deref(L, e);
		owner = owner->of;
		is_typed = true;
	} else {
		p = lower_mem(L, e->a);
		is_typed = p.is_typed;
	}
	p = mem_at(p, (int32_t)e->member_offset);
	p.is_typed = is_typed && lower_is_plain_member(e, owner);
	return p;
}

/*
 * An index outside the array is reported.  Elsewhere's memory is read as it was asked for;
 * in our own the verifier wants to see that the index is inside: 0 stands for it.
 */
static struct ir_val within(struct lower *L, struct expr *e, struct mem p, struct ir_val i)
{
	const struct type *t = e->a->type;
	uint32_t n = t->kind == TYPE_STRING ? t->size : t->n;
	uint32_t bad = ir_block_new(&L->b), fine = ir_block_new(&L->b);
	ir_reg kept = ir_reg_new(&L->b, IRC_INT, NULL);

	ir_set(&L->b, kept, i);
	ir_branch(&L->b, IRC_UGE, IR_R(kept), IR_I(n ? n : 1), bad, fine);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, bad);
	lower_runtime_error(L, e->span,
			    "Array access out of bounds. This can lead to unexpected results.");
	if (p.space == SPACE_BPF)
		ir_set(&L->b, kept, IR_I(0));
	ir_jump(&L->b, fine);
	ir_block_go(&L->b, fine);
	return IR_R(kept);
}

static struct mem element(struct lower *L, struct expr *e)
{
	struct mem p;
	struct ir_val i;
	uint32_t size = e->type->size ? e->type->size : 1;
	const struct type *t = e->a->type;

	if (t->kind == TYPE_POINTER)
		p = (struct mem){.base = lower_stable(L, e->a), .space = lower_space(L, t)};
	else
		p = lower_mem(L, e->a);
	i = lower_scalar(L, e->b);
	if (!i.reg)
		return mem_at(p, (int32_t)(i.imm * size));
	if (t->kind != TYPE_POINTER)
		i = within(L, e, p, i);
	p.base = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(p.base),
					  ir_math(&L->b, IR_MUL, i, IR_I(size))));
	p.is_clean = p.is_typed = false;
	return p;
}

static struct mem map_place(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(e, &key);

	return lower_map_read(L, m, key);
}

static struct mem cast_place(struct lower *L, struct expr *e)
{
	const struct type *from = e->a->type, *to = e->type;

	if (lower_is_scalar(from) || (type_is_agg(from) && !type_is_agg(to)))
		return made(L, e);
	if (from->kind == to->kind && to->kind != TYPE_TUPLE && to->kind != TYPE_RECORD &&
	    from->size >= to->size && to->kind != TYPE_STRING)
		return lower_mem(L, e->a);
	if (type_same(from, to))
		return lower_mem(L, e->a);
	return made(L, e);
}

static struct mem if_place(struct lower *L, struct expr *e)
{
	return made(L, e);
}

struct mem lower_mem(struct lower *L, struct expr *e)
{
	struct span outer = L->b.span;
	struct mem p = {.space = SPACE_BPF};

	L->b.span = e->span;
	switch (e->kind) {
	case EXPR_STRING:
		p = literal(L, e);
		break;
	case EXPR_VAR:
		p = lower_var_place(L, e->var);
		break;
	case EXPR_MAP:
	case EXPR_MAP_ACCESS:
		p = map_place(L, e);
		break;
	case EXPR_FIELD:
		p = member_place(L, e);
		break;
	case EXPR_INDEX:
		p = element(L, e);
		break;
	case EXPR_TUPLE_AT:
		p = lower_mem(L, e->a);
		if (e->number < e->a->type->n_members)
			p = mem_at(p, (int32_t)e->a->type->members[e->number].offset);
		break;
	case EXPR_UNARY:
		p = e->op == OP_DEREF && !lower_is_scalar(e->type) ? deref(L, e) : made(L, e);
		break;
	case EXPR_CAST:
		p = cast_place(L, e);
		break;
	case EXPR_IF:
		p = if_place(L, e);
		break;
	case EXPR_BLOCK:
		lower_block(L, e->block);
		p = e->block->value ? lower_mem(L, e->block->value) : lower_zeros(L, 8);
		break;
	case EXPR_COMPTIME:
		p = lower_mem(L, e->a);
		break;
	case EXPR_CALL:
	case EXPR_BUILTIN:
		if (lower_is_args(e)) {
			p = lower_args_blob(L, e);
			break;
		}
		p = made(L, e);
		break;
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_NONE:
	case EXPR_PARAM:
	case EXPR_PARAM_COUNT:
	case EXPR_IDENT:
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
	case EXPR_TYPE:
	case EXPR_ADDRESS:
	case EXPR_BINARY:
	case EXPR_TUPLE:
	case EXPR_RECORD:
		p = made(L, e);
		break;
	}
	L->b.span = outer;
	return p;
}

/* --- into memory */

static void tuple_into(struct lower *L, struct expr *e, struct mem to, const struct type *t,
		       bool clean)
{
	uint32_t at = 0;

	for (size_t i = 0; i < e->items.n; i++) {
		const struct type_member *m = i < t->n_members ? &t->members[i] : NULL;

		if (t->kind == TYPE_RECORD && i < e->names.n)
			for (uint32_t j = 0; j < t->n_members; j++)
				if (t->members[j].name &&
				    !strcmp(t->members[j].name, e->names.p[i]))
					m = &t->members[j];
		if (!m)
			continue;
		if (m->offset > at)
			mem_zero(L, mem_at(to, (int32_t)at), m->offset - at);
		lower_into_type(L, e->items.p[i], mem_at(to, (int32_t)m->offset), m->type, clean);
		if (m->offset + m->type->size > at)
			at = m->offset + m->type->size;
	}
	if (t->size > at)
		mem_zero(L, mem_at(to, (int32_t)at), t->size - at);
}

static void if_into(struct lower *L, struct expr *e, struct mem to, const struct type *t,
		    bool clean)
{
	uint32_t yes = ir_block_new(&L->b), no = ir_block_new(&L->b), done = ir_block_new(&L->b);
	struct expr *arms[] = {e->b, e->c};
	uint32_t blocks[] = {yes, no};

	lower_branch(L, e->a, yes, no);
	for (int i = 0; i < 2; i++) {
		ir_block_go(&L->b, blocks[i]);
		if (arms[i])
			lower_into_type(L, arms[i], to, t, clean);
		ir_jump(&L->b, done);
	}
	ir_block_go(&L->b, done);
}

/* A literal as stores of numbers: shorter than a copy, and no address is needed. */
static bool literal_into(struct lower *L, struct expr *e, struct mem to, const struct type *t,
			 bool clean)
{
	uint32_t n = (uint32_t)e->text.n + 1;
	char word[64] = {};

	if (n > t->size)
		n = t->size;
	if (clean || t->size <= 16)
		n = t->size;
	if (n > sizeof(word))
		return false;
	memcpy(word, e->text.p, e->text.n < n ? e->text.n : n - 1);
	for (uint32_t at = 0; at < n;) {
		uint32_t step = n - at >= 8 ? 8 : n - at >= 4 ? 4 : n - at >= 2 ? 2 : 1;
		int64_t v = 0;

		/* stacks want aligned stores */
		while (((uint32_t)to.off + at) % step)
			step /= 2;
		memcpy(&v, word + at, step);
		ir_store(&L->b, to.base, to.off + (int32_t)at, step, IR_I(v));
		at += step;
	}
	return true;
}

static void blob_call_into(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const struct lower_call *row;

	if (!e->builtin) {
		lower_fn_call(L, e, &to);
		return;
	}
	row = &lower_calls[e->builtin->id];
	if (row->into)
		row->into(L, e, to, clean);
	else
		lower_oops(L, e->span, arena_printf(L->a, "%s() is not supported here", e->name));
}

/* An integer as an array of its bytes, or as the first part of what is larger. */
static void number_into(struct lower *L, struct expr *e, struct mem to)
{
	struct ir_val v = lower_scalar(L, e->a);
	uint32_t size = e->a->type->size && e->a->type->size <= 8 ? e->a->type->size : 8;
	uint32_t n = size < e->type->size ? size : e->type->size;
	struct mem tmp = lower_temp(L, 8);

	ir_store(&L->b, tmp.base, tmp.off, 8, v);
	mem_copy(L, to, tmp, n);
	if (n < e->type->size)
		mem_zero(L, mem_at(to, (int32_t)n), e->type->size - n);
}

static void cast_into(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const struct type *from = e->a->type, *t = e->type;

	if (type_same(from, t)) {
		lower_into(L, e->a, to, clean);
	} else if (lower_is_scalar(from)) {
		number_into(L, e, to);
	} else if ((e->a->kind == EXPR_TUPLE || e->a->kind == EXPR_RECORD) &&
		   (t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD)) {
		tuple_into(L, e->a, to, t, clean);
	} else if (t->kind == TYPE_STRING && from->kind == TYPE_STRING && from->size <= t->size &&
		   (e->a->kind == EXPR_CALL || e->a->kind == EXPR_STRING)) {
		if (e->a->kind == EXPR_STRING && literal_into(L, e->a, to, t, clean))
			return;
		lower_into(L, e->a, to, clean);
		if (clean && from->size < t->size)
			mem_zero(L, mem_at(to, (int32_t)from->size), t->size - from->size);
	} else {
		mem_convert(L, to, t, lower_mem(L, e->a), from, clean);
	}
}

void lower_into(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct span outer = L->b.span;
	const struct type *t = e->type;

	L->b.span = e->span;
	if (e->kind == EXPR_TUPLE || e->kind == EXPR_RECORD) {
		tuple_into(L, e, to, t, clean);
	} else if (lower_is_scalar(t)) {
		mem_store(L, to, t, lower_scalar(L, e));
	} else if (e->kind == EXPR_IF) {
		if_into(L, e, to, t, clean);
	} else if (e->kind == EXPR_BLOCK) {
		lower_block(L, e->block);
		if (e->block->value)
			lower_into(L, e->block->value, to, clean);
	} else if (e->kind == EXPR_CAST) {
		cast_into(L, e, to, clean);
	} else if ((e->kind == EXPR_CALL || e->kind == EXPR_BUILTIN) && !lower_is_args(e)) {
		blob_call_into(L, e, to, clean);
	} else if (e->kind == EXPR_STRING && literal_into(L, e, to, t, clean)) {
		/* done */
	} else if (t->kind == TYPE_NONE) {
		lower_oops(L, e->span, "There is no value here");
	} else if (t->kind == TYPE_STRING || t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD) {
		mem_convert(L, to, t, lower_mem(L, e), t, clean);
	} else {
		mem_copy(L, to, lower_mem(L, e), t->size);
	}
	L->b.span = outer;
}

void lower_into_type(struct lower *L, struct expr *e, struct mem to, const struct type *t,
		     bool clean)
{
	struct expr cast;

	if (!t || type_same(e->type, t)) {
		lower_into(L, e, to, clean);
	} else if (lower_is_scalar(t) && lower_is_scalar(e->type)) {
		mem_store(L, to, t, lower_scalar(L, e));
	} else {
		cast = (struct expr){.kind = EXPR_CAST, .span = e->span, .type = t, .a = e};
		lower_into(L, &cast, to, clean);
	}
}
