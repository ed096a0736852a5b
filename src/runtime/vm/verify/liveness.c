/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which registers still matter: those that some path reads before it writes them.
 *
 * A backward data flow over the whole program, calls included: what a function reads of its
 * arguments, its callers' calls read.  States are compared only by registers that matter.
 */
#include "runtime/vm/verify/internal.h"

enum { CLOBBERED = 0x3f, ARGUMENTS = 0x3e };

static unsigned int bit(unsigned int regno)
{
	return 1u << regno;
}

static unsigned int helper_reads(uint32_t number)
{
	const struct proto *p = proto_of(number);
	unsigned int mask = 0;

	if (!p)
		return ARGUMENTS;
	for (unsigned int k = 0; k < 5 && (p->args[k] & 0xff) != ARG_NONE; k++)
		mask |= bit(k + 1);
	return mask;
}

/* Neither arithmetic nor jumps nor plain memory. */
static void effects_of_others(const struct verifier *v, uint32_t at, const struct insn_row *row,
			      unsigned int *reads, unsigned int *writes)
{
	const struct bpf_insn *i = &v->p->insns[at];
	enum insn_id id = v->info[at].id;
	unsigned int dst = bit(i->dst_reg), src = bit(i->src_reg);

	if (id >= INSN_WIDE && id <= INSN_WIDE_MAP_IDX_VALUE) {
		*writes = dst;
	} else if (id >= INSN_LD_ABS_B && id <= INSN_LD_IND_W) {
		*reads = bit(6) | (id >= INSN_LD_IND_B ? src : 0);
		*writes = CLOBBERED;
	} else if (id == INSN_CALL) {
		*reads = helper_reads((uint32_t)i->imm);
		*writes = CLOBBERED;
	} else if (id == INSN_CALL_KFUNC) {
		*reads = ARGUMENTS;
		*writes = CLOBBERED;
	} else if (id == INSN_CALL_LOCAL) {
		*reads = v->info[v->info[at].target].live & ARGUMENTS;
		*writes = CLOBBERED;
	} else if (id == INSN_EXIT) {
		*reads = bit(0);
	} else if (id == INSN_NEG64 || id == INSN_NEG32 ||
		   (id >= INSN_LE16 && id <= INSN_BSWAP64)) {
		*reads = *writes = dst;
	} else if (id >= INSN_MOVSX8_64 && id <= INSN_CAST_USER) {
		*reads = src;
		*writes = dst;
	} else if (row && row->bytes && BPF_CLASS(i->code) == BPF_STX) {
		/* ordered loads and stores */
		if (i->imm == 0x100) {
			*reads = src;
			*writes = dst;
		} else {
			*reads = dst | src;
		}
	}
}

/* What instruction `i` reads and writes. */
static void effects(const struct verifier *v, uint32_t at, unsigned int *reads,
		    unsigned int *writes)
{
	const struct bpf_insn *i = &v->p->insns[at];
	enum insn_id id = v->info[at].id;
	const struct insn_row *row = insn_row_of(id);
	unsigned int dst = bit(i->dst_reg), src = bit(i->src_reg);

	*reads = *writes = 0;
	switch (insn_kind(id)) {
	case INSN_KIND_ALU:
		*writes = dst;
		*reads = (insn_alu_of(id) == ALU_MOV ? 0 : dst) | (row->is_imm ? 0 : src);
		return;
	case INSN_KIND_JUMP:
		*reads = dst | (row->is_imm ? 0 : src);
		return;
	case INSN_KIND_LOAD:
		*writes = dst;
		*reads = src;
		return;
	case INSN_KIND_STORE:
		*reads = dst | (row->is_imm ? 0 : src);
		return;
	case INSN_KIND_ATOMIC:
		*reads = dst | src | (i->imm == BPF_CMPXCHG ? bit(0) : 0);
		if (i->imm == BPF_CMPXCHG)
			*writes = bit(0);
		else if (i->imm & BPF_FETCH)
			*writes = src;
		return;
	case INSN_KIND_OTHER:
		break;
	}
	effects_of_others(v, at, row, reads, writes);
}

void liveness_find(struct verifier *v)
{
	uint32_t n = v->p->n_insns;
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t k = n; k-- > 0;) {
			struct insn_info *f = &v->info[k];
			unsigned int reads, writes, out = 0;

			if (f->id == INSN_NONE)
				continue;
			effects(v, k, &reads, &writes);
			if (f->id != INSN_EXIT && f->id != INSN_JA && f->id != INSN_JA_LONG) {
				uint32_t next = k + 1;

				if (next < n && v->info[next].id == INSN_NONE)
					next++;
				if (next < n)
					out |= v->info[next].live;
			}
			if (f->target >= 0 && f->id != INSN_CALL_LOCAL && f->id != INSN_WIDE_FUNC)
				out |= v->info[f->target].live;
			out = (out & ~writes) | reads | bit(10);
			if (out != f->live) {
				f->live = out;
				changed = true;
			}
		}
	}
}
