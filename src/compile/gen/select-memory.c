/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads, stores, and memory in bulk.
 *
 * The verifier wants accesses to the stack aligned to their size and displacements in 16
 * bits; nobody promises that an IR function keeps to that, so large displacements become
 * an addition, and bulk operations take the largest piece that the place allows.
 *
 * Kernel and user memory goes through a helper into eight bytes of the frame.  The helper
 * writes zeros when it fails (since Linux 5.5: bpf_probe_read_kernel_common), so the result
 * is 0 without another look.
 */
#include "compile/gen/select.h"

static bool is_far(int64_t off)
{
	return off != (int16_t)off;
}

void select_base(struct select *s, struct mach_insn *i, struct ir_val base, int64_t off)
{
	struct spot spot;
	mach_reg t;

	if (!select_spot(s, base, &spot))
		spot = (struct spot){.reg = select_reg(s, base)};
	off += spot.off;
	i->off = (int32_t)off;
	if (spot.object) {
		i->a = MACH_FP;
		i->object = spot.object;
		return;
	}
	i->a = spot.reg;
	if (!is_far(off))
		return;
	t = select_temp(s, IRC_PTR);
	select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = t, .a = spot.reg});
	select_alu_imm(s, BPF_ADD, t, off);
	i->a = t;
	i->off = 0;
}

uint32_t select_temporary(struct select *s)
{
	if (!s->temporary)
		s->temporary = mach_object_new(s->c, 8);
	s->c->objects.p[s->temporary - 1].is_used = true;
	return s->temporary;
}

/* What was read, its sign if it has one. */
static void finish_load(struct select *s, const struct ir_insn *i, struct mach_insn load,
			bool may_extend)
{
	bool extend = i->sign && i->size < 8;
	mach_reg dst = select_dst(i->dst);

	load.op = MACH_LOAD;
	load.size = i->size;
	load.dst = dst;
	load.sign = extend && may_extend && s->c->o->cpu >= 4;
	select_put(s, load);
	if (extend && !load.sign)
		select_extend(s, dst, dst, i->size * 8u, true);
}

/* Sign-extending loads (version 4) are not for every kind of pointer: not the context. */
static bool is_plain_memory(struct select *s, struct ir_val base)
{
	struct spot spot;

	return select_spot(s, base, &spot) && (spot.object || spot.reg == s->scratch);
}

static void select_load(struct select *s, const struct ir_insn *i)
{
	struct mach_insn load = {};

	select_base(s, &load, i->a, i->off);
	finish_load(s, i, load, is_plain_memory(s, i->a));
	if (i->b.reg)
		select_into(s, select_dst(i->b.reg), IR_I(0));
}

static void select_probe_read(struct select *s, const struct ir_insn *i)
{
	uint32_t object;

	if (i->a.reg && s->f->regs.p[i->a.reg].class == IRC_BTF) {
		select_load(s, i);
		return;
	}
	object = select_temporary(s);
	select_into(s, MACH_R(3), i->a);
	if (i->off)
		select_alu_imm(s, BPF_ADD, MACH_R(3), i->off);
	select_put(s, (struct mach_insn){.op = MACH_ADDR, .dst = MACH_R(1), .object = object});
	select_put(s, (struct mach_insn){.op = MACH_IMM, .dst = MACH_R(2), .imm = i->size});
	select_helper(s, i->op == IR_ULOAD ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel,
		      3);
	if (i->b.reg)
		select_put(s, (struct mach_insn){
				      .op = MACH_MOV, .dst = select_dst(i->b.reg), .a = MACH_R(0)});
	if (i->dst)
		finish_load(s, i, (struct mach_insn){.a = MACH_FP, .object = object}, true);
}

static void put_store(struct select *s, struct mach_insn i, struct ir_val v)
{
	v = select_value(s, v);
	i.op = MACH_STORE;
	if (!v.reg && i.size < 8)
		i.imm = (int32_t)v.imm;
	else if (!v.reg && v.imm == (int32_t)v.imm)
		i.imm = v.imm;
	else
		i.b = select_reg(s, v);
	select_put(s, i);
}

static void select_store(struct select *s, const struct ir_insn *i)
{
	struct mach_insn store = {.size = i->size};

	select_base(s, &store, i->a, i->off);
	put_store(s, store, i->b);
}

/* --- atomics */

static unsigned int atomic_code(unsigned int op)
{
	return op == IR_ATOMIC_ADD   ? BPF_ADD
	       : op == IR_ATOMIC_OR  ? BPF_OR
	       : op == IR_ATOMIC_AND ? BPF_AND
				     : BPF_XCHG;
}

/* Read, change, write. */
static void select_by_hand(struct select *s, const struct ir_insn *i, struct mach_insn at)
{
	mach_reg old = select_temp(s, IRC_INT), new = select_temp(s, IRC_INT);

	at.op = MACH_LOAD;
	at.dst = old;
	select_put(s, at);
	if (i->op == IR_ATOMIC_XCHG) {
		select_into(s, new, i->b);
	} else {
		select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = new, .a = old});
		select_alu(s, atomic_code(i->op), new, i->b);
	}
	at.op = MACH_STORE;
	at.dst = 0;
	at.b = new;
	select_put(s, at);
	if (i->dst)
		select_put(s,
			   (struct mach_insn){.op = MACH_MOV, .dst = select_dst(i->dst), .a = old});
}

/*
 * There are none for one or two bytes, and before version 3 only add.  Memory that this run has for
 * itself needs none.  It must have none, either: of what a fetch finds on the stack the verifier
 * (6.18) does not know that it must be known exactly, takes states with other numbers there for
 * the same, and removes branches that are taken.
 */
static void select_atomic(struct select *s, const struct ir_insn *i)
{
	struct mach_insn at = {.size = i->size};
	bool is_fetch = i->op == IR_ATOMIC_XCHG || (i->want && i->dst);
	bool is_none = i->size < 4 || (s->c->o->cpu < 3 && (is_fetch || i->op != IR_ATOMIC_ADD));

	select_base(s, &at, i->a, i->off);
	if (is_none || is_plain_memory(s, i->a)) {
		select_by_hand(s, i, at);
		return;
	}
	at.op = MACH_ATOMIC;
	at.code = (uint8_t)(atomic_code(i->op) | (is_fetch ? BPF_FETCH : 0));
	at.is_fetch = is_fetch;
	at.b = select_temp(s, IRC_INT); /* the old value comes there */
	select_into(s, at.b, i->b);
	select_put(s, at);
	if (is_fetch && i->dst)
		select_put(s, (struct mach_insn){
				      .op = MACH_MOV, .dst = select_dst(i->dst), .a = at.b});
}

/* --- in bulk */

/* The largest power of two up to 8 that divides all and fits. */
static uint32_t piece(int64_t at, int64_t from, int64_t left)
{
	uint32_t n = 8;

	while (n > left || at % n || from % n)
		n /= 2;
	return n;
}

/* Where `v` points, in bytes behind something that is aligned. */
static int64_t alignment_of(struct select *s, struct ir_val v, int64_t off)
{
	struct spot spot;

	return select_spot(s, v, &spot) ? spot.off + off : off;
}

static void put_pointer(struct select *s, mach_reg to, struct ir_val base, int64_t off)
{
	select_into(s, to, base);
	if (off)
		select_alu_imm(s, BPF_ADD, to, off);
}

/* A read that must fail: from address 0 (or from `from`, which does not). */
static void bulk_helper(struct select *s, const struct ir_insn *i, bool is_copy)
{
	if (is_copy)
		put_pointer(s, MACH_R(3), i->b, (int32_t)i->index);
	else
		select_into(s, MACH_R(3), IR_I(0));
	put_pointer(s, MACH_R(1), i->a, i->off);
	select_into(s, MACH_R(2), i->c);
	select_helper(s, BPF_FUNC_probe_read_kernel, 3);
}

static void select_zero(struct select *s, const struct ir_insn *i)
{
	struct ir_val n = select_value(s, i->c);
	int64_t at = alignment_of(s, i->a, i->off);

	if (n.reg || n.imm > SELECT_UNROLL) {
		bulk_helper(s, i, false);
		return;
	}
	for (int64_t done = 0; done < n.imm;) {
		uint32_t size = piece(at + done, 0, n.imm - done);
		struct mach_insn store = {.size = (uint8_t)size};

		select_base(s, &store, i->a, i->off + done);
		put_store(s, store, IR_I(0));
		done += size;
	}
}

static void select_copy(struct select *s, const struct ir_insn *i)
{
	struct ir_val n = select_value(s, i->c);
	int64_t to = alignment_of(s, i->a, i->off);
	int64_t from = alignment_of(s, i->b, (int32_t)i->index);

	if (n.reg || n.imm > SELECT_UNROLL) {
		bulk_helper(s, i, true);
		return;
	}
	for (int64_t done = 0; done < n.imm;) {
		uint32_t size = piece(to + done, from + done, n.imm - done);
		struct mach_insn load = {.op = MACH_LOAD, .size = (uint8_t)size};
		struct mach_insn store = {.op = MACH_STORE, .size = (uint8_t)size};

		select_base(s, &load, i->b, (int32_t)i->index + done);
		load.dst = store.b = select_temp(s, IRC_INT);
		select_put(s, load);
		select_base(s, &store, i->a, i->off + done);
		select_put(s, store);
		done += size;
	}
}

static void select_address(struct select *s, const struct ir_insn *i)
{
	struct spot spot;

	if (select_wide(s, select_dst(i->dst), i))
		return;
	/* a slot or scratch: only where several instructions write the register */
	if (s->defs[i->dst].insn)
		return;
	if (i->op == IR_SCRATCH) {
		spot = (struct spot){.reg = s->scratch, .off = i->off};
	} else if (s->plan->scratch[i->index] >= 0) {
		spot = (struct spot){.reg = s->scratch,
				     .off = (int64_t)s->plan->scratch[i->index] + i->off};
	} else {
		spot = (struct spot){.object = select_slot(s, i->index), .off = i->off};
		select_put(s, (struct mach_insn){.op = MACH_ADDR,
						 .dst = select_dst(i->dst),
						 .object = spot.object,
						 .off = (int32_t)spot.off});
		return;
	}
	select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = select_dst(i->dst), .a = spot.reg});
	if (spot.off)
		select_alu_imm(s, BPF_ADD, select_dst(i->dst), spot.off);
}

void select_memory(struct select *s, const struct ir_insn *i)
{
	switch (i->op) {
	case IR_LOAD:
		select_load(s, i);
		break;
	case IR_STORE:
		select_store(s, i);
		break;
	case IR_KLOAD:
	case IR_ULOAD:
		select_probe_read(s, i);
		break;
	case IR_ATOMIC_ADD:
	case IR_ATOMIC_OR:
	case IR_ATOMIC_AND:
	case IR_ATOMIC_XCHG:
		select_atomic(s, i);
		break;
	case IR_ZERO:
		select_zero(s, i);
		break;
	case IR_COPY:
		select_copy(s, i);
		break;
	default: /* the rest are addresses */
		select_address(s, i);
		break;
	}
}
