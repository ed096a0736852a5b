/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: places, temporaries, copies.
 *
 * Temporaries are slots of the function's stack (the generator moves large ones to the
 * scratch map).  A statement marks where it begins and gives all it took back at its end,
 * so that a long script does not need a long stack.
 *
 * Text has a room of type.size bytes.  What stands behind its NUL does not count, but
 * where bytes are compared as such (keys of maps): there text must be "clean", zeros to
 * the end.  Zeros in bulk come from a read of address 0, which fails at once and makes
 * the helper clear the target: one call instead of a loop.
 */
#include "compile/lang/bpftrace/lower-internal.h"

enum { ZERO_BY_HELPER = 128 };

uint32_t lower_mark(struct lower *L)
{
	return (uint32_t)L->body->taken.n;
}

void lower_release(struct lower *L, uint32_t mark)
{
	struct body *body = L->body;

	while (body->taken.n > mark)
		body->temps.p[body->taken.p[--body->taken.n]].is_used = false;
}

struct mem mem_bpf(ir_reg base, int32_t off)
{
	return (struct mem){.base = base, .off = off, .space = SPACE_BPF};
}

struct mem mem_at(struct mem p, int32_t off)
{
	p.off += off;
	p.is_clean = p.is_typed = p.has_room = false;
	return p;
}

struct mem lower_temp(struct lower *L, uint32_t size)
{
	struct body *body = L->body;
	struct temp *best = NULL;
	uint32_t room = size <= 8 ? 8 : (size + 7) & ~7u;

	for (size_t i = 0; i < body->temps.n; i++) {
		struct temp *t = &body->temps.p[i];

		if (!t->is_used && t->size >= room && t->size <= room * 2 &&
		    (!best || t->size < best->size))
			best = t;
	}
	if (!best) {
		uint32_t slot = ir_slot_new(&L->b, room, 8, NULL);

		best = array_push(L->a, &body->temps, ((struct temp){.slot = slot, .size = room}));
	}
	best->is_used = true;
	array_push(L->a, &body->taken, (uint32_t)(best - body->temps.p));
	return mem_bpf(ir_slot_addr(&L->b, best->slot, 0), 0);
}

struct mem lower_temp_of(struct lower *L, const struct type *t)
{
	uint32_t size = t->size ? t->size : 8;
	bool is_text = t->kind == TYPE_STRING;
	struct mem tmp = lower_temp(L, size + is_text);

	tmp.has_room = is_text;
	return tmp;
}

struct mem lower_scratch(struct lower *L, uint32_t size)
{
	struct ir_module *m = L->b.m;
	uint32_t off = (m->scratch_size + 7) & ~7u;

	m->scratch_size = off + size;
	return mem_bpf(ir_space_addr(&L->b, IRS_SCRATCH, off), 0);
}

ir_reg mem_addr(struct lower *L, struct mem p)
{
	return ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(p.base), IR_I(p.off)));
}

uint8_t lower_space(struct lower *L, const struct type *pointer)
{
	if (pointer->space != SPACE_NONE)
		return pointer->space;
	if (L->unit && L->unit->point->hook && L->unit->point->hook->space == SPACE_USER)
		return SPACE_USER;
	return SPACE_KERNEL;
}

/* A read whose result is looked at.  What BTF's pointers lead to is loaded, never refused. */
static struct ir_val load_checked(struct lower *L, struct mem p, unsigned int size, bool sign,
				  enum ir_class class)
{
	bool is_user = p.space == SPACE_USER;
	struct ir_val v;
	ir_reg failed;

	if (is_user)
		v = ir_uload(&L->b, p.base, p.off, size, sign, &failed);
	else
		v = ir_kload(&L->b, p.base, p.off, size, sign, class, &failed);
	lower_helper_error(L, is_user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel,
			   IR_R(failed));
	return v;
}

static bool is_checked(struct lower *L, struct mem p)
{
	return (L->o->helper_errors || L->o->counts_losses) && p.space != SPACE_BPF && !p.is_ctx &&
	       ir_here(&L->b)->regs.p[p.base].class != IRC_BTF;
}

struct ir_val mem_load(struct lower *L, struct mem p, unsigned int size, bool sign,
		       enum ir_class class)
{
	if (is_checked(L, p))
		return load_checked(L, p, size, sign, class);
	switch (p.space) {
	case SPACE_BPF:
		return ir_load(&L->b, p.base, p.off, size, sign);
	case SPACE_USER:
		return ir_uload(&L->b, p.base, p.off, size, sign, NULL);
	}
	return ir_kload(&L->b, p.base, p.off, size, sign, class, NULL);
}

struct ir_val mem_load_type(struct lower *L, struct mem p, const struct type *t)
{
	unsigned int size = t->kind == TYPE_POINTER ? 8 : t->size ? t->size : 8;

	if (size > 8)
		size = 8;
	if (size & (size - 1)) { /* 3, 5, 6, 7 bytes: of no integer, but harmless */
		struct mem tmp = lower_temp(L, 8);

		ir_store(&L->b, tmp.base, tmp.off, 8, IR_I(0));
		mem_copy(L, tmp, p, size);
		return ir_load(&L->b, tmp.base, tmp.off, 8, false);
	}
	return mem_load(L, p, size, t->is_signed, t->kind == TYPE_POINTER ? IRC_KPTR : IRC_INT);
}

struct ir_val mem_load_member(struct lower *L, struct mem p, const struct type_member *m,
			      const struct type *t)
{
	struct ir_val v;
	unsigned int bytes;

	if (!m || !m->bits)
		return mem_load_type(L, p, t);
	/* a bitfield: all bytes that it touches, then its bits */
	bytes = (m->bit_offset + m->bits + 7) / 8;
	bytes = bytes <= 1 ? 1 : bytes <= 2 ? 2 : bytes <= 4 ? 4 : 8;
	v = mem_load(L, p, bytes, false, IRC_INT);
	v = ir_math(&L->b, IR_SHL, v, IR_I(64 - m->bit_offset - m->bits));
	return ir_math(&L->b, t->is_signed ? IR_SAR : IR_SHR, v, IR_I(64 - m->bits));
}

void mem_store(struct lower *L, struct mem to, const struct type *t, struct ir_val v)
{
	ir_store(&L->b, to.base, to.off, t->size && t->size <= 8 ? t->size : 8, v);
}

void mem_zero(struct lower *L, struct mem to, uint32_t n)
{
	if (n <= ZERO_BY_HELPER) {
		ir_zero(&L->b, to.base, to.off, n);
		return;
	}
	IR_CALL(&L->b, BPF_FUNC_probe_read_kernel, IRC_INT, IR_R(mem_addr(L, to)), IR_I(n),
		IR_I(0));
}

void mem_copy(struct lower *L, struct mem to, struct mem from, uint32_t n)
{
	unsigned int helper =
		from.space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel;

	ir_reg r;

	if (!n)
		return;
	if (from.space == SPACE_BPF && n <= 256) {
		ir_copy(&L->b, to.base, to.off, from.base, from.off, n);
		return;
	}
	r = IR_CALL(&L->b, helper, IRC_INT, IR_R(mem_addr(L, to)), IR_I(n),
		    IR_R(mem_addr(L, from)));
	if (from.space != SPACE_BPF)
		lower_helper_error(L, helper, IR_R(r));
}

/*
 * The helpers put a NUL behind what they read, if need be in the place of the last byte.
 * An array of C that is full has none: its last byte is read by itself.
 */
static void fill_last(struct lower *L, struct mem to, uint32_t size, struct mem from, uint32_t n,
		      ir_reg got)
{
	uint32_t full = ir_block_new(&L->b), done = ir_block_new(&L->b);
	int32_t last = (int32_t)n - 1;

	ir_branch(&L->b, IRC_EQ, IR_R(got), IR_I(n), full, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, full);
	if (size > n)
		ir_store(&L->b, to.base, to.off + last + 1, 1, IR_I(0));
	mem_copy(L, mem_at(to, last), mem_at(from, last), 1);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

void mem_copy_text(struct lower *L, struct mem to, uint32_t size, struct mem from,
		   uint32_t from_size, bool clean)
{
	unsigned int helper = from.space == SPACE_USER ? BPF_FUNC_probe_read_user_str
						       : BPF_FUNC_probe_read_kernel_str;
	uint32_t n = from_size < size ? from_size : size;
	ir_reg r;

	if (from.space == SPACE_BPF && from_size <= size && n <= 64 && (!clean || from.is_clean)) {
		ir_copy(&L->b, to.base, to.off, from.base, from.off, n);
		if (n < size && clean)
			mem_zero(L, mem_at(to, (int32_t)n), size - n);
		return;
	}
	if (clean)
		mem_zero(L, to, size);
	r = IR_CALL(&L->b, helper, IRC_INT, IR_R(mem_addr(L, to)), IR_I(n),
		    IR_R(mem_addr(L, from)));
	if (from.space != SPACE_BPF)
		lower_helper_error(L, helper, IR_R(r));
	if (from_size <= size)
		fill_last(L, to, size, from, n, r);
}

static void convert_members(struct lower *L, struct mem to, const struct type *to_type,
			    struct mem from, const struct type *from_type, bool clean)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < to_type->n_members; i++) {
		const struct type_member *tm = &to_type->members[i], *fm = NULL;

		if (to_type->kind == TYPE_RECORD && tm->name) /* by name: order may differ */
			for (uint32_t j = 0; j < from_type->n_members && !fm; j++)
				if (from_type->members[j].name &&
				    !strcmp(from_type->members[j].name, tm->name))
					fm = &from_type->members[j];
		if (!fm && i < from_type->n_members)
			fm = &from_type->members[i];
		if (!fm)
			continue;
		if (clean && tm->offset > at)
			mem_zero(L, mem_at(to, (int32_t)at), tm->offset - at);
		mem_convert(L, mem_at(to, (int32_t)tm->offset), tm->type,
			    mem_at(from, (int32_t)fm->offset), fm->type, clean);
		at = tm->offset + tm->type->size;
	}
	if (clean && to_type->size > at)
		mem_zero(L, mem_at(to, (int32_t)at), to_type->size - at);
}

void mem_convert(struct lower *L, struct mem to, const struct type *to_type, struct mem from,
		 const struct type *from_type, bool clean)
{
	if (to_type->kind == TYPE_STRING) {
		mem_copy_text(L, to, to_type->size, from, from_type->size, clean);
	} else if ((to_type->kind == TYPE_TUPLE || to_type->kind == TYPE_RECORD) &&
		   to_type->n_members && from_type->n_members) {
		convert_members(L, to, to_type, from, from_type, clean);
	} else if (lower_is_scalar(to_type) && lower_is_scalar(from_type)) {
		mem_store(L, to, to_type, mem_load_type(L, from, from_type));
	} else {
		uint32_t n = from_type->size < to_type->size ? from_type->size : to_type->size;

		mem_copy(L, to, from, n);
		if (n < to_type->size)
			mem_zero(L, mem_at(to, (int32_t)n), to_type->size - n);
	}
}

struct mem lower_zeros(struct lower *L, uint32_t n)
{
	void *zeros = arena_alloc(L->a, n ? n : 1);
	struct mem p =
		mem_bpf(ir_space_addr(&L->b, IRS_RODATA, lower_rodata(L, zeros, n ? n : 1, 8)), 0);

	p.is_clean = true;
	return p;
}
