/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From IR to instructions of the machine, over virtual registers.
 *
 * Block by block and instruction by instruction; what is selected twice or for nobody (an
 * address whose readers all took it as a displacement, a comparison that became a branch)
 * is swept away in the end.
 *
 * What eBPF lacks is made of what it has: signed division before version 4 (and after,
 * since INT64_MIN / -1 traps on x86 before Linux 6.12), sign extension, less-than in
 * version 1.
 */
#include "compile/gen/select.h"

#include <stdlib.h>

void select_put(struct select *s, struct mach_insn i)
{
	i.span = s->span;
	array_push(s->c->arena, &s->c->blocks.p[s->block].insns, i);
}

mach_reg select_temp(struct select *s, enum ir_class class)
{
	return mach_vreg_new(s->c, class);
}

static enum ir_class class_of(const struct select *s, struct ir_val v)
{
	return v.reg ? s->f->regs.p[v.reg].class : IRC_INT;
}

static bool fits(int64_t v)
{
	return v == (int32_t)v;
}

struct ir_val select_value(const struct select *s, struct ir_val v)
{
	for (int hops = 0; v.reg && hops < 8; hops++) {
		const struct ir_insn *d = s->defs[v.reg].insn;

		if (!d || d->op != IR_MOV || (d->a.reg && !s->defs[d->a.reg].insn))
			break;
		v = d->a;
	}
	return v;
}

uint32_t select_slot(struct select *s, uint32_t slot)
{
	if (!s->slots[slot])
		s->slots[slot] = mach_object_new(s->c, s->f->slots.p[slot].size);
	s->c->objects.p[s->slots[slot] - 1].is_used = true;
	return s->slots[slot];
}

static bool spot_slot(struct select *s, const struct ir_insn *d, struct spot *ret)
{
	int32_t scratch = s->plan->scratch[d->index];

	if (scratch >= 0) {
		*ret = (struct spot){.reg = s->scratch, .off = (int64_t)scratch + d->off};
		return true;
	}
	*ret = (struct spot){.object = select_slot(s, d->index), .off = d->off};
	return true;
}

/* An address that is another one and a number.  False: it is only its register. */
bool select_spot(struct select *s, struct ir_val v, struct spot *ret)
{
	const struct ir_insn *d;

	v = select_value(s, v);
	d = v.reg ? s->defs[v.reg].insn : NULL;
	if (!d)
		return false;
	if (d->op == IR_SLOT)
		return spot_slot(s, d, ret);
	if (d->op == IR_SCRATCH) {
		*ret = (struct spot){.reg = s->scratch, .off = d->off};
		return true;
	}
	if (d->op == IR_ADD || d->op == IR_SUB) {
		struct ir_val a = select_value(s, d->a), b = select_value(s, d->b);

		if (!a.reg || b.reg || b.imm > 1 << 20 || b.imm < -(1 << 20))
			return false;
		if (!select_spot(s, a, ret)) {
			if (s->defs[a.reg].writes != 1)
				return false;
			*ret = (struct spot){.reg = select_dst(a.reg)};
		}
		ret->off += d->op == IR_ADD ? b.imm : -b.imm;
		return true;
	}
	return false;
}

/* Made anew by each reader, so that nobody needs a register in between. */
static bool is_unneeded(struct select *s, ir_reg r)
{
	struct spot spot;

	return select_spot(s, IR_R(r), &spot) && (spot.object || spot.reg == s->scratch);
}

/* Addresses that are an ldimm64: 1 + enum mach_wide. */
static const uint8_t wide_ops[IR_OPS] = {
	[IR_GLOBAL] = 1 + WIDE_MAP_VALUE, [IR_RODATA] = 1 + WIDE_MAP_VALUE,
	[IR_MAP] = 1 + WIDE_MAP,	  [IR_MAPVALUE] = 1 + WIDE_MAP_VALUE,
	[IR_KSYM] = 1 + WIDE_KSYM,	  [IR_FUNC] = 1 + WIDE_FUNC,
};

bool select_wide(struct select *s, mach_reg to, const struct ir_insn *d)
{
	struct mach_insn i = {.op = MACH_WIDE, .dst = to, .index = d->index, .off = d->off};

	if (!wide_ops[d->op])
		return false;
	i.code = wide_ops[d->op] - 1;
	if (d->op == IR_GLOBAL)
		i.index = (uint32_t)s->c->q->globals;
	if (d->op == IR_RODATA)
		i.index = (uint32_t)s->c->q->rodata;
	select_put(s, i);
	return true;
}

void select_into(struct select *s, mach_reg to, struct ir_val v)
{
	const struct ir_insn *d;
	struct spot spot;

	v = select_value(s, v);
	if (!v.reg) {
		select_put(s, (struct mach_insn){.op = MACH_IMM, .dst = to, .imm = v.imm});
		return;
	}
	d = s->defs[v.reg].insn;
	if (d && s->defs[v.reg].reads == 1 && select_wide(s, to, d))
		return;
	if (!is_unneeded(s, v.reg)) {
		if (to != select_dst(v.reg))
			select_put(s, (struct mach_insn){
					      .op = MACH_MOV, .dst = to, .a = select_dst(v.reg)});
		return;
	}
	select_spot(s, v, &spot);
	if (spot.object) {
		select_put(s, (struct mach_insn){.op = MACH_ADDR,
						 .dst = to,
						 .object = spot.object,
						 .off = (int32_t)spot.off});
		return;
	}
	select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = to, .a = spot.reg});
	if (spot.off)
		select_alu_imm(s, BPF_ADD, to, spot.off);
}

mach_reg select_reg(struct select *s, struct ir_val v)
{
	const struct ir_insn *d;
	mach_reg t;

	v = select_value(s, v);
	d = v.reg ? s->defs[v.reg].insn : NULL;
	if (v.reg && !is_unneeded(s, v.reg) && !(d && s->defs[v.reg].reads == 1 && wide_ops[d->op]))
		return select_dst(v.reg);
	t = select_temp(s, class_of(s, v));
	select_into(s, t, v);
	return t;
}

void select_alu_imm(struct select *s, unsigned int op, mach_reg dst, int64_t imm)
{
	mach_reg t;

	/* what clears the upper half anyway takes its mask in the lower */
	if (op == BPF_AND && imm == (int64_t)(uint32_t)imm && !fits(imm)) {
		select_put(s, (struct mach_insn){.op = MACH_ALU,
						 .code = op,
						 .is_32 = true,
						 .dst = dst,
						 .imm = (int32_t)imm});
		return;
	}
	if (fits(imm)) {
		select_put(s,
			   (struct mach_insn){.op = MACH_ALU, .code = op, .dst = dst, .imm = imm});
		return;
	}
	t = select_temp(s, IRC_INT);
	select_put(s, (struct mach_insn){.op = MACH_IMM, .dst = t, .imm = imm});
	select_put(s, (struct mach_insn){.op = MACH_ALU, .code = op, .dst = dst, .b = t});
}

void select_alu(struct select *s, unsigned int op, mach_reg dst, struct ir_val v)
{
	v = select_value(s, v);
	if (!v.reg)
		select_alu_imm(s, op, dst, v.imm);
	else
		select_put(s,
			   (struct mach_insn){
				   .op = MACH_ALU, .code = op, .dst = dst, .b = select_reg(s, v)});
}

static void put_move(struct select *s, mach_reg to, mach_reg from)
{
	if (to != from)
		select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = to, .a = from});
}

void select_extend(struct select *s, mach_reg dst, mach_reg from, unsigned int bits, bool sign)
{
	bool is_whole = bits == 8 || bits == 16 || bits == 32;

	if (bits >= 64 || !bits) {
		put_move(s, dst, from);
	} else if ((!sign && bits == 32) || (sign && is_whole && s->c->o->cpu >= 4)) {
		select_put(s, (struct mach_insn){.op = MACH_EXTEND,
						 .size = (uint8_t)bits,
						 .sign = sign,
						 .dst = dst,
						 .a = from});
	} else if (!sign && bits < 32) {
		put_move(s, dst, from);
		select_alu_imm(s, BPF_AND, dst, (1ll << bits) - 1);
	} else {
		put_move(s, dst, from);
		select_alu_imm(s, BPF_LSH, dst, 64 - bits);
		select_alu_imm(s, sign ? BPF_ARSH : BPF_RSH, dst, 64 - bits);
	}
}

/* --- arithmetic */

static const struct {
	uint8_t code;
	bool is_commutative;
} alu_ops[IR_OPS] = {
	[IR_ADD] = {BPF_ADD, true},   [IR_SUB] = {BPF_SUB, false},  [IR_MUL] = {BPF_MUL, true},
	[IR_UDIV] = {BPF_DIV, false}, [IR_UMOD] = {BPF_MOD, false}, [IR_AND] = {BPF_AND, true},
	[IR_OR] = {BPF_OR, true},     [IR_XOR] = {BPF_XOR, true},   [IR_SHL] = {BPF_LSH, false},
	[IR_SHR] = {BPF_RSH, false},  [IR_SAR] = {BPF_ARSH, false},
};

static void select_binary(struct select *s, const struct ir_insn *i)
{
	struct ir_val x = select_value(s, i->a), y = select_value(s, i->b);
	mach_reg dst = select_dst(i->dst), to = dst;
	uint8_t code = alu_ops[i->op].code;
	bool is_division = i->op == IR_UDIV || i->op == IR_UMOD;

	if (alu_ops[i->op].is_commutative && (!x.reg || (y.reg == i->dst && x.reg != i->dst))) {
		struct ir_val t = x;

		x = y;
		y = t;
	}
	if (i->op == IR_SHL || i->op == IR_SHR || i->op == IR_SAR)
		y.imm &= 63;
	if (y.reg == i->dst && (x.reg != i->dst || !x.reg))
		to = select_temp(s, s->f->regs.p[i->dst].class);
	if (is_division && !y.reg && !y.imm) /* the kernel refuses such an instruction */
		select_into(s, to, i->op == IR_UDIV ? IR_I(0) : x);
	else if (select_into(s, to, x), y.reg || y.imm || i->op == IR_AND || i->op == IR_MUL)
		select_alu(s, code, to, y);
	put_move(s, dst, to);
}

/* |x| and the sign as 0 or -1; the magnitude of INT64_MIN is right as an unsigned number. */
static mach_reg magnitude(struct select *s, struct ir_val v, mach_reg *ret_sign)
{
	mach_reg n = select_temp(s, IRC_INT), sign = select_temp(s, IRC_INT);

	select_into(s, n, v);
	put_move(s, sign, n);
	select_alu_imm(s, BPF_ARSH, sign, 63);
	select_put(s, (struct mach_insn){.op = MACH_ALU, .code = BPF_XOR, .dst = n, .b = sign});
	select_put(s, (struct mach_insn){.op = MACH_ALU, .code = BPF_SUB, .dst = n, .b = sign});
	*ret_sign = sign;
	return n;
}

static void alu_reg(struct select *s, unsigned int op, mach_reg dst, mach_reg b)
{
	select_put(s, (struct mach_insn){.op = MACH_ALU, .code = op, .dst = dst, .b = b});
}

/* x / y = ±(|x| / |y|); the rest has the sign of x. */
static void select_signed(struct select *s, const struct ir_insn *i)
{
	struct ir_val y = select_value(s, i->b);
	mach_reg sign_x, sign_y = 0, x = magnitude(s, i->a, &sign_x), n;
	bool is_div = i->op == IR_SDIV;

	if (!y.reg) {
		uint64_t by = y.imm < 0 ? -(uint64_t)y.imm : (uint64_t)y.imm;

		if (!by)
			x = is_div ? 0 : x;
		else
			select_alu_imm(s, is_div ? BPF_DIV : BPF_MOD, x, (int64_t)by);
	} else {
		n = magnitude(s, y, &sign_y);
		alu_reg(s, is_div ? BPF_DIV : BPF_MOD, x, n);
	}
	if (!x) {
		select_into(s, select_dst(i->dst), IR_I(0));
		return;
	}
	if (is_div && sign_y)
		alu_reg(s, BPF_XOR, sign_x, sign_y);
	else if (is_div && y.imm < 0)
		select_alu_imm(s, BPF_XOR, sign_x, -1);
	alu_reg(s, BPF_XOR, x, sign_x);
	alu_reg(s, BPF_SUB, x, sign_x);
	put_move(s, select_dst(i->dst), x);
}

/* --- comparisons */

/* By enum ir_cond: the jump, and the one for swapped operands; 0: there is none. */
static const struct {
	uint8_t code, swapped;
} conds[] = {
	[IRC_EQ] = {BPF_JEQ, BPF_JEQ},	  [IRC_NE] = {BPF_JNE, BPF_JNE},
	[IRC_ULT] = {BPF_JLT, BPF_JGT},	  [IRC_ULE] = {BPF_JLE, BPF_JGE},
	[IRC_UGT] = {BPF_JGT, BPF_JLT},	  [IRC_UGE] = {BPF_JGE, BPF_JLE},
	[IRC_SLT] = {BPF_JSLT, BPF_JSGT}, [IRC_SLE] = {BPF_JSLE, BPF_JSGE},
	[IRC_SGT] = {BPF_JSGT, BPF_JSLT}, [IRC_SGE] = {BPF_JSGE, BPF_JSLE},
	[IRC_SET] = {BPF_JSET, BPF_JSET},
};

static bool is_less(uint8_t code)
{
	return code == BPF_JLT || code == BPF_JLE || code == BPF_JSLT || code == BPF_JSLE;
}

void select_compare(struct select *s, struct mach_insn i, enum ir_cond cond, struct ir_val x,
		    struct ir_val y)
{
	bool swap;

	x = select_value(s, x);
	y = select_value(s, y);
	swap = !x.reg && y.reg;
	i.code = swap ? conds[cond].swapped : conds[cond].code;
	if (s->c->o->cpu < 2 && is_less(i.code)) {
		/* both in registers, and the other way round */
		swap = !swap;
		i.code = i.code == conds[cond].code ? conds[cond].swapped : conds[cond].code;
	}
	i.a = select_reg(s, swap ? y : x);
	y = swap ? x : y;
	if (!y.reg && fits(y.imm))
		i.imm = y.imm;
	else
		i.b = select_reg(s, y);
	select_put(s, i);
}

enum ir_cond select_set_cond(unsigned int op)
{
	return op == IR_SETEQ	 ? IRC_EQ
	       : op == IR_SETNE	 ? IRC_NE
	       : op == IR_SETULT ? IRC_ULT
	       : op == IR_SETULE ? IRC_ULE
	       : op == IR_SETSLT ? IRC_SLT
				 : IRC_SLE;
}

static void select_set(struct select *s, const struct ir_insn *i)
{
	mach_reg dst = select_dst(i->dst), to = dst;

	if (i->a.reg == i->dst || i->b.reg == i->dst)
		to = select_temp(s, IRC_INT);
	select_compare(s, (struct mach_insn){.op = MACH_SET, .dst = to}, select_set_cond(i->op),
		       i->a, i->b);
	put_move(s, dst, to);
}

/* --- one instruction */

static void select_unary(struct select *s, const struct ir_insn *i)
{
	mach_reg dst = select_dst(i->dst);

	switch (i->op) {
	case IR_MOV:
		select_into(s, dst, i->a);
		break;
	case IR_NEG:
		select_into(s, dst, i->a);
		select_put(s, (struct mach_insn){.op = MACH_NEG, .dst = dst});
		break;
	case IR_NOT:
		select_into(s, dst, i->a);
		select_alu_imm(s, BPF_XOR, dst, -1);
		break;
	case IR_ZEXT:
	case IR_SEXT:
		select_extend(s, dst, select_reg(s, i->a), i->size, i->op == IR_SEXT);
		break;
	case IR_SWAP:
		select_into(s, dst, i->a);
		select_put(s, (struct mach_insn){.op = MACH_SWAP, .size = i->size, .dst = dst});
		break;
	}
}

void select_insn(struct select *s, const struct ir_insn *i)
{
	s->span = i->span;
	switch ((enum ir_op)i->op) {
	case IR_MOV:
	case IR_NEG:
	case IR_NOT:
	case IR_ZEXT:
	case IR_SEXT:
	case IR_SWAP:
		select_unary(s, i);
		break;
	case IR_ADD:
	case IR_SUB:
	case IR_MUL:
	case IR_UDIV:
	case IR_UMOD:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
		select_binary(s, i);
		break;
	case IR_SDIV:
	case IR_SMOD:
		select_signed(s, i);
		break;
	case IR_SETEQ:
	case IR_SETNE:
	case IR_SETULT:
	case IR_SETULE:
	case IR_SETSLT:
	case IR_SETSLE:
		select_set(s, i);
		break;
	case IR_SLOT:
	case IR_SCRATCH:
	case IR_GLOBAL:
	case IR_RODATA:
	case IR_MAP:
	case IR_MAPVALUE:
	case IR_KSYM:
	case IR_FUNC:
	case IR_LOAD:
	case IR_STORE:
	case IR_KLOAD:
	case IR_ULOAD:
	case IR_ATOMIC_ADD:
	case IR_ATOMIC_OR:
	case IR_ATOMIC_AND:
	case IR_ATOMIC_XCHG:
	case IR_ZERO:
	case IR_COPY:
		select_memory(s, i);
		break;
	case IR_CALL:
	case IR_CALLF:
	case IR_CALLRT:
	case IR_CALLK:
	case IR_CAST:
		select_call(s, i);
		break;
	case IR_OPS:
		break;
	}
}
