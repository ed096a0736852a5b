/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round of a loop: what becomes of each variable, and which comparisons every round passes.
 *
 * A data flow over the loop's body.  At the head each variable is itself, plus 0.  Where ways
 * meet, a variable must be the same one, and what was added is between both.  Loops inside add more
 * each time they go round: after a few updates what still changes is given up.
 */
#include "runtime/vm/verify/fixpoint.h"

#include "base/macro.h"

enum { FAR = 1 << 28, UPDATES_MAX = 8, BODY_MAX = 1 << 14, GUARDS_MAX = 64 };

struct env {
	struct fix_value v[VAR_COUNT];
};

struct round {
	struct verifier *v;
	struct fix_loop *l;
	struct env **in; /* of instructions where something begins: by place in the body */
	uint8_t *updates;
	uint32_t *work;
	uint32_t first, last; /* instructions of the loop lie between */
	uint32_t n_work;
	bool *is_queued;
	bool is_escaped; /* somebody else may know an address of the stack */
	struct env back;
	bool has_back;
};

static const struct fix_value nothing = {.var = VAR_NONE};

static void note(struct fix_value *x)
{
	x->seen_lo = MIN(x->seen_lo, x->lo);
	x->seen_hi = MAX(x->seen_hi, x->hi);
	if (x->lo <= -FAR || x->hi >= FAR)
		*x = nothing;
}

static void add(struct fix_value *x, int32_t k, bool is_32)
{
	if (x->var == VAR_NONE)
		return;
	if (x->kind != FIX_SUM || x->is_shifted || k <= -FAR || k >= FAR) {
		*x = nothing;
		return;
	}
	x->lo += k;
	x->hi += k;
	x->is_32 |= is_32;
	note(x);
}

/* x << 32 >> 32: how compilers without 32-bit registers cut. */
static void shift(struct fix_value *x, enum insn_alu op, int32_t by)
{
	bool is_left = op == ALU_LSH;

	if (by != 32 || x->var == VAR_NONE || x->is_shifted == is_left) {
		*x = nothing;
		return;
	}
	x->is_shifted = is_left;
	if (is_left)
		return;
	x->is_32 = true;
	x->is_31 |= op == ALU_ARSH;
}

/* Half, a quarter … */
static void halve(struct fix_value *x)
{
	if (x->var == VAR_NONE || x->is_shifted || x->kind == FIX_SQUARE || x->lo || x->hi)
		*x = nothing;
	else
		x->kind = FIX_HALVED;
}

/* A sum by itself. */
static void multiply(struct fix_value *dst, const struct fix_value *src, bool is_32)
{
	if (dst->var == VAR_NONE || dst->var != src->var || dst->kind != FIX_SUM ||
	    src->kind != FIX_SUM || dst->is_shifted || src->is_shifted || dst->lo != dst->hi ||
	    src->lo != dst->lo || src->hi != dst->hi) {
		*dst = nothing;
		return;
	}
	dst->kind = FIX_SQUARE;
	dst->is_32 |= is_32 | src->is_32;
	dst->is_31 |= src->is_31;
}

static void alu(struct env *e, const struct bpf_insn *i, enum insn_id id)
{
	const struct insn_row *row = insn_row_of(id);
	struct fix_value *dst = &e->v[i->dst_reg];
	enum insn_alu op = insn_alu_of(id);

	if (op == ALU_MOV && !row->is_imm && i->src_reg != BPF_REG_10) {
		*dst = e->v[i->src_reg];
		if (row->is_32 && dst->is_shifted)
			*dst = nothing;
		dst->is_32 |= row->is_32;
	} else if (op == ALU_ADD && row->is_imm) {
		add(dst, i->imm, row->is_32);
	} else if (op == ALU_SUB && row->is_imm && i->imm != INT32_MIN) {
		add(dst, -i->imm, row->is_32);
	} else if ((op == ALU_LSH || op == ALU_RSH || op == ALU_ARSH) && row->is_imm &&
		   !row->is_32 && i->imm == 32) {
		shift(dst, op, i->imm);
	} else if (row->is_imm && ((op == ALU_RSH && i->imm >= 1 && i->imm < 32) ||
				   (op == ALU_DIV && i->imm >= 2))) {
		halve(dst);
	} else if (op == ALU_MUL && !row->is_imm && i->src_reg != BPF_REG_10) {
		multiply(dst, &e->v[i->src_reg], row->is_32);
	} else {
		*dst = nothing;
	}
}

/* The slot that lies at r10 + off; VAR_NONE: not one alone. */
static unsigned int slot_var(const struct bpf_insn *i, unsigned int base)
{
	if (base != BPF_REG_10 || i->off >= 0 || i->off < -STACK_SIZE || i->off & 7)
		return VAR_NONE;
	return VAR_SLOT + slot_of(i->off);
}

static void slots_lose(struct env *e)
{
	for (unsigned int k = VAR_SLOT; k < VAR_COUNT; k++)
		e->v[k] = nothing;
}

static void store(const struct round *r, struct env *e, const struct bpf_insn *i,
		  const struct insn_row *row, bool is_plain)
{
	unsigned int var = slot_var(i, i->dst_reg);

	if (i->dst_reg != BPF_REG_10) {
		if (r->is_escaped)
			slots_lose(e);
		return;
	}
	if (var != VAR_NONE && row->bytes == 8) {
		e->v[var] = is_plain && !row->is_imm && i->src_reg != BPF_REG_10 ? e->v[i->src_reg]
										 : nothing;
		return;
	}
	for (int off = i->off; off < i->off + row->bytes; off++)
		if (off < 0 && off >= -STACK_SIZE)
			e->v[VAR_SLOT + slot_of(off)] = nothing;
}

static void other(const struct round *r, struct env *e, const struct bpf_insn *i, enum insn_id id)
{
	const struct insn_row *row = insn_row_of(id);

	if (id == INSN_CALL || id == INSN_CALL_KFUNC || id == INSN_CALL_LOCAL ||
	    (id >= INSN_LD_ABS_B && id <= INSN_LD_IND_W)) {
		for (unsigned int k = 0; k <= 5; k++)
			e->v[k] = nothing;
		if (r->is_escaped)
			slots_lose(e);
	} else if (row->bytes && BPF_CLASS(i->code) == BPF_STX) {
		/* ordered: a load if so */
		if (i->imm == 0x100)
			e->v[i->dst_reg] = nothing;
		else
			store(r, e, i, row, false);
	} else if (i->dst_reg < VAR_SLOT && id != INSN_JA && id != INSN_JA_LONG &&
		   id != INSN_MAY_GOTO && id != INSN_EXIT) {
		e->v[i->dst_reg] = nothing;
	}
}

static void transfer(const struct round *r, struct env *e, uint32_t at)
{
	const struct bpf_insn *i = &r->v->p->insns[at];
	enum insn_id id = r->v->info[at].id;
	const struct insn_row *row = insn_row_of(id);
	unsigned int var;

	switch (insn_kind(id)) {
	case INSN_KIND_ALU:
		alu(e, i, id);
		break;
	case INSN_KIND_LOAD:
		var = row->bytes == 8 ? slot_var(i, i->src_reg) : VAR_NONE;
		e->v[i->dst_reg] = var == VAR_NONE ? nothing : e->v[var];
		break;
	case INSN_KIND_STORE:
		store(r, e, i, row, true);
		break;
	case INSN_KIND_ATOMIC:
		store(r, e, i, row, false);
		if (i->imm == BPF_CMPXCHG)
			e->v[0] = nothing;
		else if (i->imm & BPF_FETCH)
			e->v[i->src_reg] = nothing;
		break;
	case INSN_KIND_JUMP:
		break;
	case INSN_KIND_OTHER:
		other(r, e, i, id);
		break;
	}
}

/* --- the flow */

/* True: `to` changed. */
static bool value_join(struct fix_value *to, const struct fix_value *from, bool gives_up)
{
	struct fix_value was = *to;

	if (to->var == VAR_NONE)
		return false;
	if (from->var != to->var || from->kind != to->kind || from->is_shifted != to->is_shifted) {
		*to = nothing;
		return true;
	}
	to->lo = MIN(to->lo, from->lo);
	to->hi = MAX(to->hi, from->hi);
	to->seen_lo = MIN(to->seen_lo, from->seen_lo);
	to->seen_hi = MAX(to->seen_hi, from->seen_hi);
	to->is_32 |= from->is_32;
	to->is_31 |= from->is_31;
	if (to->kind == FIX_SQUARE && to->lo != to->hi) {
		*to = nothing;
		return true;
	}
	if (to->lo == was.lo && to->hi == was.hi && to->seen_lo == was.seen_lo &&
	    to->seen_hi == was.seen_hi && to->is_32 == was.is_32 && to->is_31 == was.is_31)
		return false;
	if (gives_up)
		*to = nothing;
	return true;
}

static bool env_join(struct env *to, const struct env *from, bool gives_up)
{
	bool has_changed = false;

	for (unsigned int k = 0; k < VAR_COUNT; k++)
		has_changed |= value_join(&to->v[k], &from->v[k], gives_up);
	return has_changed;
}

/* A way leads to `to` with these values. */
static void flow_to(struct round *r, uint32_t to, const struct env *e)
{
	uint32_t at = to - r->first;
	bool has_changed;

	if (!fix_in_loop(r->l, to))
		return;
	if (to == r->l->head) {
		if (r->has_back)
			env_join(&r->back, e, false);
		else
			r->back = *e;
		r->has_back = true;
		return;
	}
	if (!r->in[at]) {
		r->in[at] = arena_copy(&r->v->pool.arena, e, sizeof(*e));
		has_changed = true;
	} else {
		has_changed = env_join(r->in[at], e, r->updates[at] > UPDATES_MAX);
		if (has_changed && r->updates[at] <= UPDATES_MAX)
			r->updates[at]++;
	}
	if (has_changed && !r->is_queued[at]) {
		r->is_queued[at] = true;
		r->work[r->n_work++] = to;
	}
}

/* From `at` on, as long as there is one way and nobody else comes in. */
static void flow_from(struct round *r, uint32_t at, struct env e, const struct fix_flow *flow)
{
	for (;;) {
		uint32_t to[2];
		unsigned int n = fix_ways(r->v, at, to);

		transfer(r, &e, at);
		if (n == 1 && flow->preds[to[0]] == 1 && fix_in_loop(r->l, to[0]) &&
		    to[0] != r->l->head) {
			at = to[0];
			continue;
		}
		while (n--)
			flow_to(r, to[n], &e);
		return;
	}
}

static struct env head_env(void)
{
	struct env e;

	for (unsigned int k = 0; k < VAR_COUNT; k++)
		e.v[k] = (struct fix_value){.var = (uint8_t)k};
	return e;
}

/* --- guards: jumps that every round passes on the same side */

/* Can the head be reached from itself without leaving jump `at` towards `side`? */
static bool can_go_round(struct round *r, uint32_t at, uint32_t side)
{
	uint32_t depth = 0, to[2];
	bool found = false;

	memset(r->is_queued, 0, r->last - r->first + 1);
	r->work[depth++] = r->l->head;
	r->is_queued[r->l->head - r->first] = true;
	while (depth && !found) {
		uint32_t from = r->work[--depth];

		for (unsigned int k = fix_ways(r->v, from, to); k--;) {
			if (!fix_in_loop(r->l, to[k]) || (from == at && to[k] == side))
				continue;
			if (to[k] == r->l->head) {
				found = true;
				break;
			}
			if (r->is_queued[to[k] - r->first])
				continue;
			r->is_queued[to[k] - r->first] = true;
			r->work[depth++] = to[k];
		}
	}
	return found;
}

static void guard_find(struct round *r, uint32_t at, const struct env *e)
{
	const struct bpf_insn *i = &r->v->p->insns[at];
	bool is_imm = insn_row_of(r->v->info[at].id)->is_imm;
	uint32_t to[2];

	if (fix_ways(r->v, at, to) != 2 || to[0] == to[1] || r->l->guards.n == GUARDS_MAX)
		return;
	for (unsigned int side = 0; side < 2; side++) {
		struct fix_guard g = {.insn = at,
				      .is_taken = side == 1,
				      .a = i->dst_reg < VAR_SLOT ? e->v[i->dst_reg] : nothing,
				      .b = nothing};

		if (!is_imm && i->src_reg < VAR_SLOT)
			g.b = e->v[i->src_reg];
		if (!is_imm && g.b.var == VAR_NONE)
			continue;
		if (g.a.var == VAR_NONE || !fix_in_loop(r->l, to[side]) ||
		    can_go_round(r, at, to[side]))
			continue;
		array_push(&r->v->pool.arena, &r->l->guards, g);
	}
}

static void guards_find(struct round *r, const struct fix_flow *flow)
{
	struct env head = head_env();

	for (uint32_t start = r->first; start <= r->last; start++) {
		struct env e;
		uint32_t at = start, to[2];

		if (!fix_in_loop(r->l, start) || (start != r->l->head && !r->in[start - r->first]))
			continue;
		e = start == r->l->head ? head : *r->in[start - r->first];
		for (;;) {
			unsigned int n = fix_ways(r->v, at, to);

			if (insn_kind(r->v->info[at].id) == INSN_KIND_JUMP)
				guard_find(r, at, &e);
			transfer(r, &e, at);
			if (n != 1 || flow->preds[to[0]] != 1 || !fix_in_loop(r->l, to[0]) ||
			    to[0] == r->l->head)
				break;
			at = to[0];
		}
	}
}

/* Is the address of the stack anywhere but in r10? */
static bool is_escaped(const struct verifier *v, uint32_t func)
{
	for (uint32_t i = v->funcs[func].begin; i < v->funcs[func].end; i++) {
		const struct bpf_insn *insn = &v->p->insns[i];
		enum insn_id id = v->info[i].id;
		bool is_store;

		if (id == INSN_NONE)
			continue;
		is_store = BPF_CLASS(insn->code) == BPF_STX;
		if (insn->src_reg == BPF_REG_10 &&
		    (insn_kind(id) == INSN_KIND_ALU || id == INSN_MOVSX32_64 || is_store ||
		     (id >= INSN_MOVSX8_64 && id <= INSN_CAST_USER)))
			return true;
	}
	return false;
}

void fix_round_find(struct verifier *v, struct fix_loop *l, const struct fix_flow *flow)
{
	struct round r = {.v = v, .l = l, .first = UINT32_MAX};
	struct env head = head_env();
	uint32_t span;

	for (unsigned int k = 0; k < VAR_COUNT; k++)
		l->back[k] = nothing;
	for (uint32_t i = v->funcs[l->func].begin; i < v->funcs[l->func].end; i++)
		if (fix_in_loop(l, i)) {
			r.first = MIN(r.first, i);
			r.last = MAX(r.last, i);
		}
	span = r.last - r.first + 1;
	if (span > BODY_MAX)
		return;
	r.in = arena_array(&v->pool.arena, struct env *, span);
	r.updates = arena_array(&v->pool.arena, uint8_t, span);
	r.is_queued = arena_array(&v->pool.arena, bool, span);
	r.work = arena_array(&v->pool.arena, uint32_t, span + 1);
	r.is_escaped = is_escaped(v, l->func);
	flow_from(&r, l->head, head, flow);
	while (r.n_work) {
		uint32_t at = r.work[--r.n_work];

		r.is_queued[at - r.first] = false;
		flow_from(&r, at, *r.in[at - r.first], flow);
	}
	for (unsigned int k = 0; k < VAR_COUNT && r.has_back; k++)
		l->back[k] = r.back.v[k];
	guards_find(&r, flow);
}
