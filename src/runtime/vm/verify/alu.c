/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic: of numbers, and of pointers with numbers.
 *
 * What numbers become is scalar.c's affair.  A pointer survives adding a number, and subtracting
 * one; the number is then part of its offset and was important.  All else with pointers
 * gives a number that nothing is known of, or is refused.
 */
#include "runtime/vm/verify/internal.h"

enum { OFFSET_MAX = 1 << 29 };

bool is_leak(const struct verifier *v, const struct reg *r)
{
	return !v->allow_leaks && r->type != REG_SCALAR && r->type != REG_NONE;
}

void scalar_share(struct verifier *v, struct reg *r)
{
	if (r->type != REG_SCALAR)
		return;
	if (r->is_linked) {
		r->id = 0;
		r->off = 0;
		r->is_linked = false;
	}
	if (!r->id && !reg_is_const(r))
		r->id = new_id(v);
}

static void unshare(struct reg *r)
{
	r->id = 0;
	r->off = 0;
	r->is_linked = false;
}

static int offset_sane(struct verifier *v, const struct reg *r, unsigned int dst)
{
	char name[96];
	int64_t fixed = (int64_t)r->v.bits.value;

	if (reg_is_const(r) && (fixed >= OFFSET_MAX || fixed <= -OFFSET_MAX))
		return refuse(v, D_VERIFY_POINTER,
			      "math between %s pointer and %lld is not allowed",
			      reg_name(&cur_regs(v)[dst], name, sizeof(name)), (long long)fixed);
	if (r->type != REG_SCALAR && (r->off >= OFFSET_MAX || r->off <= -OFFSET_MAX))
		return refuse(v, D_VERIFY_POINTER, "%s pointer offset %d is not allowed",
			      reg_name(r, name, sizeof(name)), r->off);
	if (r->v.smin == INT64_MIN)
		return refuse(v, D_VERIFY_POINTER,
			      "math between %s pointer and register with unbounded min value is "
			      "not allowed",
			      reg_name(&cur_regs(v)[dst], name, sizeof(name)));
	if (r->v.smin >= OFFSET_MAX || r->v.smin <= -OFFSET_MAX)
		return refuse(v, D_VERIFY_POINTER, "value %lld makes %s pointer be out of bounds",
			      (long long)r->v.smin,
			      reg_name(&cur_regs(v)[dst], name, sizeof(name)));
	return 0;
}

/* Which kinds of pointers have parts. */
static bool pointer_may_move(const struct reg *p, const struct reg *by, enum insn_alu op)
{
	bool is_zero = reg_is_const(by) && !by->v.bits.value;

	switch ((enum reg_type)p->type) {
	case REG_CTX:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_TP_BUFFER:
	case REG_BTF:
	case REG_MEM:
	case REG_BUFFER:
	case REG_FUNC:
	case REG_DYNPTR:
		return true;
	case REG_FLOW_KEYS:
		return reg_is_const(by);
	case REG_MAP:
		return is_zero && op == ALU_ADD;
	case REG_NONE:
	case REG_SCALAR:
	case REG_PACKET_END:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_ARENA:
	case REG_TYPES:
		return false;
	}
	return false;
}

static int pointer_op_check(struct verifier *v, const struct reg *p, const struct reg *by,
			    enum insn_alu op, unsigned int dst)
{
	char name[96];

	if (p->flags & F_NULL) {
		int r = refuse(v, D_VERIFY_NULL,
			       "R%u pointer arithmetic on %s prohibited, null-check it first", dst,
			       reg_name(p, name, sizeof(name)));

		refuse_note_reg(v, dst);
		return r;
	}
	if (!pointer_may_move(p, by, op))
		return refuse(v, D_VERIFY_POINTER, "R%u pointer arithmetic on %s prohibited", dst,
			      reg_name(p, name, sizeof(name)));
	if (op == ALU_AND || op == ALU_OR || op == ALU_XOR)
		return refuse(v, D_VERIFY_POINTER, "R%u bitwise operator on pointer prohibited",
			      dst);
	if (op != ALU_ADD && op != ALU_SUB)
		return refuse(v, D_VERIFY_POINTER,
			      "R%u pointer arithmetic with operator prohibited", dst);
	return 0;
}

/* The variable part moves; what was known of a packet's length is lost. */
static void pointer_move(struct verifier *v, struct reg *dst, enum insn_alu op,
			 const struct reg *by)
{
	struct scalar step = by->v;

	scalar_alu(&dst->v, op, false, &step);
	if (!reg_is_packet(dst))
		return;
	dst->id = new_id(v);
	if (op == ALU_SUB && by->v.smin >= 0)
		return;
	/* so many bytes fewer are behind it; the kernel takes it that there are none */
	if (op == ALU_ADD && !v->c->as_kernel && dst->range > 0 && by->v.smin >= 0 &&
	    by->v.umax < (uint64_t)dst->range)
		dst->range -= (int32_t)by->v.umax;
	else
		dst->range = 0;
}

/* Who has no privilege may not even have a pointer that leads outside: a processor could guess
 * that it is used. */
static int range_check_unprivileged(struct verifier *v, unsigned int dst)
{
	const struct reg *r = &cur_regs(v)[dst];
	int ret;

	if (r->type == REG_STACK && (r->off >= 0 || r->off < -STACK_SIZE))
		return refuse(
			v, D_VERIFY_POINTER,
			"R%u stack pointer arithmetic goes out of range, prohibited for !root",
			dst);
	if (r->type != REG_MAP_VALUE)
		return 0;
	ret = map_region_check(v, dst, r->off, 1, false, true);
	if (ret)
		refuse_text(v,
			    "the arithmetic leads out of the map's value, which only root may do");
	return ret;
}

/* regs[dst] = p OP by. */
static int pointer_op(struct verifier *v, unsigned int dst, const struct reg *p,
		      const struct reg *by, enum insn_alu op, bool is_32)
{
	struct reg *to = &cur_regs(v)[dst], pointer = *p;
	int64_t k = (int64_t)by->v.bits.value;
	int r;

	if (is_32) {
		if (op == ALU_SUB && v->allow_leaks) {
			reg_unknown(to);
			return 0;
		}
		return refuse(v, D_VERIFY_POINTER, "R%u 32-bit pointer arithmetic prohibited", dst);
	}
	r = pointer_op_check(v, p, by, op, dst);
	r = r ? r : offset_sane(v, by, dst);
	r = r ? r : offset_sane(v, p, dst);
	if (r)
		return r;
	if (op == ALU_SUB && to != p)
		return refuse(v, D_VERIFY_POINTER, "R%u tried to subtract pointer from scalar",
			      dst);
	if (op == ALU_SUB && p->type == REG_STACK)
		return refuse(v, D_VERIFY_POINTER, "R%u subtraction from stack pointer prohibited",
			      dst);
	if (reg_is_const(by)) {
		int64_t off = op == ALU_ADD ? pointer.off + k : pointer.off - k;

		if (off != (int32_t)off)
			return refuse(v, D_VERIFY_POINTER, "pointer offset %lld is not allowed",
				      (long long)off);
		pointer.off = (int32_t)off;
	} else {
		if (!v->is_privileged && p->type == REG_STACK)
			return refuse(v, D_VERIFY_POINTER,
				      "R%u variable stack access prohibited for !root", dst);
		pointer_move(v, &pointer, op, by);
	}
	pointer.at = v->insn;
	*to = pointer;
	r = offset_sane(v, to, dst);
	return r || v->is_privileged ? r : range_check_unprivileged(v, dst);
}

/* Division and shifts that the kernel refuses, though they have a meaning. */
static int immediate_check(struct verifier *v, enum insn_alu op, bool is_32, int32_t imm)
{
	bool is_division = op == ALU_DIV || op == ALU_SDIV || op == ALU_MOD || op == ALU_SMOD;
	bool is_shift = op == ALU_LSH || op == ALU_RSH || op == ALU_ARSH;

	if (!v->c->as_kernel)
		return 0;
	if (is_division && !imm)
		return refuse(v, D_VERIFY_INSTRUCTION, "div by zero");
	if (is_shift && (imm < 0 || imm >= (is_32 ? 32 : 64)))
		return refuse(v, D_VERIFY_INSTRUCTION, "invalid shift %d", imm);
	return 0;
}

/*
 * (−1 or 0) & constant is a choice between two numbers, as compilers write `x ? k : 0` without
 * a branch: both are followed by themselves.
 */
static int fork_mask(struct verifier *v, struct reg *dst, enum insn_alu op, const struct reg *src)
{
	struct state *other;
	struct reg *r;

	if ((op != ALU_AND && op != ALU_OR) || !reg_is_const(src) || dst->v.smin != -1 ||
	    dst->v.smax != 0)
		return 0;
	other = push_path(v, v->insn);
	if (!other)
		return -E2BIG;
	r = &state_frame(other)->regs[cur_insn(v)->dst_reg];
	unshare(dst);
	unshare(r);
	scalar_set(&dst->v, UINT64_MAX);
	scalar_set(&r->v, 0);
	return 0;
}

/* The kernel does not follow divisions, nor shifts by what is not known. */
static bool is_beyond_kernel(enum insn_alu op, bool is_32, const struct reg *src)
{
	switch (op) {
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
		return true;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		return is_32 ? src->v.umin32 != src->v.umax32 || src->v.umax32 > 31
			     : !reg_is_const(src) || src->v.umax > 63;
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_OR:
	case ALU_AND:
	case ALU_XOR:
	case ALU_MOV:
	case ALU_COUNT:
		return false;
	}
	return false;
}

static int scalar_op(struct verifier *v, struct reg *dst, enum insn_alu op, bool is_32,
		     const struct reg *src, bool is_same)
{
	bool is_add = op == ALU_ADD && !is_32 && dst->id && reg_is_const(src) && !is_same;
	uint64_t k = src->v.bits.value;
	struct scalar value = src->v;
	int r;

	if (src->dep && src->dep != dst->dep)
		dst->dep = dst->dep ? dep_new(&v->pool, dst->dep, src->dep) : src->dep;
	r = fork_mask(v, dst, op, src);
	if (r)
		return r;
	if (v->c->as_kernel && is_beyond_kernel(op, is_32, src)) {
		scalar_any(&dst->v);
		if (is_32)
			scalar_cut(&dst->v, 4, false, false);
	} else {
		scalar_alu(&dst->v, op, is_32, &value);
	}
	dst->at = v->insn;
	if (is_add && !dst->is_linked && v->is_privileged &&
	    (k <= INT32_MAX || (!v->c->as_kernel && (int64_t)k == (int32_t)k))) {
		dst->is_linked = true;
		dst->off = (int32_t)k;
	} else {
		unshare(dst);
	}
	return 0;
}

static int binary(struct verifier *v, const struct bpf_insn *i, enum insn_alu op, bool is_32,
		  bool is_imm)
{
	struct reg *regs = cur_regs(v), *dst = &regs[i->dst_reg], *src, constant;
	int r;

	if (is_imm) {
		reg_none(&constant);
		reg_known(&constant, (uint64_t)(int64_t)i->imm);
		src = &constant;
		r = immediate_check(v, op, is_32, i->imm);
		if (r)
			return r;
	} else {
		src = &regs[i->src_reg];
	}
	if (dst->type == REG_ARENA || src->type == REG_ARENA) {
		if (dst->type != REG_ARENA)
			*dst = *src;
		dst->at = v->insn;
		return 0;
	}
	if (dst->type != REG_SCALAR && src->type != REG_SCALAR) {
		if (op == ALU_SUB && v->allow_leaks) {
			reg_unknown(dst);
			dst->at = v->insn;
			return 0;
		}
		return refuse(v, D_VERIFY_POINTER, "R%u pointer %s pointer prohibited", i->dst_reg,
			      insn_row_of(v->info[v->insn].id)->name);
	}
	if (src->type != REG_SCALAR) {
		struct reg by = *dst, pointer = *src;

		reg_mark(&by);
		if (op == ALU_SUB && !is_32)
			return refuse(v, D_VERIFY_POINTER,
				      "R%u tried to subtract pointer from scalar", i->dst_reg);
		return pointer_op(v, i->dst_reg, &pointer, &by, op, is_32);
	}
	if (dst->type != REG_SCALAR) {
		reg_mark(src);
		return pointer_op(v, i->dst_reg, dst, src, op, is_32);
	}
	return scalar_op(v, dst, op, is_32, src, !is_imm && i->dst_reg == i->src_reg);
}

static int move(struct verifier *v, const struct bpf_insn *i, bool is_32, bool is_imm)
{
	struct reg *regs = cur_regs(v), *dst = &regs[i->dst_reg], *src = &regs[i->src_reg];

	if (is_imm) {
		reg_known(dst, is_32 ? (uint32_t)i->imm : (uint64_t)(int64_t)i->imm);
	} else if (!is_32) {
		scalar_share(v, src);
		*dst = *src;
	} else if (is_leak(v, src)) {
		return refuse(v, D_VERIFY_LEAK, "R%u partial copy of pointer", i->src_reg);
	} else if (src->type == REG_SCALAR) {
		bool fits = src->v.umax <= UINT32_MAX;

		if (fits)
			scalar_share(v, src);
		*dst = *src;
		if (!fits)
			unshare(dst);
		scalar_cut(&dst->v, 4, false, false);
	} else {
		reg_unknown(dst);
		scalar_cut(&dst->v, 4, false, false);
	}
	dst->at = v->insn;
	return 0;
}

static int move_signed(struct verifier *v, const struct bpf_insn *i, unsigned int bytes, bool to_32)
{
	struct reg *regs = cur_regs(v), *dst = &regs[i->dst_reg], *src = &regs[i->src_reg];
	bool fits;

	if (is_leak(v, src))
		return refuse(v, D_VERIFY_LEAK, "R%u sign-extension part of pointer", i->src_reg);
	if (src->type != REG_SCALAR) {
		reg_unknown(dst);
	} else {
		fits = src->v.umax < 1ull << (8 * bytes - 1);
		if (fits)
			scalar_share(v, src);
		*dst = *src;
		if (!fits)
			unshare(dst);
	}
	scalar_cut(&dst->v, bytes, true, to_32);
	dst->at = v->insn;
	return 0;
}

static int cast(struct verifier *v, const struct bpf_insn *i, bool to_kernel)
{
	struct reg *dst = &cur_regs(v)[i->dst_reg];

	if (!v->arena_map)
		return refuse(v, D_VERIFY_INSTRUCTION,
			      "addr_space_cast insn can only be used in a program that has an "
			      "associated arena");
	if (to_kernel)
		reg_pointer(dst, REG_ARENA, 0);
	else
		reg_unknown(dst);
	dst->at = v->insn;
	return 0;
}

/* In place: negation, byte swaps. */
static int unary(struct verifier *v, const struct bpf_insn *i, enum insn_id id)
{
	struct reg *dst = &cur_regs(v)[i->dst_reg];
	bool is_neg = id == INSN_NEG64 || id == INSN_NEG32;

	if (is_leak(v, dst))
		return refuse(v, D_VERIFY_POINTER, "R%u pointer arithmetic prohibited", i->dst_reg);
	if (dst->type != REG_SCALAR) {
		reg_unknown(dst);
		return 0;
	}
	unshare(dst);
	dst->at = v->insn;
	if (is_neg)
		scalar_neg(&dst->v, id == INSN_NEG32);
	else
		scalar_swap(&dst->v, (unsigned int)i->imm, id >= INSN_BE16);
	return 0;
}

int alu_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id)
{
	const struct insn_row *row = insn_row_of(id);
	bool is_move = insn_kind(id) == INSN_KIND_ALU && insn_alu_of(id) == ALU_MOV;
	bool reads_dst = !is_move && !(id >= INSN_MOVSX8_64 && id <= INSN_CAST_USER);
	bool reads_src = insn_kind(id) == INSN_KIND_ALU
				 ? !row->is_imm
				 : id >= INSN_MOVSX8_64 && id <= INSN_CAST_USER;
	int r = 0;

	if (reads_src)
		r = reg_read(v, i->src_reg);
	if (!r && reads_dst)
		r = reg_read(v, i->dst_reg);
	r = r ? r : reg_write(v, i->dst_reg);
	if (r)
		return r;
	if (is_move)
		return move(v, i, row->is_32, row->is_imm);
	if (insn_kind(id) == INSN_KIND_ALU)
		return binary(v, i, insn_alu_of(id), row->is_32, row->is_imm);
	if (id >= INSN_MOVSX8_64 && id <= INSN_MOVSX16_32)
		return move_signed(v, i, (unsigned int)i->off / 8, id >= INSN_MOVSX8_32);
	if (id == INSN_CAST_KERN || id == INSN_CAST_USER)
		return cast(v, i, id == INSN_CAST_KERN);
	return unary(v, i, id);
}
