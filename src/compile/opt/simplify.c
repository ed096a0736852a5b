/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cheaper instructions that give the same: the laws of arithmetic, rule by rule.
 *
 * x * 8 is a shift, x / 8 and x % 8 without signs a shift and a mask.  Two steps with
 * numbers become one: (x + 1) + 2, (x & a) & b, (x >> a) >> b.  A memory access through
 * "register + number" has the number in its displacement, and so has an address.
 *
 * needs: nothing     keeps: blocks, results     breaks: who reads what
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

struct place_in {
	const struct flow *fl;
	const struct ir_block *block;
};

static bool is_commutative(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR ||
	       op == IR_SETEQ || op == IR_SETNE;
}

static bool become(struct ir_insn *i, enum ir_op op, struct ir_val a, struct ir_val b)
{
	flow_become(i, op, a, b);
	return true;
}

static bool become_number(struct ir_insn *i, int64_t v)
{
	return become(i, IR_MOV, IR_I(v), (struct ir_val){});
}

static bool is_power(int64_t v, int64_t *ret_shift)
{
	*ret_shift = v ? __builtin_ctzll((uint64_t)v) : 0;
	return v && !((uint64_t)v & ((uint64_t)v - 1));
}

/* The instruction that made `v`, if it is `op` with a number behind, and still holds at i. */
static const struct ir_insn *made_by(const struct place_in *p, struct ir_val v, enum ir_op op,
				     const struct ir_insn *i)
{
	const struct ir_insn *def = flow_def(p->fl, v);

	if (!def || def->op != op || def->b.reg || !def->a.reg)
		return NULL;
	return flow_is_unchanged(p->fl, def->a, def, i, p->block) ? def : NULL;
}

/* --- x op x, x op 0, x op 1 */

static bool rule_same(struct ir_insn *i)
{
	if (!i->a.reg || i->a.reg != i->b.reg)
		return false;
	switch ((int)i->op) {
	case IR_SUB:
	case IR_XOR:
	case IR_SETNE:
	case IR_SETULT:
	case IR_SETSLT:
		return become_number(i, 0);
	case IR_SETEQ:
	case IR_SETULE:
	case IR_SETSLE:
		return become_number(i, 1);
	case IR_AND:
	case IR_OR:
		return become(i, IR_MOV, i->a, (struct ir_val){});
	}
	return false;
}

static bool rule_zero(struct ir_insn *i)
{
	switch ((int)i->op) {
	case IR_ADD:
	case IR_SUB:
	case IR_OR:
	case IR_XOR:
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_UMOD: /* x % 0 is x */
	case IR_SMOD:
		return become(i, IR_MOV, i->a, (struct ir_val){});
	case IR_MUL:
	case IR_AND:
	case IR_UDIV: /* x / 0 is 0 */
	case IR_SDIV:
	case IR_SETULT: /* nothing is below 0 */
		return become_number(i, 0);
	case IR_SETULE:
		return become(i, IR_SETEQ, i->a, IR_I(0));
	}
	return false;
}

static bool rule_number(struct ir_insn *i)
{
	int64_t v = i->b.imm, shift;

	if (i->op == IR_SUB && v != INT64_MIN)
		return become(i, IR_ADD, i->a, IR_I(-v));
	if ((i->op == IR_AND && v == -1) || ((i->op == IR_UDIV || i->op == IR_SDIV) && v == 1) ||
	    (i->op == IR_MUL && v == 1))
		return become(i, IR_MOV, i->a, (struct ir_val){});
	if ((i->op == IR_OR && v == -1) || (i->op == IR_SETULE && v == -1))
		return become_number(i, i->op == IR_OR ? -1 : 1);
	if (i->op == IR_SMOD && (v == 1 || v == -1))
		return become_number(i, 0);
	if ((i->op == IR_MUL || i->op == IR_SDIV) && v == -1)
		return become(i, IR_NEG, i->a, (struct ir_val){});
	if (i->op == IR_XOR && v == -1)
		return become(i, IR_NOT, i->a, (struct ir_val){});
	if (!is_power(v, &shift))
		return false;
	if (i->op == IR_MUL)
		return become(i, IR_SHL, i->a, IR_I(shift));
	if (i->op == IR_UDIV)
		return become(i, IR_SHR, i->a, IR_I(shift));
	if (i->op == IR_UMOD)
		return become(i, IR_AND, i->a, IR_I((int64_t)((uint64_t)v - 1)));
	return false;
}

/* --- two steps in one */

static bool rule_shift_twice(const struct place_in *p, struct ir_insn *i)
{
	const struct ir_insn *def = made_by(p, i->a, i->op, i);
	int64_t sum;

	if (!def || (i->op != IR_SHL && i->op != IR_SHR && i->op != IR_SAR))
		return false;
	sum = (def->b.imm & 63) + (i->b.imm & 63);
	if (sum > 63 && i->op != IR_SAR)
		return become_number(i, 0);
	return become(i, i->op, def->a, IR_I(MIN(sum, 63)));
}

static bool rule_twice(const struct place_in *p, struct ir_insn *i)
{
	const struct ir_insn *def = made_by(p, i->a, i->op, i);

	if (rule_shift_twice(p, i))
		return true;
	if (!def || (i->op != IR_ADD && i->op != IR_AND && i->op != IR_OR && i->op != IR_XOR &&
		     i->op != IR_MUL))
		return false;
	return become(
		i, i->op, def->a,
		IR_I((int64_t)ir_eval_binary(i->op, (uint64_t)def->b.imm, (uint64_t)i->b.imm)));
}

/* (x << n) >> n keeps the low bits: an extension, if there is one of that width. */
static bool rule_shift_back(const struct place_in *p, struct ir_insn *i)
{
	const struct ir_insn *def = made_by(p, i->a, IR_SHL, i);
	int64_t bits = 64 - (i->b.imm & 63);

	if (!def || (i->op != IR_SHR && i->op != IR_SAR) || (def->b.imm & 63) != 64 - bits ||
	    (bits != 8 && bits != 16 && bits != 32))
		return false;
	become(i, i->op == IR_SAR ? IR_SEXT : IR_ZEXT, def->a, (struct ir_val){});
	i->size = (uint8_t)bits;
	return true;
}

/* (x == y) == 0 is x != y, and the like. */
static bool rule_not(const struct place_in *p, struct ir_insn *i)
{
	static const struct {
		enum ir_op op, not ;
		bool swap;
	} pairs[] = {
		{IR_SETEQ, IR_SETNE, false},  {IR_SETNE, IR_SETEQ, false},
		{IR_SETULT, IR_SETULE, true}, {IR_SETULE, IR_SETULT, true},
		{IR_SETSLT, IR_SETSLE, true}, {IR_SETSLE, IR_SETSLT, true},
	};
	const struct ir_insn *def = flow_def(p->fl, i->a);

	if ((i->op != IR_SETEQ && i->op != IR_SETNE) || i->b.imm || !def)
		return false;
	if (!flow_is_unchanged(p->fl, def->a, def, i, p->block) ||
	    !flow_is_unchanged(p->fl, def->b, def, i, p->block))
		return false;
	for (size_t k = 0; k < ELEMENTS(pairs); k++) {
		if (pairs[k].op != def->op)
			continue;
		if (i->op == IR_SETNE)
			return become(i, IR_MOV, i->a, (struct ir_val){});
		if (pairs[k].swap)
			return become(i, pairs[k].not, def->b, def->a);
		return become(i, pairs[k].not, def->a, def->b);
	}
	return false;
}

/* --- addresses */

static bool fits(int64_t off)
{
	return off >= INT16_MIN && off <= INT16_MAX;
}

/* [x + 8] through x = y + 8 is [y + 16]. */
static bool rule_displace(const struct place_in *p, const struct ir_insn *i, struct ir_val *base,
			  int64_t off, int64_t *ret_off)
{
	const struct ir_insn *def = made_by(p, *base, IR_ADD, i);
	const struct ir_reg_info *regs = p->fl->f->regs.p;

	if (!def || !fits(def->b.imm) || !fits(off + def->b.imm) ||
	    regs[def->a.reg].class != regs[base->reg].class)
		return false;
	*ret_off = off + def->b.imm;
	*base = def->a;
	return true;
}

static bool rule_memory(const struct place_in *p, struct ir_insn *i)
{
	enum ir_form form = ir_op_info[i->op].form;
	bool changed = false;
	int64_t off;

	if (form != IRF_LOAD && form != IRF_STORE && form != IRF_ATOMIC && form != IRF_FILL &&
	    form != IRF_COPY)
		return false;
	if (rule_displace(p, i, &i->a, i->off, &off)) {
		i->off = (int32_t)off;
		changed = true;
	}
	if (form == IRF_COPY && rule_displace(p, i, &i->b, (int32_t)i->index, &off)) {
		i->index = (uint32_t)(int32_t)off;
		changed = true;
	}
	return changed;
}

/* (slot 0 + 8) + 8 is slot 0 + 16, as long as it stays inside. */
static bool rule_address(const struct place_in *p, struct ir_insn *i)
{
	const struct ir_insn *def = flow_def(p->fl, i->a);
	int64_t off, most = INT16_MAX;

	if (i->op != IR_ADD || !def || i->b.reg)
		return false;
	if (def->op != IR_SLOT && def->op != IR_GLOBAL && def->op != IR_RODATA &&
	    def->op != IR_SCRATCH && def->op != IR_MAPVALUE)
		return false;
	if (def->op == IR_SLOT)
		most = p->fl->f->slots.p[def->index].size;
	else if (def->op == IR_SCRATCH)
		most = p->fl->m->scratch_size;
	if (__builtin_add_overflow((int64_t)def->off, i->b.imm, &off) || off < 0 || off > most ||
	    p->fl->f->regs.p[i->dst].class != p->fl->f->regs.p[def->dst].class)
		return false;
	become(i, def->op, (struct ir_val){}, (struct ir_val){});
	i->index = def->index;
	i->off = (int32_t)off;
	return true;
}

/* --- */

static bool simplify_binary(const struct place_in *p, struct ir_insn *i)
{
	struct ir_val v = i->a;

	if (!v.reg && i->b.reg && is_commutative(i->op)) {
		i->a = i->b;
		i->b = v;
		return true;
	}
	if (rule_same(i))
		return true;
	if (!i->a.reg || i->b.reg)
		return false;
	return (!i->b.imm && rule_zero(i)) || rule_number(i) || rule_address(p, i) ||
	       rule_twice(p, i) || rule_shift_back(p, i) || rule_not(p, i);
}

bool opt_simplify(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed = false;

	flow_defs(fl);
	for (size_t b = 0; b < f->blocks.n; b++) {
		struct place_in p = {fl, &f->blocks.p[b]};

		for (size_t k = 0; k < p.block->insns.n; k++) {
			struct ir_insn *i = &p.block->insns.p[k];

			if (ir_op_info[i->op].form == IRF_BINARY && i->dst)
				changed |= simplify_binary(&p, i);
			else
				changed |= rule_memory(&p, i);
		}
	}
	return changed;
}
