/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: every path of the program, as far as it is not covered by one walked before.
 *
 * Depth first.  At a conditional jump that may go both ways, the other way is put on a stack of
 * pending paths, with a copy of the state.  Where paths may meet, prune.c is asked
 * whether to go on.
 */
#include "runtime/vm/verify/internal.h"

enum { PENDING_MAX = 8192 };

struct state *push_path(struct verifier *v, uint32_t insn)
{
	struct state *s;

	if (v->n_pending > PENDING_MAX) {
		refuse(v, D_VERIFY_LIMIT, "The sequence of %u jumps is too complex.", v->n_pending);
		refuse_text(v, "too many ways lead through the program: %u are still to be walked",
			    v->n_pending);
		return NULL;
	}
	s = state_new(&v->pool);
	state_copy(&v->pool, s, v->cur);
	s->insn = insn;
	s->next = v->pending;
	v->pending = s;
	v->n_pending++;
	if (s->parent)
		s->parent->branches++;
	return s;
}

int reg_read(struct verifier *v, unsigned int regno)
{
	if (cur_regs(v)[regno].type == REG_NONE) {
		int r = refuse(v, D_VERIFY_UNINITIALISED, "R%u !read_ok", regno);

		refuse_text(v, "r%u is read, but on this path nothing was written to it%s", regno,
			    regno >= 1 && regno <= 5 ? " (calls destroy r1 to r5)" : "");
		return r;
	}
	return 0;
}

int reg_write(struct verifier *v, unsigned int regno)
{
	if (regno == 10)
		return refuse(v, D_VERIFY_INSTRUCTION, "frame pointer is read only");
	return 0;
}

/* One instruction must not read from kinds of memory that are reached in different ways. */
static int access_kind_check(struct verifier *v, uint8_t type)
{
	const unsigned int special = 1u << REG_CTX | 1u << REG_SOCKET | 1u << REG_SOCK_COMMON |
				     1u << REG_TCP_SOCK | 1u << REG_XDP_SOCK | 1u << REG_BTF |
				     1u << REG_ARENA;
	struct insn_info *f = &v->info[v->insn];
	struct verify_insn *to = &v->insns[v->insn];

	if (f->access_type && f->access_type != type &&
	    ((special >> f->access_type & 1) || (special >> type & 1)))
		return refuse(v, D_VERIFY_ACCESS,
			      "same insn cannot be used with different pointers");
	f->access_type = type;
	if (type == REG_CTX)
		to->access = ACCESS_CTX;
	else if (type == REG_BTF || type == REG_SOCKET || type == REG_SOCK_COMMON ||
		 type == REG_TCP_SOCK || type == REG_XDP_SOCK || type == REG_MAP)
		to->access = ACCESS_BTF;
	else if (type == REG_ARENA)
		to->access = ACCESS_ARENA;
	else if (type == REG_PACKET || type == REG_PACKET_META)
		to->access = ACCESS_PACKET;
	else
		to->access = ACCESS_MEMORY;
	return 0;
}

static int load(struct verifier *v, const struct bpf_insn *i, const struct insn_row *row)
{
	struct access a = {.regno = i->src_reg,
			   .off = i->off,
			   .bytes = row->bytes,
			   .is_signed = row->is_signed,
			   .value = i->dst_reg};
	uint8_t type;
	int r = reg_read(v, i->src_reg);

	r = r ? r : reg_write(v, i->dst_reg);
	if (r)
		return r;
	type = cur_regs(v)[i->src_reg].type;
	r = memory_access(v, &a);
	return r ? r : access_kind_check(v, type);
}

static int store(struct verifier *v, const struct bpf_insn *i, const struct insn_row *row)
{
	struct access a = {.regno = i->dst_reg,
			   .off = i->off,
			   .bytes = row->bytes,
			   .is_write = true,
			   .value = row->is_imm ? -1 : i->src_reg};
	uint8_t type;
	int r = row->is_imm ? 0 : reg_read(v, i->src_reg);

	r = r ? r : reg_read(v, i->dst_reg);
	if (r)
		return r;
	type = cur_regs(v)[i->dst_reg].type;
	r = memory_access(v, &a);
	return r ? r : access_kind_check(v, type);
}

/* Where atomic operations may not go. */
static int atomic_place_check(struct verifier *v, const struct bpf_insn *i, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	char name[96];

	if (r->type == REG_CTX || reg_is_packet(r) || r->type == REG_FLOW_KEYS || reg_is_sock(r))
		return refuse(v, D_VERIFY_ACCESS, "BPF_ATOMIC stores into R%u %s is not allowed",
			      regno, reg_name(r, name, sizeof(name)));
	(void)i;
	return 0;
}

static int atomic(struct verifier *v, const struct bpf_insn *i, const struct insn_row *row)
{
	struct reg *regs = cur_regs(v);
	struct access a = {.regno = i->dst_reg,
			   .off = i->off,
			   .bytes = row->bytes,
			   .is_once_strict = true,
			   .is_atomic = true,
			   .value = -1};
	uint8_t type = regs[i->dst_reg].type;
	int r = reg_read(v, i->src_reg), into = -1;

	r = r ? r : reg_read(v, i->dst_reg);
	if (!r && i->imm == BPF_CMPXCHG)
		r = reg_read(v, 0);
	if (r)
		return r;
	if (is_leak(v, &regs[i->src_reg]) || (i->imm == BPF_CMPXCHG && is_leak(v, &regs[0])))
		return refuse(v, D_VERIFY_LEAK, "R%u leaks addr into mem",
			      is_leak(v, &regs[i->src_reg]) ? i->src_reg : 0);
	r = atomic_place_check(v, i, i->dst_reg);
	if (r)
		return r;
	if (i->imm & BPF_FETCH) {
		into = i->imm == BPF_CMPXCHG ? 0 : i->src_reg;
		r = reg_write(v, (unsigned int)into);
		if (r)
			return r;
	}
	r = memory_access(v, &a);
	if (!r && into >= 0 && into != i->dst_reg) {
		a.value = into;
		r = memory_access(v, &a);
	}
	if (r)
		return r;
	r = access_kind_check(v, type);
	a.value = -1;
	a.is_write = true;
	r = r ? r : memory_access(v, &a);
	if (!r && into >= 0 && into == i->dst_reg) {
		/* the address itself is overwritten */
		reg_unknown(&regs[into]);
		scalar_cut(&regs[into].v, row->bytes, false, false);
	}
	return r;
}

/* load_acquire, store_release */
static int ordered(struct verifier *v, const struct bpf_insn *i, const struct insn_row *row)
{
	struct access a = {.off = i->off, .bytes = row->bytes, .is_once_strict = true};
	bool is_load = i->imm == 0x100;
	uint8_t type;
	int r = reg_read(v, i->src_reg);

	a.regno = is_load ? i->src_reg : i->dst_reg;
	a.value = is_load ? i->dst_reg : i->src_reg;
	a.is_write = !is_load;
	a.is_atomic = true;
	r = r ? r : is_load ? reg_write(v, i->dst_reg) : reg_read(v, i->dst_reg);
	r = r ? r : atomic_place_check(v, i, a.regno);
	if (r)
		return r;
	type = cur_regs(v)[a.regno].type;
	r = memory_access(v, &a);
	return r ? r : access_kind_check(v, type);
}

/* Loads from the packet as classic BPF has them: what is outside ends the program. */
static int packet_load(struct verifier *v, const struct bpf_insn *i, enum insn_id id,
		       uint32_t *insn)
{
	uint32_t type = v->p->prog_type;
	struct reg *regs = cur_regs(v);
	int r;

	if (type != BPF_PROG_TYPE_SOCKET_FILTER && type != BPF_PROG_TYPE_SCHED_CLS &&
	    type != BPF_PROG_TYPE_SCHED_ACT)
		return refuse(v, D_VERIFY_INSTRUCTION,
			      "BPF_LD_[ABS|IND] instructions not allowed for this program type");
	r = reg_read(v, 6);
	if (r)
		return r;
	if (v->cur->n_refs)
		return refuse(v, D_VERIFY_REFERENCE,
			      "BPF_LD_[ABS|IND] would lead to reference leak");
	if (v->cur->lock_of || v->cur->rcu || v->cur->preempt)
		return refuse(v, D_VERIFY_LOCK,
			      "BPF_LD_[ABS|IND] cannot be used inside a locked region");
	if (regs[6].type != REG_CTX)
		return refuse(v, D_VERIFY_TYPE,
			      "at the time of BPF_LD_ABS|IND R6 != pointer to skb");
	if (id >= INSN_LD_IND_B)
		r = reg_read(v, i->src_reg);
	r = r ? r : offset_check_fixed(v, &regs[6], 6, false);
	if (r)
		return r;
	call_clobber(v);
	reg_unknown(&regs[0]);
	regs[0].at = v->insn;
	if (v->cur->n_frames == 1)
		return 0;
	/* outside of the packet: the function returns 0 at once */
	if (!push_path(v, v->insn + 1))
		return -E2BIG;
	reg_known(&regs[0], 0);
	return exit_check(v, insn, false);
}

int exit_check(struct verifier *v, uint32_t *insn, bool is_exception)
{
	int r = 0;

	/* a function may return with a lock held, the program may not */
	if (v->cur->n_frames == 1 || is_exception)
		r = lock_check_exit(v, is_exception);
	r = r ? r : ref_check_leaks(v, is_exception);
	if (r)
		return r;
	if (is_exception)
		return STEP_EXIT;
	if (v->cur->n_frames > 1)
		return subprog_return(v, insn);
	if (cur_frame(v)->callback.kind)
		r = retval_check_callback(v);
	else
		r = retval_check(v, 0, "R0");
	return r ? r : STEP_EXIT;
}

static int other(struct verifier *v, const struct bpf_insn *i, enum insn_id id,
		 const struct insn_row *row, uint32_t *insn)
{
	if (id >= INSN_NEG64 && id <= INSN_BSWAP64)
		return alu_step(v, i, id);
	if (id >= INSN_WIDE && id <= INSN_WIDE_MAP_IDX_VALUE)
		return wide_step(v, i, id);
	if (id >= INSN_LD_ABS_B && id <= INSN_LD_IND_W)
		return packet_load(v, i, id, insn);
	if (row->bytes && BPF_CLASS(i->code) == BPF_STX)
		return ordered(v, i, row);
	if (id == INSN_JA || id == INSN_JA_LONG) {
		v->jumps++;
		*insn = (uint32_t)v->info[v->insn].target;
		return STEP_JUMPED;
	}
	v->jumps++;
	if (id == INSN_MAY_GOTO)
		return branch_step(v, i, id, insn);
	if (id == INSN_CALL)
		return call_step(v, i, insn);
	if (id == INSN_CALL_LOCAL)
		return subprog_step(v, i, insn);
	if (id == INSN_CALL_KFUNC)
		return kfunc_step(v, i, insn);
	if (id == INSN_EXIT)
		return exit_check(v, insn, false);
	return refuse(v, D_VERIFY_INSTRUCTION, "unknown opcode %02x", i->code);
}

int step(struct verifier *v, uint32_t *insn)
{
	const struct bpf_insn *i = &v->p->insns[v->insn];
	enum insn_id id = v->info[v->insn].id;
	const struct insn_row *row = insn_row_of(id);

	switch (insn_kind(id)) {
	case INSN_KIND_ALU:
		return alu_step(v, i, id);
	case INSN_KIND_JUMP:
		v->jumps++;
		return branch_step(v, i, id, insn);
	case INSN_KIND_LOAD:
		return load(v, i, row);
	case INSN_KIND_STORE:
		return store(v, i, row);
	case INSN_KIND_ATOMIC:
		return atomic(v, i, row);
	case INSN_KIND_OTHER:
		return other(v, i, id, row, insn);
	}
	return REFUSED;
}

/* The next pending path.  False: none is left. */
static bool path_next(struct verifier *v, uint32_t *insn)
{
	branches_done(v, v->cur->parent);
	state_free(&v->pool, v->cur);
	v->cur = v->pending;
	if (!v->cur)
		return false;
	v->pending = v->cur->next;
	v->cur->next = NULL;
	v->n_pending--;
	*insn = v->cur->insn;
	return true;
}

static void paths_drop(struct verifier *v)
{
	if (v->cur)
		state_free(&v->pool, v->cur);
	v->cur = NULL;
	while (v->pending) {
		struct state *s = v->pending;

		v->pending = s->next;
		state_free(&v->pool, s);
	}
	v->n_pending = 0;
}

static int walk(struct verifier *v, uint32_t insn)
{
	for (;;) {
		int r;

		v->insn = insn;
		v->cur->insn = insn;
		if (++v->insns_explored > v->max_insns) {
			refuse(v, D_VERIFY_LIMIT, "BPF program is too large. Processed %u insn",
			       v->insns_explored);
			refuse_text(v, "after %u instructions there are still paths to walk",
				    v->max_insns);
			return -E2BIG;
		}
		v->insns[insn].is_reached = true;
		if (v->info[insn].is_prune_point) {
			r = prune(v, insn);
			if (r < 0)
				return r;
			if (r) {
				if (!path_next(v, &insn))
					return 0;
				continue;
			}
		}
		if (v->recorded)
			states_note(v);
		r = step(v, &insn);
		if (r < 0)
			return r;
		if (r == STEP_NEXT)
			insn = v->insn + 1 +
			       (v->info[v->insn].id >= INSN_WIDE &&
				v->info[v->insn].id <= INSN_WIDE_MAP_IDX_VALUE);
		else if (r == STEP_EXIT && !path_next(v, &insn))
			return 0;
	}
}

int explore(struct verifier *v, uint32_t func)
{
	int r;

	for (uint32_t i = 0; i < v->p->n_insns; i++)
		v->info[i].explored = NULL;
	v->func = func;
	v->cur = state_new(&v->pool);
	v->insn = v->funcs[func].begin;
	r = subprog_init(v, func);
	r = r ? r : walk(v, v->funcs[func].begin);
	paths_drop(v);
	return r;
}
