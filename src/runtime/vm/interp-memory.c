/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter's rarer accesses to memory.
 *
 * Atomics are the machine's: programs on several threads share maps.  Those that fetch are full
 * barriers, those that do not promise nothing, as in the kernel.  Accesses to an arena
 * find their address by its base; loads from objects that may be gone ask the kernel.  What is
 * written to such an object is the program's own (bpf_obj_new): that memory stays memory.
 */
#include "runtime/vm/interp.h"

/* One width: the value that was there; `s` is the operand, r0 what CMPXCHG expects. */
#define RMW(T, name)                                                                     \
	static T name(enum insn_id row, T *at, T s, T r0)                                \
	{                                                                                \
		switch (row) {                                                           \
		case INSN_ATOMIC_ADD_DW:                                                 \
			return __atomic_fetch_add(at, s, __ATOMIC_RELAXED);              \
		case INSN_ATOMIC_OR_DW:                                                  \
			return __atomic_fetch_or(at, s, __ATOMIC_RELAXED);               \
		case INSN_ATOMIC_AND_DW:                                                 \
			return __atomic_fetch_and(at, s, __ATOMIC_RELAXED);              \
		case INSN_ATOMIC_XOR_DW:                                                 \
			return __atomic_fetch_xor(at, s, __ATOMIC_RELAXED);              \
		case INSN_FETCH_ADD_DW:                                                  \
			return __atomic_fetch_add(at, s, __ATOMIC_SEQ_CST);              \
		case INSN_FETCH_OR_DW:                                                   \
			return __atomic_fetch_or(at, s, __ATOMIC_SEQ_CST);               \
		case INSN_FETCH_AND_DW:                                                  \
			return __atomic_fetch_and(at, s, __ATOMIC_SEQ_CST);              \
		case INSN_FETCH_XOR_DW:                                                  \
			return __atomic_fetch_xor(at, s, __ATOMIC_SEQ_CST);              \
		case INSN_XCHG_DW:                                                       \
			return __atomic_exchange_n(at, s, __ATOMIC_SEQ_CST);             \
		default: /* INSN_CMPXCHG_DW: nobody else comes here */                   \
			__atomic_compare_exchange_n(at, &r0, s, false, __ATOMIC_SEQ_CST, \
						    __ATOMIC_SEQ_CST);                   \
			return r0;                                                       \
		}                                                                        \
	}
RMW(uint32_t, rmw_32)
RMW(uint64_t, rmw_64)

/* The row of 64 bits: each pair of ATOMIC() in insn.def is W, then DW. */
static enum insn_id long_row(enum insn_id id)
{
	_Static_assert(INSN_ATOMIC_ADD_DW == INSN_ATOMIC_ADD_W + 1 &&
			       INSN_FETCH_XOR_DW == INSN_FETCH_XOR_W + 1 &&
			       INSN_CMPXCHG_DW == INSN_CMPXCHG_W + 1,
		       "W comes before DW");
	return insn_row_of(id)->bytes == 4 ? id + 1 : id;
}

static void ordered(const struct code_insn *i, uint64_t r[11], uint64_t at)
{
	union {
		uint8_t *b;
		uint16_t *h;
		uint32_t *w;
		uint64_t *dw;
	} p = {.b = (uint8_t *)(uintptr_t)at};
	unsigned int bytes = insn_row_of(i->id)->bytes;

	if (i->id >= INSN_LOAD_ACQB && insn_row_of(i->id)->imm == CODE_LOAD_ACQ) {
		r[i->dst] = bytes == 1	 ? __atomic_load_n(p.b, __ATOMIC_ACQUIRE)
			    : bytes == 2 ? __atomic_load_n(p.h, __ATOMIC_ACQUIRE)
			    : bytes == 4 ? __atomic_load_n(p.w, __ATOMIC_ACQUIRE)
					 : __atomic_load_n(p.dw, __ATOMIC_ACQUIRE);
		return;
	}
	if (bytes == 1)
		__atomic_store_n(p.b, (uint8_t)r[i->src], __ATOMIC_RELEASE);
	else if (bytes == 2)
		__atomic_store_n(p.h, (uint16_t)r[i->src], __ATOMIC_RELEASE);
	else if (bytes == 4)
		__atomic_store_n(p.w, (uint32_t)r[i->src], __ATOMIC_RELEASE);
	else
		__atomic_store_n(p.dw, r[i->src], __ATOMIC_RELEASE);
}

void interp_atomic(const struct code_insn *i, uint64_t r[11], uint64_t at)
{
	enum insn_id row;
	uint64_t old;

	if (insn_kind(i->id) != INSN_KIND_ATOMIC) {
		ordered(i, r, at);
		return;
	}
	row = long_row(i->id);
	if (row == i->id)
		old = rmw_64(row, (uint64_t *)(uintptr_t)at, r[i->src], r[0]);
	else
		old = rmw_32(row, (uint32_t *)(uintptr_t)at, (uint32_t)r[i->src], (uint32_t)r[0]);
	if (row == INSN_CMPXCHG_DW)
		r[0] = old;
	else if (insn_row_of(row)->imm & BPF_FETCH)
		r[i->src] = old;
}

static void load(const struct code_insn *i, uint64_t r[11], uint64_t at)
{
	const struct insn_row *row = insn_row_of(i->id);
	unsigned int shift = 64 - 8 * row->bytes;
	uint64_t v = 0;

	memcpy(&v, (const void *)(uintptr_t)at, row->bytes);
	r[i->dst] = row->is_signed ? (uint64_t)((int64_t)(v << shift) >> shift) : v;
}

static void store(const struct code_insn *i, const uint64_t r[11], uint64_t at)
{
	const struct insn_row *row = insn_row_of(i->id);
	uint64_t v = row->is_imm ? i->imm : r[i->src];

	memcpy((void *)(uintptr_t)at, &v, row->bytes);
}

void interp_special(const struct vm_code *c, const struct code_insn *i, uint64_t r[11])
{
	enum insn_kind kind = insn_kind(i->id);
	const struct insn_row *row = insn_row_of(i->id);
	bool is_load = kind == INSN_KIND_LOAD || row->imm == CODE_LOAD_ACQ;
	uint64_t base = r[is_load ? i->src : i->dst];

	if (i->access == ACCESS_BTF && is_load) {
		r[i->dst] = code_safe_load(base + (uint64_t)(int64_t)i->off, row->bytes,
					   row->is_signed);
		return;
	}
	if (i->access == ACCESS_ARENA)
		base = c->arena | (uint32_t)base;
	base += (uint64_t)(int64_t)i->off;
	if (kind == INSN_KIND_LOAD)
		load(i, r, base);
	else if (kind == INSN_KIND_STORE)
		store(i, r, base);
	else
		interp_atomic(i, r, base);
}
