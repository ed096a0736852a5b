/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies, sums and unused halves.
 *
 * Two facts are followed from operation to operation.  How wide a register's value can be
 * (width: only its low n bits may be set), through the whole program: where paths meet the
 * larger one counts, and loops go round until nothing changes.  And, within stretches that
 * nobody jumps into, what a register is in terms of others: x, x + 8, x + y × 4 + 8 (struct
 * value).  A read of a copy becomes a read of what was copied, an address that was added up
 * becomes one operand, a comparison of two narrow numbers one of 32 bits.  What was computed
 * only for that is then read by nobody, and live.c drops it.
 */
#include "runtime/vm/jit/jit.h"

#include <stdlib.h>

/* r = base + (index << scale) + off; only its low half if is_low. */
struct value {
	bool is_known, is_low;
	uint8_t base, index, scale;
	int32_t off;
};

struct reduce {
	struct jit *j;
	uint8_t (*in)[JIT_REGS]; /* widths at leaders, by n_leader; [0] 0: not reached yet */
	uint32_t *leader;	 /* operation → its number */
	uint8_t width[JIT_REGS];
	bool is_reached, is_again;
	struct value value[JIT_REGS];
};

static uint8_t bits_of(uint64_t v)
{
	return v ? (uint8_t)(64 - __builtin_clzll(v)) : 0;
}

static uint8_t cap(unsigned int width, bool is_32)
{
	unsigned int most = is_32 ? 32 : 64;

	return (uint8_t)(width < most ? width : most);
}

/* Both are at most 32 bits wide for 32-bit operations. */
static uint8_t alu_width(enum insn_alu op, bool is_32, unsigned int a, unsigned int b, uint64_t imm,
			 bool is_imm)
{
	unsigned int shift = imm & (is_32 ? 31 : 63);

	switch (op) {
	case ALU_ADD:
		return cap((a > b ? a : b) + 1, is_32);
	case ALU_MUL:
		return cap(a + b, is_32);
	case ALU_DIV:
	case ALU_MOD: /* by 0: a */
		return (uint8_t)a;
	case ALU_OR:
	case ALU_XOR:
		return (uint8_t)(a > b ? a : b);
	case ALU_AND:
		return (uint8_t)(a < b ? a : b);
	case ALU_LSH:
		return is_imm ? cap(a + shift, is_32) : cap(64, is_32);
	case ALU_RSH:
		return (uint8_t)(!is_imm ? a : a > shift ? a - shift : 0);
	case ALU_MOV:
		return (uint8_t)b;
	case ALU_ARSH: /* a number that is not negative */
		return (uint8_t)(a < (is_32 ? 32u : 64u) ? a : cap(64, is_32));
	case ALU_SUB:
	case ALU_SDIV:
	case ALU_SMOD:
	case ALU_COUNT:
		break;
	}
	return cap(64, is_32);
}

static uint8_t width_of(const struct reduce *r, uint8_t reg, bool is_32)
{
	return reg == JIT_NO_REG ? 0 : cap(r->width[reg], is_32);
}

/* How wide what it writes to dst is. */
static uint8_t result_width(const struct reduce *r, const struct jit_op *o)
{
	const struct insn_row *row = insn_row_of(o->id);
	uint64_t imm = row->is_32 ? (uint32_t)o->imm : o->imm;

	switch (insn_kind(o->id)) {
	case INSN_KIND_ALU:
		return alu_width(insn_alu_of(o->id), row->is_32, width_of(r, o->a, row->is_32),
				 row->is_imm ? bits_of(imm) : width_of(r, o->b, row->is_32), imm,
				 row->is_imm);
	case INSN_KIND_LOAD:
		return row->is_signed ? 64 : (uint8_t)(row->bytes * 8);
	case INSN_KIND_ATOMIC:
		return (uint8_t)(row->bytes * 8);
	case INSN_KIND_JUMP:
	case INSN_KIND_STORE:
		return 64;
	case INSN_KIND_OTHER:
		break;
	}
	if (BPF_CLASS(row->code) == BPF_LD && BPF_MODE(row->code) == BPF_IMM)
		return o->id == INSN_WIDE_FUNC ? 64 : bits_of(o->imm);
	if (BPF_CLASS(row->code) == BPF_LD || BPF_CLASS(row->code) == BPF_STX)
		return (uint8_t)(row->bytes * 8);
	if (BPF_OP(row->code) == BPF_END)
		return (uint8_t)row->imm;
	if (BPF_CLASS(row->code) == BPF_ALU || o->id == INSN_CAST_KERN)
		return 32;
	return 64;
}

static void set_widths(struct reduce *r, const struct jit_op *o)
{
	uint8_t width;

	if (jit_is_call(o)) {
		memset(r->width, 64, 6);
		return;
	}
	if (o->dst == JIT_NO_REG)
		return;
	width = result_width(r, o);
	if (o->id >= INSN_LD_ABS_B && o->id <= INSN_LD_IND_W)
		memset(r->width, 64, 6);
	r->width[o->dst] = width;
}

/* Few steps to the top, so that loops end soon. */
static uint8_t round_width(uint8_t w)
{
	return w <= 8 ? 8 : w <= 16 ? 16 : w <= 31 ? 31 : w <= 32 ? 32 : w <= 63 ? 63 : 64;
}

static void flow_into(struct reduce *r, uint32_t to, uint32_t from)
{
	uint8_t *in = r->in[r->leader[to]];

	for (unsigned int i = 0; i < JIT_REGS; i++) {
		uint8_t w = round_width(r->width[i]);

		if (w <= in[i])
			continue;
		in[i] = w;
		if (to <= from)
			r->is_again = true;
	}
}

/* Come to operation i; false: nobody does, as far as is known. */
static bool arrive(struct reduce *r, uint32_t i)
{
	if (!r->j->ops[i].is_leader)
		return r->is_reached;
	if (r->is_reached)
		flow_into(r, i, i ? i - 1 : 0);
	memcpy(r->width, r->in[r->leader[i]], sizeof(r->width));
	r->is_reached = r->width[0] != 0;
	return r->is_reached;
}

static void follow_widths(struct reduce *r)
{
	r->is_again = r->is_reached = false;
	for (uint32_t i = 0; i < r->j->n; i++) {
		const struct jit_op *o = &r->j->ops[i];

		if (!arrive(r, i))
			continue;
		set_widths(r, o);
		if (jit_is_jump(o))
			flow_into(r, (uint32_t)o->off, i);
		r->is_reached = jit_falls_through(o);
	}
}

/* --- what registers are */

static bool is_copy(const struct value *v)
{
	return v->is_known && v->base != JIT_NO_REG && v->index == JIT_NO_REG && !v->off;
}

/* What to read instead; `is_32`: only the low half is wanted. */
static uint8_t source(const struct reduce *r, uint8_t reg, bool is_32)
{
	const struct value *v;

	if (reg == JIT_NO_REG)
		return reg;
	v = &r->value[reg];
	return is_copy(v) && (is_32 || !v->is_low) ? v->base : reg;
}

static struct value value_of(const struct reduce *r, uint8_t reg)
{
	if (r->value[reg].is_known && !r->value[reg].is_low)
		return r->value[reg];
	return (struct value){.is_known = true, .base = reg, .index = JIT_NO_REG};
}

static void forget(struct reduce *r, uint8_t reg)
{
	r->value[reg].is_known = false;
	for (unsigned int i = 0; i < JIT_REGS; i++)
		if (r->value[i].is_known && (r->value[i].base == reg || r->value[i].index == reg))
			r->value[i].is_known = false;
}

static struct value add_offset(struct value v, uint64_t imm)
{
	int64_t off = (int64_t)v.off + (int32_t)imm;

	v.is_known &= off == (int32_t)off;
	v.off = (int32_t)off;
	return v;
}

/* x + y, where one has no index yet and the other has one or is a register. */
static struct value add_values(struct value x, struct value y)
{
	struct value v = {.is_known = x.is_known && y.is_known};

	if (x.index != JIT_NO_REG && x.base != JIT_NO_REG) {
		struct value t = x;

		x = y;
		y = t;
	}
	if (x.base == JIT_NO_REG || x.index != JIT_NO_REG) {
		struct value t = x;

		x = y;
		y = t;
	}
	/* x is base + off now, y off + base or off + index */
	v.is_known &= x.base != JIT_NO_REG && x.index == JIT_NO_REG &&
		      (y.base == JIT_NO_REG || y.index == JIT_NO_REG);
	v.base = x.base;
	v.index = y.base == JIT_NO_REG ? y.index : y.base;
	v.scale = y.base == JIT_NO_REG ? y.scale : 0;
	v.off = x.off;
	return add_offset(v, (uint64_t)(int64_t)y.off);
}

/* What dst is after arithmetic. */
static struct value alu_value(const struct reduce *r, const struct jit_op *o)
{
	struct value none = {0}, v;

	switch (o->id) {
	case INSN_MOV64_X:
		return value_of(r, o->b);
	case INSN_MOV32_X:
		if (r->width[o->b] <= 32)
			return value_of(r, o->b);
		return (struct value){
			.is_known = true, .is_low = true, .base = o->b, .index = JIT_NO_REG};
	case INSN_ADD64_K:
		return add_offset(value_of(r, o->a), o->imm);
	case INSN_SUB64_K:
		return (int32_t)o->imm == INT32_MIN ? none : add_offset(value_of(r, o->a), -o->imm);
	case INSN_ADD64_X:
		return add_values(value_of(r, o->a), value_of(r, o->b));
	case INSN_LSH64_K:
		v = value_of(r, o->a);
		if (o->imm > 3 || !is_copy(&v))
			return none;
		return (struct value){.is_known = true,
				      .base = JIT_NO_REG,
				      .index = v.base,
				      .scale = (uint8_t)o->imm};
	}
	return none; /* another one of a hundred rows */
}

static void become(struct jit_op *o, enum insn_id id, uint8_t a, uint8_t b, uint64_t imm)
{
	o->id = (uint16_t)id;
	o->a = a;
	o->b = b;
	o->imm = imm;
}

/* x <<= 32; x >>= 32 and the like: one extension, and what is left of the second shift. */
static void reduce_shifts(struct jit_op *o, struct jit_op *next)
{
	static const struct {
		uint8_t shift;
		uint16_t zero, sign;
		uint64_t mask;
	} pairs[] = {{32, INSN_MOV32_X, INSN_MOVSX32_64, 0},
		     {48, INSN_AND32_K, INSN_MOVSX16_64, 0xffff},
		     {56, INSN_AND32_K, INSN_MOVSX8_64, 0xff}};
	bool is_sign = next->id == INSN_ARSH64_K;

	if (next->is_leader || next->dst != o->dst || (!is_sign && next->id != INSN_RSH64_K) ||
	    (next->imm & 63) < (o->imm & 63))
		return;
	for (size_t i = 0; i < ELEMENTS(pairs); i++) {
		if (pairs[i].shift != (o->imm & 63))
			continue;
		next->imm = (next->imm & 63) - (o->imm & 63);
		if (!next->imm)
			next->id = INSN_NONE;
		if (is_sign)
			become(o, pairs[i].sign, JIT_NO_REG, o->a, 0);
		else if (pairs[i].shift == 32)
			become(o, INSN_MOV32_X, JIT_NO_REG, o->a, 0);
		else
			become(o, INSN_AND32_K, o->a, JIT_NO_REG, pairs[i].mask);
		return;
	}
}

static void reduce_alu(struct reduce *r, struct jit_op *o)
{
	bool is_32 = insn_row_of(o->id)->is_32;
	struct value v;

	o->a = source(r, o->a, is_32);
	o->b = source(r, o->b, is_32);
	if (o->id == INSN_LSH64_K && o + 1 < r->j->ops + r->j->n)
		reduce_shifts(o, o + 1);
	if ((o->id == INSN_AND32_K || o->id == INSN_AND64_K) && r->width[o->a] <= 32 &&
	    !(~(uint32_t)o->imm & (uint32_t)((1ull << r->width[o->a]) - 1)))
		become(o, INSN_MOV64_X, JIT_NO_REG, o->a, 0);
	if (insn_kind(o->id) != INSN_KIND_ALU) /* an extension now */
		return;
	v = alu_value(r, o);
	if (o->dst == o->b &&
	    (o->id == INSN_MOV64_X || (o->id == INSN_MOV32_X && r->width[o->b] <= 32))) {
		o->id = INSN_NONE;
		return;
	}
	forget(r, o->dst);
	if (v.is_known && v.base != o->dst && v.index != o->dst)
		r->value[o->dst] = v;
}

static void reduce_memory(struct reduce *r, struct jit_op *o)
{
	const struct value *v;
	int64_t off;

	o->base = source(r, o->base, o->access == ACCESS_ARENA);
	v = &r->value[o->base];
	off = (int64_t)o->off + v->off;
	if (o->access != ACCESS_NONE || !v->is_known || v->is_low || v->base == JIT_NO_REG ||
	    off != (int32_t)off || insn_kind(o->id) == INSN_KIND_ATOMIC ||
	    (v->index != JIT_NO_REG && off && !r->j->machine->has_index_off))
		return;
	o->base = v->base;
	o->index = v->index;
	o->scale = v->scale;
	o->off = (int32_t)off;
}

static void reduce_op(struct reduce *r, struct jit_op *o)
{
	const struct insn_row *row = insn_row_of(o->id);
	uint16_t writes;

	switch (insn_kind(o->id)) {
	case INSN_KIND_ALU:
		reduce_alu(r, o);
		if (o->id != INSN_NONE && insn_kind(o->id) != INSN_KIND_ALU)
			forget(r, o->dst);
		return;
	case INSN_KIND_JUMP:
		o->a = source(r, o->a, row->is_32);
		o->b = source(r, o->b, row->is_32);
		return;
	case INSN_KIND_STORE:
		o->b = source(r, o->b, row->bytes <= 4);
		reduce_memory(r, o);
		return;
	case INSN_KIND_LOAD:
		reduce_memory(r, o);
		break;
	case INSN_KIND_ATOMIC:
	case INSN_KIND_OTHER:
		if (o->id == INSN_CALL && o->base != JIT_NO_REG) /* a lookup's key */
			reduce_memory(r, o);
		else if (o->base != JIT_NO_REG && o->access == ACCESS_NONE)
			o->base = source(r, o->base, false);
		break;
	}
	writes = jit_writes(o);
	for (uint8_t reg = 0; reg < JIT_REGS; reg++)
		if (writes >> reg & 1)
			forget(r, reg);
}

static void rewrite(struct reduce *r)
{
	r->is_reached = false;
	for (uint32_t i = 0; i < r->j->n; i++) {
		struct jit_op *o = &r->j->ops[i];

		if (o->is_leader)
			memset(r->value, 0, sizeof(r->value));
		if (!arrive(r, i) || o->id == INSN_NONE)
			continue;
		reduce_op(r, o);
		if (o->id == INSN_NONE)
			continue;
		o->width_a = o->a == JIT_NO_REG ? 64 : r->width[o->a];
		o->width_b = o->b == JIT_NO_REG ? bits_of(o->imm) : r->width[o->b];
		set_widths(r, o);
		r->is_reached = jit_falls_through(o);
	}
}

void jit_reduce(struct jit *j)
{
	struct reduce r = {.j = j, .leader = xalloc(sizeof(*r.leader) * j->n)};
	uint32_t n = 0;

	for (uint32_t i = 0; i < j->n; i++)
		if (j->ops[i].is_leader)
			r.leader[i] = n++;
	r.in = xalloc(sizeof(*r.in) * (n ? n : 1));
	for (uint32_t f = 0; f < j->n_funcs; f++)
		memset(r.in[r.leader[j->funcs[f].first]], 64, sizeof(*r.in));
	do
		follow_widths(&r);
	while (r.is_again);
	rewrite(&r);
	free(r.in);
	free(r.leader);
}
