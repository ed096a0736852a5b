/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions that change nothing, and bits that nobody wants.
 *
 * Forwards: how many low bits of a fixed register can be set at all (a byte load: 8), and
 * in how many bits its value fits with a sign.  An extension or a mask of what is that
 * narrow already is a move.  Only what the kernel's verifier finds out too counts, since a
 * mask may be what makes an address safe for it: a quotient, a remainder and swapped bytes
 * are unknown numbers to it, and so are products of more than 32 bits and what is shifted
 * by a register.
 *
 * Backwards, one step: who takes only the low bits of a value (a narrow store, a mask,
 * another extension) takes it from before its extension.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

struct width {
	uint8_t bits;  /* all above are 0; 64: nothing is known */
	uint8_t signs; /* it is the sign extension of so many low bits; 64: nothing */
};

static unsigned int bits_of(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

static struct width width_of_number(int64_t v)
{
	return (struct width){(uint8_t)bits_of((uint64_t)v),
			      (uint8_t)(bits_of((uint64_t)(v < 0 ? ~v : v)) + 1)};
}

static struct width width_of(const struct width *w, struct ir_val v)
{
	return v.reg ? w[v.reg] : width_of_number(v.imm);
}

static struct width from_bits(unsigned int bits)
{
	bits = MIN(bits, 64u);
	return (struct width){(uint8_t)bits, (uint8_t)MIN(bits + 1, 64u)};
}

static struct width width_of_binary(const struct width *w, const struct ir_insn *i)
{
	struct width a = width_of(w, i->a), b = width_of(w, i->b);
	unsigned int shift = i->b.imm & 63;

	switch ((int)i->op) {
	case IR_ADD:
		return from_bits(MAX(a.bits, b.bits) + 1u);
	case IR_MUL:
		return from_bits(MAX(a.bits, b.bits) > 32 ? 64 : (unsigned int)a.bits + b.bits);
	case IR_AND:
		return from_bits(MIN(a.bits, b.bits));
	case IR_OR:
	case IR_XOR:
		return from_bits(MAX(a.bits, b.bits));
	case IR_SHL:
		return from_bits(i->b.reg ? 64 : a.bits + shift);
	case IR_SHR:
		if (i->b.reg)
			break;
		return from_bits(a.bits > shift ? a.bits - shift : 0);
	case IR_SETEQ:
	case IR_SETNE:
	case IR_SETULT:
	case IR_SETULE:
	case IR_SETSLT:
	case IR_SETSLE:
		return from_bits(1);
	}
	return from_bits(64);
}

static struct width width_of_extend(struct width a, const struct ir_insn *i)
{
	struct width w;

	switch ((int)i->op) {
	case IR_MOV:
		return a;
	case IR_ZEXT:
		return from_bits(MIN(a.bits, i->size));
	case IR_SEXT:
		if (a.bits < i->size) /* its sign is 0 */
			return from_bits(a.bits);
		w = from_bits(64);
		w.signs = MIN(a.signs, i->size);
		return w;
	}
	return from_bits(64);
}

static struct width width_made(const struct width *w, const struct ir_insn *i)
{
	struct width width = from_bits(64);

	switch (ir_op_info[i->op].form) {
	case IRF_UNARY:
	case IRF_EXTEND:
		return width_of_extend(width_of(w, i->a), i);
	case IRF_BINARY:
		return width_of_binary(w, i);
	case IRF_LOAD:
		if (!i->sign)
			return from_bits(i->size * 8u);
		width.signs = (uint8_t)(i->size * 8);
		return width;
	case IRF_ATOMIC:
		return from_bits(i->size * 8u);
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_STORE:
	case IRF_FILL:
	case IRF_COPY:
	case IRF_CALL:
		return width;
	}
	return width;
}

/* Widths of fixed registers; each is made before it is read in this order. */
static struct width *find_widths(struct flow *fl)
{
	struct width *w = arena_array(fl->scratch, struct width, fl->f->regs.n + 1);

	for (ir_reg r = 0; r < fl->f->regs.n; r++)
		w[r] = from_bits(64);
	for (uint32_t k = 0; k < fl->n_order; k++) {
		const struct ir_block *b = &fl->f->blocks.p[fl->order[k]];

		for (size_t i = 0; i < b->insns.n; i++) {
			ir_reg dst = b->insns.p[i].dst;

			if (dst && fl->def[dst] == &b->insns.p[i])
				w[dst] = width_made(w, &b->insns.p[i]);
		}
	}
	return w;
}

/* --- forwards */

static bool is_mask(uint64_t v)
{
	return v && !(v & (v + 1));
}

static bool drop_extension(const struct width *w, struct ir_insn *i)
{
	struct width a;
	bool idle = false;

	if (!i->dst || !i->a.reg)
		return false;
	a = width_of(w, i->a);
	if (i->op == IR_ZEXT)
		idle = a.bits <= i->size;
	else if (i->op == IR_SEXT)
		idle = a.bits < i->size || a.signs <= i->size;
	else if (i->op == IR_AND && !i->b.reg && is_mask((uint64_t)i->b.imm))
		idle = a.bits <= bits_of((uint64_t)i->b.imm);
	if (idle)
		flow_become(i, IR_MOV, i->a, (struct ir_val){});
	return idle;
}

/* --- backwards */

/* Take `v`, of which only the low `bits` matter, from before what changes others only. */
static bool look_through(const struct flow *fl, struct ir_val *v, unsigned int bits,
			 const struct ir_insn *user, const struct ir_block *b)
{
	const struct ir_insn *def = flow_def(fl, *v);
	uint64_t low = bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;

	if (!def || !def->a.reg)
		return false;
	if (def->op == IR_ZEXT || def->op == IR_SEXT) {
		if (def->size < bits)
			return false;
	} else if (def->op != IR_AND || def->b.reg || (~(uint64_t)def->b.imm & low)) {
		return false;
	}
	if (!flow_is_unchanged(fl, def->a, def, user, b) ||
	    fl->f->regs.p[def->a.reg].class != fl->f->regs.p[v->reg].class)
		return false;
	*v = def->a;
	return true;
}

static bool want_less(const struct flow *fl, struct ir_insn *i, const struct ir_block *b)
{
	switch ((int)i->op) {
	case IR_STORE:
		return i->size < 8 && look_through(fl, &i->b, i->size * 8u, i, b);
	case IR_ZEXT:
	case IR_SEXT:
	case IR_SWAP:
		return look_through(fl, &i->a, i->size, i, b);
	case IR_AND:
		return !i->b.reg && look_through(fl, &i->a, bits_of((uint64_t)i->b.imm), i, b);
	}
	return false;
}

bool opt_narrow(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed = false;
	const struct width *w;

	flow_defs(fl);
	flow_order(fl);
	w = find_widths(fl);
	for (size_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t k = 0; k < block->insns.n; k++) {
			while (want_less(fl, &block->insns.p[k], block))
				changed = true;
			changed |= drop_extension(w, &block->insns.p[k]);
		}
	}
	return changed;
}
