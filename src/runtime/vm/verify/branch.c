/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional jumps: which ways are possible, and what is known on each.
 *
 * If what is compared leaves only one way, only that is walked, and the operands were important.
 * Else the other way is kept for later and each way learns: numbers get narrower ranges, pointers
 * that may be NULL are so or not, and a comparison with the end of a packet says how many of
 * its bytes are there.  What is learned of a register holds for all that share its id.
 */
#include "runtime/vm/verify/internal.h"

void state_each(struct state *s, void (*f)(struct reg *r, void *ctx), void *ctx)
{
	for (unsigned int n = 0; n < s->n_frames; n++) {
		struct frame *frame = s->frames[n];

		for (unsigned int i = 0; i < REGS; i++)
			f(&frame->regs[i], ctx);
		for (unsigned int i = 0; i < frame->n_slots; i++)
			if (frame->slots[i].kind[0] == SLOT_SPILL)
				f(&frame->slots[i].reg, ctx);
	}
}

/* --- numbers that share an id */

struct linked {
	const struct reg *known;
	struct dep *other; /* of the other operand */
	struct pool *pool;
};

static void linked_update(struct reg *r, void *ctx)
{
	struct linked *l = ctx;
	const struct reg *k = l->known;
	struct scalar delta;

	if (r == k || r->type != REG_SCALAR || r->id != k->id)
		return;
	if (r->is_linked == k->is_linked && r->off == k->off) {
		r->v = k->v;
	} else {
		scalar_set(&delta, (uint64_t)((int64_t)r->off - k->off));
		r->v = k->v;
		scalar_alu(&r->v, ALU_ADD, false, &delta);
	}
	r->dep = dep_new(l->pool, r->dep, k->dep);
}

static void links_follow(struct verifier *v, struct state *s, unsigned int regno)
{
	const struct reg *r = &state_frame(s)->regs[regno];
	struct linked l = {.known = r, .pool = &v->pool};

	if (r->type == REG_SCALAR && r->id)
		state_each(s, linked_update, &l);
}

/* --- pointers that may be NULL */

void reg_not_null(struct verifier *v, struct reg *r)
{
	const struct vm_map_def *m;

	r->flags &= ~F_NULL;
	if (r->type != REG_MAP_VALUE)
		return;
	m = reg_map(v, r);
	if (r->is_inner || !m)
		return;
	/* a map inside a map: which one is told apart by where it was found */
	if (v->o->maps.p[r->map].inner &&
	    (m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || m->type == BPF_MAP_TYPE_HASH_OF_MAPS)) {
		uint32_t map = r->map, id = r->id, at = r->at;

		reg_pointer(r, REG_MAP, 0);
		r->map = map;
		r->is_inner = true;
		if (fields_one(reg_fields(v, r), FIELD_TIMER) ||
		    fields_one(reg_fields(v, r), FIELD_WORKQUEUE))
			r->map_uid = id;
		r->at = at;
	} else if (m->type == BPF_MAP_TYPE_XSKMAP) {
		r->type = REG_XDP_SOCK;
	} else if (m->type == BPF_MAP_TYPE_SOCKMAP || m->type == BPF_MAP_TYPE_SOCKHASH) {
		r->type = REG_SOCKET;
	}
}

struct nullness {
	struct verifier *v;
	uint32_t id, ref;
	bool is_null;
};

static void nullness_update(struct reg *r, void *ctx)
{
	struct nullness *n = ctx;

	if (!(r->flags & F_NULL) || r->type == REG_SCALAR || r->id != n->id)
		return;
	if (n->is_null) {
		reg_known(r, 0);
		return;
	}
	reg_not_null(n->v, r);
	/* who holds the lock in a value is known by the value's id */
	if (!fields_one(reg_fields(n->v, r), FIELD_SPIN_LOCK))
		r->id = 0;
}

/* Registers with the id of `regno` are NULL, or are not. */
static void nullness_learn(struct verifier *v, struct state *s, unsigned int regno, bool is_null)
{
	const struct reg *r = &state_frame(s)->regs[regno];
	struct nullness n = {.v = v, .id = r->id, .ref = r->ref, .is_null = is_null};

	/* NULL needs no release */
	if (is_null && n.ref && n.ref == n.id)
		for (unsigned int i = 0; i < s->n_refs; i++)
			if (s->refs[i].id == n.ref) {
				s->refs[i] = s->refs[--s->n_refs];
				break;
			}
	state_each(s, nullness_update, &n);
}

static bool is_never_null(const struct reg *r)
{
	enum { FAR = 1 << 29 };

	/* an offset without limits could lead back to 0 */
	if (r->flags & F_NULL || r->v.smin <= -FAR || r->v.smax >= FAR)
		return false;
	switch ((enum reg_type)r->type) {
	case REG_SOCKET:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_SOCK_COMMON:
	case REG_MAP:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_MEM:
	case REG_BUFFER:
		return true;
	case REG_BTF:
		return object_is_trusted(r);
	case REG_NONE:
	case REG_SCALAR:
	case REG_CTX:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_TP_BUFFER:
	case REG_ARENA:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		return false;
	}
	return false;
}

/* --- packets */

struct range_update {
	const struct reg *by;
	int32_t range;
};

static void range_learn(struct reg *r, void *ctx)
{
	struct range_update *u = ctx;

	if (r->type == u->by->type && r->id == u->by->id && r->range < u->range)
		r->range = u->range;
}

/* In `s`, the bytes up to register `p` are there; and one more if `is_open`. */
static void packet_learn(struct state *s, const struct reg *p, bool is_open)
{
	struct reg by = *p;
	struct range_update u = {.by = &by};
	int64_t range = (int64_t)p->off + is_open;

	if (p->off < 0 || (p->off == 0 && is_open))
		return;
	if (p->v.umax > 0xffff || p->v.umax + (uint64_t)p->off > 0xffff)
		return;
	u.range = (int32_t)range;
	state_each(s, range_learn, &u);
}

static void packet_at_end(struct state *s, unsigned int regno, bool is_beyond)
{
	struct reg *r = &state_frame(s)->regs[regno];

	if (r->type == REG_PACKET)
		r->range = is_beyond ? RANGE_BEYOND_END : RANGE_AT_END;
}

static bool is_start(const struct reg *r)
{
	return r->type == REG_PACKET && !r->off && reg_is_const(r) && !r->v.bits.value;
}

static bool is_packet_pair(const struct reg *a, const struct reg *b)
{
	return (a->type == REG_PACKET && b->type == REG_PACKET_END) ||
	       (a->type == REG_PACKET_META && is_start(b));
}

static enum insn_jump mirrored(enum insn_jump op)
{
	switch (op) {
	case JUMP_JGT:
		return JUMP_JLT;
	case JUMP_JLT:
		return JUMP_JGT;
	case JUMP_JGE:
		return JUMP_JLE;
	case JUMP_JLE:
		return JUMP_JGE;
	case JUMP_JSGT:
		return JUMP_JSLT;
	case JUMP_JSLT:
		return JUMP_JSGT;
	case JUMP_JSGE:
		return JUMP_JSLE;
	case JUMP_JSLE:
		return JUMP_JSGE;
	case JUMP_JEQ:
	case JUMP_JNE:
	case JUMP_JSET:
	case JUMP_COUNT:
		return op;
	}
	return op;
}

/*
 * `packet OP end`: where it is below the end, its bytes are there; where it is at or above, one
 * who compares it again need not be asked.
 */
static bool packet_compare(struct verifier *v, const struct bpf_insn *i, enum insn_jump op,
			   struct state *taken, struct state *next)
{
	unsigned int p = i->dst_reg, end = i->src_reg;
	const struct reg *a = &cur_regs(v)[p], *b = &cur_regs(v)[end];
	struct state *below, *above;
	bool is_open;
	struct reg packet;

	if (!is_packet_pair(a, b)) {
		if (!is_packet_pair(b, a))
			return false;
		op = mirrored(op);
		p = i->src_reg;
	}
	if (op != JUMP_JGT && op != JUMP_JLT && op != JUMP_JGE && op != JUMP_JLE)
		return false;
	/* JLT, JLE: below where it is taken; JLT, JGE: below means one more byte */
	below = op == JUMP_JLT || op == JUMP_JLE ? taken : next;
	above = below == taken ? next : taken;
	is_open = op == JUMP_JLT || op == JUMP_JGE;
	packet = state_frame(below)->regs[p];
	packet_learn(below, &packet, is_open);
	packet_at_end(above, p, !is_open);
	return true;
}

static int packet_decided(const struct reg *a, const struct reg *b, enum insn_jump op)
{
	const struct reg *p = a;

	if (b->type != REG_PACKET_END) {
		if (a->type != REG_PACKET_END)
			return -1;
		p = b;
		op = mirrored(op);
	}
	if (p->type != REG_PACKET || p->range >= 0)
		return -1;
	if ((op == JUMP_JLE || op == JUMP_JGT) && p->range == RANGE_BEYOND_END)
		return op == JUMP_JGT;
	if (op == JUMP_JLT || op == JUMP_JGE)
		return op == JUMP_JGE;
	return -1;
}

/* --- the jump */

static bool is_packet_any(const struct reg *r)
{
	return reg_is_packet(r) || r->type == REG_PACKET_END;
}

/* Also where each limit alone leaves both ways open, and all together leave no number. */
static int numbers_decide(const struct reg *a, const struct reg *b, enum insn_jump op, bool is_32)
{
	int way = scalar_branch(&a->v, &b->v, op, is_32);

	for (int taken = 0; way < 0 && taken < 2 && a != b; taken++) {
		struct scalar x = a->v, y = b->v;

		if (!scalar_refine(&x, &y, op, is_32, taken))
			way = !taken;
	}
	return way;
}

/* 1: it is always taken, 0: never, −1: both may be. */
static int decide(const struct reg *a, const struct reg *b, enum insn_jump op, bool is_32)
{
	if (is_packet_any(a) && is_packet_any(b))
		return is_32 ? -1 : packet_decided(a, b, op);
	if (a->type != REG_SCALAR || b->type != REG_SCALAR) {
		if (is_32)
			return -1;
		if (!(b->type == REG_SCALAR && reg_is_const(b))) {
			const struct reg *swap = a;

			a = b;
			b = swap;
		}
		if (!reg_is_zero(b) || a->type == REG_SCALAR || !is_never_null(a))
			return -1;
		return op == JUMP_JEQ ? 0 : op == JUMP_JNE ? 1 : -1;
	}
	return numbers_decide(a, b, op, is_32);
}

/* Both are numbers: narrow them where the comparison is `is_taken`. */
static void numbers_learn(struct verifier *v, struct state *s, const struct bpf_insn *i,
			  enum insn_jump op, bool is_32, bool is_imm, bool is_taken)
{
	struct reg *regs = state_frame(s)->regs, *a = &regs[i->dst_reg], *b = &regs[i->src_reg];
	struct scalar x = a->v, y;
	struct dep *both;

	if (is_imm)
		scalar_set(&y, (uint64_t)(int64_t)i->imm);
	else
		y = b->v;
	if (!is_imm && a == b)
		return;
	if (!scalar_refine(&x, &y, op, is_32, is_taken))
		return; /* numbers_decide() left no such way */
	a->v = x;
	if (!is_imm) {
		b->v = y;
		both = dep_new(&v->pool, a->dep, b->dep);
		a->dep = b->dep = both;
	}
}

/* Pointers that are equal are both not NULL if one is known not to be. */
static void equal_learn(struct verifier *v, struct state *s, const struct bpf_insn *i)
{
	struct reg *regs = state_frame(s)->regs, *a = &regs[i->dst_reg], *b = &regs[i->src_reg];

	if (a->type == REG_BTF || b->type == REG_BTF || a->type == REG_SCALAR ||
	    b->type == REG_SCALAR)
		return;
	if (is_never_null(a) && b->flags & F_NULL)
		reg_not_null(v, b);
	else if (is_never_null(b) && a->flags & F_NULL)
		reg_not_null(v, a);
}

static int operands_check(struct verifier *v, const struct bpf_insn *i, bool is_imm,
			  const struct reg *a, const struct reg *b)
{
	int r = reg_read(v, i->dst_reg);

	if (r || is_imm)
		return r;
	r = reg_read(v, i->src_reg);
	if (!r && !(is_packet_any(a) && is_packet_any(b)) && is_leak(v, b))
		return refuse(v, D_VERIFY_LEAK, "R%u pointer comparison prohibited", i->src_reg);
	return r;
}

static int may_goto(struct verifier *v, uint32_t *insn)
{
	struct state *old = prune_previous(v, v->insn, true);
	struct state *next = push_path(v, v->insn + 1);

	if (!next)
		return -E2BIG;
	next->may_goto++;
	if (old)
		prune_widen(v, old, next);
	*insn = (uint32_t)v->info[v->insn].target;
	return STEP_JUMPED;
}

static void both_learn(struct verifier *v, struct state *taken, const struct bpf_insn *i,
		       enum insn_jump op, bool is_32, bool is_imm)
{
	numbers_learn(v, taken, i, op, is_32, is_imm, true);
	numbers_learn(v, v->cur, i, op, is_32, is_imm, false);
	if (!is_imm) {
		links_follow(v, taken, i->src_reg);
		links_follow(v, v->cur, i->src_reg);
	}
	links_follow(v, taken, i->dst_reg);
	links_follow(v, v->cur, i->dst_reg);
}

/* Jumps of pointers: NULL, ends of packets. */
static int pointers_learn(struct verifier *v, struct state *taken, const struct bpf_insn *i,
			  enum insn_jump op, bool is_32, bool is_imm)
{
	const struct reg *a = &cur_regs(v)[i->dst_reg];
	bool is_equality = op == JUMP_JEQ || op == JUMP_JNE;

	if (!is_32 && !is_imm && is_equality)
		equal_learn(v, op == JUMP_JEQ ? taken : v->cur, i);
	if (!is_32 && is_imm && !i->imm && is_equality && a->type != REG_SCALAR &&
	    a->flags & F_NULL) {
		nullness_learn(v, taken, i->dst_reg, op == JUMP_JEQ);
		nullness_learn(v, v->cur, i->dst_reg, op == JUMP_JNE);
		return 0;
	}
	if (!is_32 && !is_imm && packet_compare(v, i, op, taken, v->cur))
		return 0;
	if (is_leak(v, a))
		return refuse(v, D_VERIFY_LEAK, "R%u pointer comparison prohibited", i->dst_reg);
	return 0;
}

int branch_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id, uint32_t *insn)
{
	const struct insn_row *row = insn_row_of(id);
	struct reg *regs = cur_regs(v), *a = &regs[i->dst_reg], constant, *b = &regs[i->src_reg];
	enum insn_jump op;
	struct state *taken;
	int r, way;

	if (id == INSN_MAY_GOTO)
		return may_goto(v, insn);
	op = insn_jump_of(id);
	r = operands_check(v, i, row->is_imm, a, b);
	if (r)
		return r;
	if (row->is_imm) {
		reg_none(&constant);
		reg_known(&constant, (uint64_t)(int64_t)i->imm);
		b = &constant;
	}
	way = decide(a, b, op, row->is_32);
	if (way >= 0) {
		reg_mark(a);
		reg_mark(b);
		*insn = way ? (uint32_t)v->info[v->insn].target : v->insn + 1;
		return STEP_JUMPED;
	}
	taken = push_path(v, (uint32_t)v->info[v->insn].target);
	if (!taken)
		return -E2BIG;
	if (a->type == REG_SCALAR && b->type == REG_SCALAR)
		both_learn(v, taken, i, op, row->is_32, row->is_imm);
	r = pointers_learn(v, taken, i, op, row->is_32, row->is_imm);
	*insn = v->insn + 1;
	return r ? r : STEP_JUMPED;
}
