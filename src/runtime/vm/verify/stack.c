/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack: what is stored there, byte by byte, and registers that are spilled and filled.
 *
 * A whole register that is stored at a multiple of 8 keeps all that is known of it.  Anything
 * else leaves bytes: something, or zero.  Accesses at a variable offset may hit every byte of
 * their range.
 */
#include "runtime/vm/verify/internal.h"

struct frame *stack_frame_of(struct verifier *v, const struct reg *r)
{
	return v->cur->frames[r->frame];
}

void slot_read(struct verifier *v, struct frame *f, unsigned int slot)
{
	(void)v;
	if (slot < f->n_slots)
		dep_mark(f->slots[slot].live);
}

static uint8_t *byte_at(struct frame *f, int32_t off)
{
	return &f->slots[slot_of(off)].kind[off & 7];
}

static void misc(const struct verifier *v, uint8_t *kind)
{
	if (*kind != SLOT_ZERO && !(*kind == SLOT_INVALID && v->allow_uninit_stack))
		*kind = SLOT_MISC;
}

/* A spill that is written over in part is bytes. */
static void scrub(struct slot *s)
{
	if (s->kind[0] != SLOT_SPILL && s->kind[0] != SLOT_ITER && s->kind[0] != SLOT_DYNPTR)
		return;
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] == SLOT_SPILL || s->kind[i] == SLOT_ITER ||
		    s->kind[i] == SLOT_DYNPTR)
			s->kind[i] = SLOT_MISC;
}

static void depth_note(struct verifier *v, struct frame *f, int32_t off)
{
	struct func *func = &v->funcs[f->func];

	if (-off > func->stack)
		func->stack = (uint16_t)-off;
	frame_grow(&v->pool, f, slot_of(off) + 1);
}

/* [lowest, highest + size) of the access, in the frame?  off includes the fixed part. */
static int range_check(struct verifier *v, const struct reg *r, unsigned int regno, int32_t off,
		       uint64_t size, bool is_helper, int64_t *min, int64_t *max)
{
	struct frame *f = stack_frame_of(v, r);
	const char *extra = is_helper ? " indirect" : "";
	int ret;

	if (!reg_is_const(r) && (r->v.smin <= -(1 << 29) || r->v.smax >= 1 << 29)) {
		ret = refuse(v, D_VERIFY_BOUNDS, "invalid unbounded variable-offset%s stack R%u",
			     extra, regno);
		refuse_note_reg(v, regno);
		return ret;
	}
	*min = reg_is_const(r) ? (int64_t)r->v.bits.value + off : r->v.smin + off;
	*max = reg_is_const(r) ? *min : r->v.smax + off;
	if (*min < -STACK_SIZE || *max + (int64_t)size > 0 || size > STACK_SIZE) {
		ret = refuse(v, D_VERIFY_BOUNDS, "invalid%s stack R%u off=%lld size=%llu", extra,
			     regno, (long long)*min, (unsigned long long)size);
		refuse_text(v,
			    "bytes %lld to %lld of the stack are accessed, but it has only -512 "
			    "to -1",
			    (long long)*min, (long long)(*max + (int64_t)size - 1));
		refuse_note_reg(v, regno);
		return ret;
	}
	if (*min < 0)
		depth_note(v, f, (int32_t)*min);
	return 0;
}

/* --- writes */

static void spill(struct verifier *v, struct frame *f, int32_t off, const struct reg *r,
		  unsigned int bytes)
{
	struct slot *s = &f->slots[slot_of(off)];

	if (s->kind[0] == SLOT_ITER || s->kind[0] == SLOT_DYNPTR)
		scrub(s);
	s->reg = *r;
	s->reg.at = v->insn;
	if (bytes == 8)
		s->live = NULL;
	for (unsigned int i = 0; i < 8; i++) {
		if (i < bytes)
			s->kind[i] = SLOT_SPILL;
		else if (s->kind[i] == SLOT_SPILL)
			s->kind[i] = SLOT_MISC;
		else
			misc(v, &s->kind[i]);
	}
}

static int write_fixed(struct verifier *v, const struct access *a, struct frame *f, int32_t off)
{
	struct reg *value = a->value >= 0 ? &cur_regs(v)[a->value] : NULL, constant;
	struct slot *s = &f->slots[slot_of(off)];
	bool is_imm = a->value < 0 && BPF_CLASS(cur_insn(v)->code) == BPF_ST;
	uint8_t kind = SLOT_MISC;
	int r;

	if (!v->allow_leaks && s->kind[0] == SLOT_SPILL && s->reg.type != REG_SCALAR &&
	    a->bytes != 8)
		return refuse(v, D_VERIFY_LEAK, "attempt to corrupt spilled pointer on stack");
	r = slot_destroy_dynptr(v, f, slot_of(off));
	if (r)
		return r;
	if (value && !(off & 7) && value->type == REG_SCALAR && v->is_privileged) {
		bool fits = a->bytes == 8 || value->v.umax < 1ull << (8 * a->bytes);

		if (fits)
			scalar_share(v, value);
		spill(v, f, off, value, a->bytes);
		if (!fits) {
			s->reg.id = 0;
			s->reg.off = 0;
			s->reg.is_linked = false;
		}
		return 0;
	}
	if (is_imm && !(off & 7) && v->is_privileged) {
		reg_none(&constant);
		reg_known(&constant, (uint64_t)(int64_t)cur_insn(v)->imm);
		spill(v, f, off, &constant, a->bytes);
		return 0;
	}
	if (value && value->type != REG_SCALAR && value->type != REG_NONE) {
		if (a->bytes != 8)
			return refuse(v, D_VERIFY_LEAK, "invalid size of register spill");
		if (off & 7)
			return refuse(v, D_VERIFY_ACCESS, "misaligned stack access off %d size 8",
				      off);
		if (f != cur_frame(v) && value->type == REG_STACK)
			return refuse(
				v, D_VERIFY_STACK,
				"cannot spill pointers to stack into stack frame of the caller");
		spill(v, f, off, value, 8);
		return 0;
	}
	scrub(s);
	if (a->bytes == 8)
		s->live = NULL;
	if ((value && reg_is_zero(value)) || (is_imm && !cur_insn(v)->imm)) {
		if (value)
			reg_mark(value);
		kind = SLOT_ZERO;
	}
	for (unsigned int i = 0; i < a->bytes; i++)
		*byte_at(f, off + (int32_t)i) = kind;
	return 0;
}

static int write_variable(struct verifier *v, const struct access *a, struct frame *f, int64_t min,
			  int64_t max)
{
	const struct reg *value = a->value >= 0 ? &cur_regs(v)[a->value] : NULL;
	bool is_zero = value ? reg_is_zero(value)
			     : BPF_CLASS(cur_insn(v)->code) == BPF_ST && !cur_insn(v)->imm;
	bool used_zero = false;

	for (int64_t i = min; i < max + a->bytes; i++) {
		int r = slot_destroy_dynptr(v, f, slot_of((int32_t)i));

		if (r)
			return r;
	}
	for (int64_t i = min; i < max + a->bytes; i++) {
		struct slot *s = &f->slots[slot_of((int32_t)i)];
		uint8_t *kind = byte_at(f, (int32_t)i), was = *kind;

		if (!v->allow_leaks && was != SLOT_MISC && was != SLOT_ZERO)
			return refuse(
				v, D_VERIFY_LEAK,
				"spilled ptr in range of var-offset stack write; insn %u, ptr "
				"off: %lld",
				v->insn, (long long)i);
		if (was == SLOT_INVALID && !v->allow_uninit_stack)
			return refuse(v, D_VERIFY_STACK,
				      "uninit stack in range of var-offset write prohibited for "
				      "!root");
		if (is_zero && was == SLOT_SPILL && reg_is_zero(&s->reg)) {
			used_zero = true;
			reg_mark(&s->reg);
			continue;
		}
		scrub(s);
		if (is_zero && *kind == SLOT_ZERO)
			used_zero = true;
		else
			*kind = SLOT_MISC;
	}
	if (used_zero && value)
		reg_mark(value);
	return 0;
}

/* --- reads */

static int read_error(struct verifier *v, int32_t off, unsigned int i, uint64_t size)
{
	int r = refuse(v, D_VERIFY_STACK, "invalid read from stack off %d+%u size %llu", off, i,
		       (unsigned long long)size);

	refuse_text(v, "byte %d of the stack is read, but nothing was written there", off + (int)i);
	return r;
}

/* Bytes into a register: zero if all are. */
static int read_bytes(struct verifier *v, struct frame *f, int32_t off, unsigned int bytes,
		      int into)
{
	unsigned int zeros = 0, spilled = 0;
	const struct slot *s = &f->slots[slot_of(off)];

	for (unsigned int i = 0; i < bytes; i++) {
		uint8_t kind = *byte_at(f, off + (int32_t)i);

		if (kind == SLOT_ZERO)
			zeros++;
		else if (kind == SLOT_SPILL)
			spilled++;
		else if (kind != SLOT_MISC && !(kind == SLOT_INVALID && v->allow_uninit_stack))
			return read_error(v, off, i, bytes);
	}
	if (into < 0)
		return 0;
	if (spilled == bytes && reg_is_zero(&s->reg)) {
		struct dep *dep = s->reg.dep;

		reg_known(&cur_regs(v)[into], 0);
		cur_regs(v)[into].dep = dep;
	} else if (zeros == bytes) {
		reg_known(&cur_regs(v)[into], 0);
	} else {
		reg_unknown(&cur_regs(v)[into]);
	}
	return 0;
}

static int read_fixed(struct verifier *v, const struct access *a, struct frame *f, int32_t off)
{
	struct slot *s = &f->slots[slot_of(off)];
	struct reg *to = a->value >= 0 ? &cur_regs(v)[a->value] : NULL;
	unsigned int width = 1;

	slot_read(v, f, slot_of(off));
	if (s->kind[0] != SLOT_SPILL)
		return read_bytes(v, f, off, a->bytes, a->value);
	while (width < 8 && s->kind[width] == SLOT_SPILL)
		width++;
	if (a->bytes == 8 && width == 8) {
		if (to)
			*to = s->reg;
		else if (is_leak(v, &s->reg))
			return refuse(v, D_VERIFY_LEAK, "leaking pointer from stack off %d", off);
		return 0;
	}
	if (s->reg.type != REG_SCALAR)
		return refuse(v, D_VERIFY_STACK, "invalid size of register fill");
	if (!to)
		return 0;
	if (a->bytes <= width && !(off & 7)) {
		/* it is the same number only if nothing is cut off, and no sign appears */
		bool fits = a->bytes < 8 &&
			    s->reg.v.umax < 1ull << (8 * a->bytes - (a->is_signed ? 1 : 0));

		*to = s->reg;
		if (!fits) {
			to->id = 0;
			to->off = 0;
			to->is_linked = false;
		}
		if (width < 8)
			scalar_cut(&to->v, width, false, false);
		return 0;
	}
	return read_bytes(v, f, off, a->bytes, a->value);
}

static int read_variable(struct verifier *v, const struct access *a, struct frame *f, int64_t min,
			 int64_t max)
{
	unsigned int zeros = 0;

	for (int64_t i = min; i < max + a->bytes; i++) {
		struct slot *s = &f->slots[slot_of((int32_t)i)];
		uint8_t kind = *byte_at(f, (int32_t)i);

		slot_read(v, f, slot_of((int32_t)i));
		if (kind == SLOT_ZERO)
			zeros++;
		else if (kind == SLOT_SPILL && s->reg.type != REG_SCALAR && !v->allow_leaks)
			return refuse(v, D_VERIFY_LEAK, "leaking pointer from stack off %lld",
				      (long long)i);
		else if (kind != SLOT_MISC && kind != SLOT_SPILL &&
			 !(kind == SLOT_INVALID && v->allow_uninit_stack))
			return read_error(v, (int32_t)min, (unsigned int)(i - min), a->bytes);
	}
	if (a->value < 0)
		return 0;
	if (zeros == max - min + a->bytes)
		reg_known(&cur_regs(v)[a->value], 0);
	else
		reg_unknown(&cur_regs(v)[a->value]);
	return 0;
}

int stack_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	struct frame *f = stack_frame_of(v, r);
	bool is_fixed = reg_is_const(r);
	int64_t min = 0, max = 0;
	int ret = range_check(v, r, a->regno, off, a->bytes, false, &min, &max);

	if (ret)
		return ret;
	if (is_fixed && ((int32_t)min & 7) + a->bytes > 8) {
		if (a->is_write && a->value >= 0 && cur_regs(v)[a->value].type != REG_SCALAR)
			return refuse(v, D_VERIFY_ACCESS,
				      "misaligned stack access off %lld size %u", (long long)min,
				      a->bytes);
		/* across two slots: all that is left of either is bytes */
		return a->is_write ? write_variable(v, a, f, min, min)
				   : read_variable(v, a, f, min, min);
	}
	if (a->is_write) {
		const struct reg *value = a->value >= 0 ? &cur_regs(v)[a->value] : NULL;

		if (is_fixed)
			return write_fixed(v, a, f, (int32_t)min);
		if (value && value->type != REG_SCALAR && !v->allow_store_leaks)
			return refuse(v, D_VERIFY_LEAK, "R%d leaks addr into stack", a->value);
		return write_variable(v, a, f, min, max);
	}
	if (!is_fixed && a->value < 0)
		return refuse(
			v, D_VERIFY_STACK,
			"variable offset stack pointer cannot be passed into helper function");
	return is_fixed ? read_fixed(v, a, f, (int32_t)min) : read_variable(v, a, f, min, max);
}

/* --- helpers */

static int region_read_byte(struct verifier *v, const struct region *g, struct frame *f, int64_t at,
			    int64_t min)
{
	struct slot *s = &f->slots[slot_of((int32_t)at)];
	uint8_t *kind = byte_at(f, (int32_t)at);

	slot_read(v, f, slot_of((int32_t)at));
	if (*kind == SLOT_MISC)
		return 0;
	if (*kind == SLOT_ZERO || (*kind == SLOT_INVALID && v->allow_uninit_stack)) {
		*kind = SLOT_MISC;
		return 0;
	}
	if (s->kind[0] == SLOT_SPILL && *kind == SLOT_SPILL &&
	    (s->reg.type == REG_SCALAR || v->allow_leaks)) {
		reg_unknown(&s->reg);
		for (unsigned int i = 0; i < 8; i++)
			if (s->kind[i] == SLOT_SPILL)
				s->kind[i] = SLOT_MISC;
		return 0;
	}
	refuse(v, D_VERIFY_STACK, "invalid indirect read from stack R%u off %lld+%lld size %llu",
	       g->regno, (long long)min, (long long)(at - min), (unsigned long long)g->size);
	refuse_text(v, "the call reads byte %lld of the stack, but nothing was written there",
		    (long long)at);
	return REFUSED;
}

/* Reads leave bytes, too: helpers may write where they read. */
int stack_region(struct verifier *v, struct region *g, int32_t off)
{
	const struct reg *r = &cur_regs(v)[g->regno];
	struct frame *f = stack_frame_of(v, r);
	int64_t min = 0, max = 0;
	int ret;

	if (!g->size && !g->may_be_empty)
		return refuse(v, D_VERIFY_BOUNDS, "invalid zero-sized read");
	ret = range_check(v, r, g->regno, off, g->size, true, &min, &max);
	if (ret || !g->size)
		return ret;
	if (!reg_is_const(r) && !v->is_privileged)
		return refuse(v, D_VERIFY_STACK,
			      "R%u indirect variable offset stack access prohibited for !root",
			      g->regno);
	if (g->is_uninit && reg_is_const(r)) {
		for (int64_t i = min; i < min + (int64_t)g->size; i++)
			if (*byte_at(f, (int32_t)i) == SLOT_DYNPTR)
				return refuse(v, D_VERIFY_STACK,
					      "potential write to dynptr at off=%lld disallowed",
					      (long long)i);
		g->has_raw = true;
		g->raw_off = (int32_t)min;
		g->raw_size = (uint32_t)g->size;
		return 0;
	}
	for (int64_t i = min; i < max + (int64_t)g->size; i++) {
		ret = region_read_byte(v, g, f, i, min);
		if (ret)
			return ret;
	}
	return 0;
}

void stack_raw_written(struct verifier *v, const struct region *g)
{
	const struct reg *r = &cur_regs(v)[g->regno];
	struct frame *f = stack_frame_of(v, r);

	for (uint32_t i = 0; i < g->raw_size; i++) {
		int32_t at = g->raw_off + (int32_t)i;
		struct slot *s = &f->slots[slot_of(at)];

		scrub(s);
		*byte_at(f, at) = SLOT_MISC;
		if ((at & 7) == 7 && g->raw_off <= at - 7)
			s->live = NULL;
	}
}
