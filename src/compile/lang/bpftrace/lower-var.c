/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables.
 *
 * A scalar is a register of the IR.  It lives in memory if its address is taken, and in
 * the frame (a struct on the stack of the action that loop bodies get a pointer to) if a
 * loop's body shares it.  All else is memory: a slot, or scratch where it is shared.
 */
#include "compile/lang/bpftrace/lower-internal.h"

static struct home *home_new(struct lower *L, struct variable *v)
{
	struct home *h = arena_new(L->a, struct home);
	bool is_scalar = lower_is_scalar(v->type);
	uint32_t size = v->type->size ? v->type->size : 8;

	h->generation = L->generation;
	h->func = L->b.func;
	v->note = h;
	if (v->is_captured && L->body->frame) {
		struct body *root = L->body;

		while (root->outer)
			root = root->outer;
		if (is_scalar || size <= 64) {
			h->kind = HOME_FRAME;
			h->off = root->frame_size;
			root->frame_size += (size + 7) & ~7u;
			L->b.m->funcs.p[root->func].slots.p[root->frame_slot].size =
				root->frame_size;
		} else {
			h->kind = HOME_SCRATCH;
			h->off = (L->b.m->scratch_size + 7) & ~7u;
			L->b.m->scratch_size = h->off + size;
		}
		return h;
	}
	if (is_scalar && !v->is_address_taken) {
		h->kind = HOME_REG;
		h->reg = ir_reg_new(&L->b,
				    v->type->kind == TYPE_POINTER && v->type->space == SPACE_BPF
					    ? IRC_PTR
				    : v->type->kind == TYPE_POINTER ? IRC_KPTR
								    : IRC_INT,
				    v->name);
	} else {
		h->kind = HOME_SLOT;
		h->slot = ir_slot_new(&L->b, (size + 7) & ~7u, 8, v->name);
	}
	return h;
}

bool lower_var_is_new(const struct lower *L, const struct variable *v)
{
	const struct home *h = v->note;

	if (!h || h->generation != L->generation)
		return true;
	return (h->kind == HOME_REG || h->kind == HOME_SLOT) && h->func != L->b.func;
}

struct home *lower_home(struct lower *L, struct variable *v)
{
	return lower_var_is_new(L, v) ? home_new(L, v) : v->note;
}

void lower_var_fresh(struct variable *v)
{
	(void)v;
}

struct mem lower_var_place(struct lower *L, struct variable *v)
{
	struct home *h = lower_home(L, v);
	struct mem p = mem_bpf(0, 0);

	switch (h->kind) {
	case HOME_REG:
		p = lower_temp(L, 8);
		mem_store(L, p, v->type, IR_R(h->reg));
		break;
	case HOME_SLOT:
		p.base = ir_slot_addr(&L->b, h->slot, 0);
		break;
	case HOME_FRAME:
		p.base = L->body->frame;
		p.off = (int32_t)h->off;
		break;
	case HOME_SCRATCH:
		p.base = ir_space_addr(&L->b, IRS_SCRATCH, h->off);
		break;
	}
	return p;
}

struct ir_val lower_var_get(struct lower *L, struct variable *v)
{
	struct home *h = lower_home(L, v);

	if (h->kind == HOME_REG)
		return IR_R(h->reg);
	return mem_load_type(L, lower_var_place(L, v), v->type);
}

void lower_var_put(struct lower *L, struct variable *v, struct ir_val x)
{
	struct home *h = lower_home(L, v);

	if (h->kind == HOME_REG)
		ir_set(&L->b, h->reg, x);
	else
		mem_store(L, lower_var_place(L, v), v->type, x);
}

void lower_var_clear(struct lower *L, struct variable *v)
{
	if (!v->type || v->type->kind == TYPE_NONE || v->type->kind == TYPE_VOID)
		return;
	if (lower_is_scalar(v->type))
		lower_var_put(L, v, IR_I(0));
	else
		mem_zero(L, lower_var_place(L, v), v->type->size);
}

/* How often a block writes the variable. */
static unsigned int writes(const struct block *b, const struct variable *v)
{
	unsigned int n = 0;

	for (size_t i = 0; b && i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if ((s->kind == STMT_LET || s->kind == STMT_ASSIGN_VAR) && s->a->var == v)
			n++;
		n += writes(s->block, v) + writes(s->other, v);
		if (s->a && s->a->block)
			n += 2; /* who knows */
		if (s->b && (s->b->block || s->b->kind == EXPR_UNARY))
			n += lower_mentions(s->b, v) * 2;
	}
	return n;
}

/*
 * A variable that is written once keeps what the verifier knows of a pointer; another
 * could hold typed and mere pointers by turns, which no load can serve.
 */
static bool keeps_type(struct lower *L, struct variable *v, struct ir_val x)
{
	return x.reg && ir_here(&L->b)->regs.p[x.reg].class == IRC_BTF && lower_var_is_new(L, v) &&
	       L->unit && !v->is_captured && writes(L->unit->probe->probe->block, v) == 1;
}

void lower_var_set(struct lower *L, struct variable *v, struct expr *value)
{
	if (lower_is_scalar(v->type)) {
		struct ir_val x = lower_fit(L, lower_scalar(L, value), v->type);
		bool typed = keeps_type(L, v, x);
		struct home *h = lower_home(L, v);

		if (typed && h->kind == HOME_REG)
			ir_here(&L->b)->regs.p[h->reg].class = IRC_BTF;
		lower_var_put(L, v, x);
		return;
	}
	/* `$s = f($s)`: what is read must not be overwritten while it is read */
	if (value->kind != EXPR_VAR && lower_mentions(value, v)) {
		struct mem tmp = lower_temp(L, v->type->size);

		lower_into_type(L, value, tmp, v->type, false);
		mem_copy(L, lower_var_place(L, v), tmp, v->type->size);
	} else {
		lower_into_type(L, value, lower_var_place(L, v), v->type, false);
	}
}
