/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members and elements that are numbers, and comparisons of what is not.
 *
 * Where the verifier knows a pointer's type (IRC_BTF: arguments of tp_btf and fentry,
 * the current task), members are loaded directly: no helper, and a bad pointer reads as
 * 0.  It follows members only as the kernel's BTF has them: through unions, arrays with
 * a variable index and bitfields we go by probe read.
 */
#include "compile/lang/bpftrace/lower-call.h"
#include "compile/lang/bpftrace/lower-internal.h"

static enum ir_class class_of(struct lower *L, ir_reg r)
{
	return ir_here(&L->b)->regs.p[r].class;
}

struct ir_val lower_untyped(struct lower *L, struct ir_val v)
{
	ir_reg n;

	if (!v.reg || class_of(L, v.reg) != IRC_BTF)
		return v;
	n = ir_reg_new(&L->b, IRC_KPTR, NULL);
	ir_set(&L->b, n, v);
	return IR_R(n);
}

static ir_reg as_number(struct lower *L, ir_reg r)
{
	return lower_untyped(L, IR_R(r)).reg;
}

/* Can the verifier follow this member to a typed pointer? */
bool lower_is_plain_member(const struct expr *e, const struct type *owner)
{
	const struct type_member *m = e->member;

	if (!m || m->bits || owner->kind != TYPE_STRUCT || owner->is_union || !owner->is_btf)
		return false;
	/* found directly, not inside an anonymous struct or union */
	for (uint32_t i = 0; i < owner->n_members; i++)
		if (&owner->members[i] == m ||
		    (owner->members[i].name && m->name && !strcmp(owner->members[i].name, m->name)))
			return e->member_offset == owner->members[i].offset;
	return false;
}

static bool is_btf_pointer(const struct type *t)
{
	return t->kind == TYPE_POINTER && t->of && t->of->kind == TYPE_STRUCT && t->of->is_btf &&
	       !t->of->is_union && (t->space == SPACE_KERNEL || t->space == SPACE_NONE);
}

/* base + off is the member, and the verifier knows it. */
static bool typed_field(struct lower *L, struct expr *e, struct mem p, struct ir_val *ret)
{
	const struct type *t = e->type;

	if (t->kind == TYPE_POINTER)
		*ret = ir_kload(&L->b, p.base, p.off, 8, false,
				is_btf_pointer(t) ? IRC_BTF : IRC_KPTR, NULL);
	else if (t->size && t->size <= 8 && !(t->size & (t->size - 1)))
		*ret = ir_kload(&L->b, p.base, p.off, t->size, t->is_signed, IRC_INT, NULL);
	else
		return false;
	return true;
}

/* A pointer in an iterator's context. */
static struct ir_val object(struct lower *L, struct expr *e, struct mem p)
{
	struct ir_val v;

	for (size_t i = 0; i < L->objects.n && !L->body->is_callback; i++)
		if (L->objects.p[i].off == (uint32_t)p.off)
			return IR_R(L->objects.p[i].reg);
	v = ir_load(&L->b, p.base, p.off, 8, false);
	ir_here(&L->b)->regs.p[v.reg].class = is_btf_pointer(e->type) ? IRC_BTF : IRC_KPTR;
	return v;
}

struct ir_val lower_field(struct lower *L, struct expr *e)
{
	bool is_pointer = e->a->type->kind == TYPE_POINTER;
	const struct type *owner = is_pointer ? e->a->type->of : e->a->type;
	struct ir_val v;
	struct mem p;

	if (lower_is_args(e->a))
		return lower_args_field(L, e);
	if (is_pointer) {
		p = (struct mem){.base = ir_to_reg(&L->b, lower_scalar(L, e->a)),
				 .space = lower_space(L, e->a->type),
				 .is_typed = true,
				 .is_ctx = e->a->type->is_ctx};
		if (p.is_ctx)
			p.space = SPACE_BPF;
	} else {
		p = lower_mem(L, e->a);
	}
	p.off += (int32_t)e->member_offset;
	if (p.is_ctx && L->unit && L->unit->access == ACCESS_ITER && e->type->kind == TYPE_POINTER)
		return object(L, e, p);
	if (class_of(L, p.base) == IRC_BTF) {
		if (p.is_typed && lower_is_plain_member(e, owner) && typed_field(L, e, p, &v))
			return v;
		p.base = as_number(L, p.base);
	}
	return mem_load_member(L, p, e->member, e->type);
}

struct ir_val lower_index(struct lower *L, struct expr *e)
{
	struct mem p = lower_mem(L, e);

	if (class_of(L, p.base) == IRC_BTF)
		p.base = as_number(L, p.base);
	return mem_load_type(L, p, e->type);
}

/* --- comparisons */

/* Our own copy of what is elsewhere. */
static struct mem near(struct lower *L, struct mem p, const struct type *t)
{
	struct mem tmp;

	if (p.space == SPACE_BPF && !p.is_ctx)
		return p;
	tmp = lower_temp(L, t->size);
	if (t->kind == TYPE_STRING)
		mem_copy_text(L, tmp, t->size, p, t->size, false);
	else
		mem_copy(L, tmp, p, t->size);
	return tmp;
}

static struct ir_val word_of(struct lower *L, struct mem p, uint32_t at, uint32_t n)
{
	if (p.space == SPACE_BPF)
		return ir_load(&L->b, p.base, p.off + (int32_t)at, n, false);
	return ir_kload(&L->b, p.base, p.off + (int32_t)at, n, false, IRC_INT, NULL);
}

/* A text against a literal: word by word, against numbers, until the first difference. */
static struct ir_val compare_literal(struct lower *L, struct mem p, struct str text, uint32_t n,
				     bool equal)
{
	ir_reg result = ir_reg_new(&L->b, IRC_INT, NULL);
	uint32_t differ = ir_block_new(&L->b), done = ir_block_new(&L->b);

	for (uint32_t at = 0; at < n;) {
		uint32_t step = n - at >= 8 ? 8 : n - at >= 4 ? 4 : n - at >= 2 ? 2 : 1;
		uint32_t next = ir_block_new(&L->b);
		uint64_t want = 0;

		while (((uint32_t)p.off + at) % step)
			step /= 2;
		for (uint32_t i = 0; i < step; i++)
			if (at + i < text.n)
				want |= (uint64_t)(uint8_t)text.p[at + i] << (8 * i);
		ir_branch(&L->b, IRC_NE, word_of(L, p, at, step), IR_I((int64_t)want), differ,
			  next);
		ir_block_go(&L->b, next);
		at += step;
	}
	ir_set(&L->b, result, IR_I(equal));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, differ);
	ir_set(&L->b, result, IR_I(!equal));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(result);
}

static const struct expr *bare(const struct expr *e)
{
	while (e->kind == EXPR_CAST && e->type->kind == TYPE_STRING)
		e = e->a;
	return e;
}

/*
 * comm, where the verifier knows the task: what is compared with a literal is loaded from
 * there.  The helper that copies it costs 40 ns.
 */
static bool own_comm(struct lower *L, const struct expr *e, struct mem *ret)
{
	int off;

	if ((e->kind != EXPR_BUILTIN && e->kind != EXPR_CALL) || !e->builtin ||
	    e->builtin->id != BUILTIN_COMM || e->items.n || !world_has(L->w, WORLD_TASK_BTF))
		return false;
	off = lower_btf_offset(L, "task_struct", "comm");
	if (off < 0)
		return false;
	*ret = (struct mem){.base = lower_current_task(L), .off = off, .space = SPACE_KERNEL};
	return true;
}

static struct ir_val compare_texts(struct lower *L, struct expr *e)
{
	struct expr *a = e->a, *b = e->b;
	uint32_t n = a->type->size < b->type->size ? a->type->size : b->type->size;
	const struct expr *literal = bare(b);
	struct mem x, y;
	ir_reg differ;

	if (bare(a)->kind == EXPR_STRING) {
		literal = bare(a);
		a = e->b;
	}
	/* past its end a cast adds only zeros: look at what is there */
	while (literal->kind == EXPR_STRING && a->kind == EXPR_CAST &&
	       a->a->type->kind == TYPE_STRING && a->a->type->size <= a->type->size)
		a = a->a;
	if (literal->kind == EXPR_STRING && literal->text.n < 64 &&
	    !memchr(literal->text.p ? literal->text.p : "", 0, literal->text.n)) {
		uint32_t len = (uint32_t)literal->text.n + 1;

		if (len > a->type->size)
			len = a->type->size;
		if (!own_comm(L, bare(a), &x))
			x = near(L, lower_mem(L, a), a->type);
		return compare_literal(L, x, literal->text, len, e->op == OP_EQ);
	}
	x = near(L, lower_mem(L, a), a->type);
	y = near(L, lower_mem(L, b), b->type);
	differ = IR_CALL_RT(&L->b, "rt_strdiff", IRC_INT, IR_R(mem_addr(L, x)),
			    IR_R(mem_addr(L, y)), IR_I(n));
	return ir_compare(&L->b, e->op == OP_EQ ? IRC_EQ : IRC_NE, IR_R(differ), IR_I(0));
}

static bool has_text(const struct type *t)
{
	if (t->kind == TYPE_STRING)
		return true;
	if (t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD)
		for (uint32_t i = 0; i < t->n_members; i++)
			if (has_text(t->members[i].type))
				return true;
	return false;
}

/* Tuples, arrays, buffers: as bytes; texts inside are made clean first. */
static struct ir_val compare_bytes(struct lower *L, struct expr *e)
{
	const struct type *t = e->a->type->size <= e->b->type->size ? e->a->type : e->b->type;
	struct mem x, y;
	ir_reg differ;

	if (has_text(t)) {
		x = lower_temp(L, t->size);
		lower_into_type(L, e->a, x, t, true);
		y = lower_temp(L, t->size);
		lower_into_type(L, e->b, y, t, true);
	} else {
		x = near(L, lower_mem(L, e->a), t);
		y = near(L, lower_mem(L, e->b), t);
	}
	differ = IR_CALL_RT(&L->b, "rt_memdiff", IRC_INT, IR_R(mem_addr(L, x)),
			    IR_R(mem_addr(L, y)), IR_I(t->size));
	return ir_compare(&L->b, e->op == OP_EQ ? IRC_EQ : IRC_NE, IR_R(differ), IR_I(0));
}

struct ir_val lower_compare_blobs(struct lower *L, struct expr *e)
{
	if (e->a->type->kind == TYPE_STRING && e->b->type->kind == TYPE_STRING)
		return compare_texts(L, e);
	return compare_bytes(L, e);
}

/* --- iterators */

static void block_objects(struct lower *L, const struct block *b);

static void expr_objects(struct lower *L, const struct expr *e)
{
	struct ir_val v;
	uint32_t go;

	if (!e)
		return;
	for (size_t i = 0; i < e->items.n; i++)
		expr_objects(L, e->items.p[i]);
	expr_objects(L, e->a);
	expr_objects(L, e->b);
	expr_objects(L, e->c);
	block_objects(L, e->block);
	if (e->kind != EXPR_FIELD || e->a->type->kind != TYPE_POINTER || !e->a->type->is_ctx ||
	    e->type->kind != TYPE_POINTER || !strcmp(e->name, "meta"))
		return;
	for (size_t i = 0; i < L->objects.n; i++)
		if (L->objects.p[i].off == e->member_offset)
			return;
	v = ir_load(&L->b, L->body->ctx, (int32_t)e->member_offset, 8, false);
	ir_here(&L->b)->regs.p[v.reg].class = is_btf_pointer(e->type) ? IRC_BTF : IRC_KPTR;
	array_push(L->a, &L->objects, ((struct iter_object){e->member_offset, v.reg}));
	go = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_EQ, v, IR_I(0), L->body->on_return, go);
	ir_block_go(&L->b, go);
}

static void block_objects(struct lower *L, const struct block *b)
{
	for (size_t i = 0; b && i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		expr_objects(L, s->a);
		expr_objects(L, s->b);
		expr_objects(L, s->c);
		block_objects(L, s->block);
		block_objects(L, s->other);
	}
	if (b)
		expr_objects(L, b->value);
}

void lower_iter_objects(struct lower *L)
{
	const struct probe *p = L->unit->probe->probe;

	L->objects.n = 0;
	expr_objects(L, p->predicate);
	block_objects(L, p->block);
}
