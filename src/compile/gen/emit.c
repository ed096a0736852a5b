/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions with registers to bytes.
 *
 * Blocks are laid out so that what usually comes next does come next; unlikely ones go
 * behind all others.  Moves between the same register and jumps to the next instruction
 * vanish.  Every instruction inherits the place in the source from its IR; where that
 * changes, the line table gets a row.
 */
#include "compile/gen/mach.h"
#include "isa/insn.h"

struct jump {
	uint32_t insn, block;
};

struct emitter {
	struct emit *e;
	struct mach *c;
	uint32_t *order; /* blocks, as they are laid out */
	uint32_t n_order;
	uint32_t *starts; /* of each block: its first instruction */
	ARRAY(struct jump) jumps;
	struct span span;
};

void emit_frame(struct mach *c)
{
	uint32_t used = 0;

	/* small ones near the top, so that the displacements read well */
	for (int large = 0; large < 2; large++) {
		for (uint32_t o = 0; o < c->objects.n; o++) {
			struct mach_object *object = &c->objects.p[o];

			if (!object->is_used || (object->size > 8) != large)
				continue;
			used += (object->size + 7) & ~7u;
			object->offset = -(int32_t)used;
		}
	}
	c->frame = used;
}

/* --- order of blocks */

/* Where a jump to b really goes: empty blocks only pass on. */
static uint32_t landing(const struct mach *c, uint32_t b)
{
	for (uint32_t hops = 0; hops <= c->blocks.n; hops++) {
		if (b == MACH_NOWHERE || c->blocks.p[b].insns.n ||
		    c->blocks.p[b].next == MACH_NOWHERE)
			return b;
		b = c->blocks.p[b].next;
	}
	return b;
}

struct order {
	struct emitter *m;
	bool *placed;
	ARRAY(uint32_t) soon, late;
};

static void place_chain(struct order *o, uint32_t b)
{
	struct mach *c = o->m->c;
	uint32_t next[2];

	while (b != MACH_NOWHERE && !o->placed[b]) {
		o->placed[b] = true;
		o->m->order[o->m->n_order++] = b;
		mach_next(&c->blocks.p[b], next);
		next[0] = landing(c, next[0]);
		next[1] = landing(c, next[1]);
		/* the usual way follows directly */
		if (next[0] != MACH_NOWHERE && next[1] != MACH_NOWHERE &&
		    (c->blocks.p[next[0]].is_unlikely || o->placed[next[0]])) {
			uint32_t t = next[0];

			next[0] = next[1];
			next[1] = t;
		}
		if (next[1] != MACH_NOWHERE) {
			if (c->blocks.p[next[1]].is_unlikely)
				array_push(o->m->e->arena, &o->late, next[1]);
			else
				array_push(o->m->e->arena, &o->soon, next[1]);
		}
		b = next[0];
		if (b != MACH_NOWHERE && c->blocks.p[b].is_unlikely && !o->placed[b]) {
			array_push(o->m->e->arena, &o->late, b);
			b = MACH_NOWHERE;
		}
	}
}

static void place_blocks(struct emitter *m)
{
	struct order o = {.m = m};
	size_t late = 0;

	o.placed = arena_array(m->e->arena, bool, m->c->blocks.n);
	m->order = arena_array(m->e->arena, uint32_t, m->c->blocks.n);
	place_chain(&o, landing(m->c, 0));
	for (;;) {
		if (o.soon.n)
			place_chain(&o, o.soon.p[--o.soon.n]);
		else if (late < o.late.n)
			place_chain(&o, o.late.p[late++]);
		else
			break;
	}
}

/* --- instructions */

static void put(struct emitter *m, struct bpf_insn i)
{
	array_push(m->e->arena, &m->e->insns, i);
}

static unsigned int reg_of(const struct emitter *m, mach_reg r)
{
	if (r >= MACH_VIRTUAL)
		r = mach_vreg(m->c, r)->reg;
	return r ? r - 1 : 0;
}

static void put_imm(struct emitter *m, unsigned int dst, int64_t imm)
{
	struct bpf_insn wide[2];

	if (imm == (int32_t)imm) {
		put(m, insn_mov_imm(dst, (int32_t)imm));
	} else if (imm == (int64_t)(uint32_t)imm) {
		put(m, insn_alu_imm(BPF_MOV, true, dst, (int32_t)imm));
	} else {
		insn_wide(wide, 0, dst, (uint64_t)imm);
		put(m, wide[0]);
		put(m, wide[1]);
	}
}

static void put_reloc(struct emitter *m, struct question_reloc r)
{
	r.insn = m->e->insns.n;
	array_push(m->e->arena, &m->e->relocs, r);
}

static void put_fixup(struct emitter *m, enum mach_call kind, uint32_t index)
{
	array_push(m->e->arena, &m->e->fixups, ((struct emit_fixup){m->e->insns.n, kind, index}));
}

static void put_wide(struct emitter *m, const struct mach_insn *i)
{
	unsigned int kind = BPF_PSEUDO_MAP_FD;
	struct bpf_insn wide[2];

	switch ((enum mach_wide)i->code) {
	case WIDE_MAP:
		put_reloc(m, (struct question_reloc){.kind = QRELOC_MAP, .map = i->index});
		break;
	case WIDE_MAP_VALUE:
		kind = BPF_PSEUDO_MAP_VALUE;
		put_reloc(m, (struct question_reloc){.kind = QRELOC_MAP_VALUE,
						     .map = i->index,
						     .addend = (uint32_t)i->off});
		break;
	case WIDE_KSYM:
		kind = BPF_PSEUDO_BTF_ID;
		put_reloc(m, (struct question_reloc){.kind = QRELOC_KSYM,
						     .name = m->c->m->ksyms.p[i->index]});
		break;
	case WIDE_FUNC:
		kind = BPF_PSEUDO_FUNC;
		put_fixup(m, CALL_FUNC, i->index);
		break;
	}
	insn_wide(wide, kind, reg_of(m, i->dst), 0);
	put(m, wide[0]);
	put(m, wide[1]);
}

/* Its code in the place of the call, and ways to the end in the places of its exits. */
static void put_plain(struct emitter *m, const struct rt_func *f)
{
	for (uint32_t i = 0; i < f->n_insns; i++) {
		bool is_exit = f->insns[i].code == (BPF_JMP | BPF_EXIT);

		if (!is_exit)
			put(m, f->insns[i]);
		else if (i + 1 < f->n_insns)
			put(m, insn_goto((int)(f->n_insns - i - 2)));
	}
}

static void put_call(struct emitter *m, const struct mach_insn *i)
{
	const struct rt_func *rt = NULL;

	switch ((enum mach_call)i->code) {
	case CALL_HELPER:
		put(m, insn_call(0, (int32_t)i->index));
		break;
	case CALL_RT:
		rt = rt_find(m->e->o->rt, m->c->m->rt_funcs.p[i->index]);
		if (rt && rt->is_plain) {
			put_plain(m, rt);
			break;
		}
		/* fallthrough */
	case CALL_FUNC:
		put_fixup(m, i->code, i->index);
		put(m, insn_call(BPF_PSEUDO_CALL, 0));
		break;
	case CALL_KFUNC:
		put_reloc(m, (struct question_reloc){.kind = QRELOC_KFUNC,
						     .name = m->c->m->kfuncs.p[i->index]});
		put(m, insn_call(BPF_PSEUDO_KFUNC_CALL, 0));
		break;
	}
}

static struct bpf_insn compare(struct emitter *m, const struct mach_insn *i, unsigned int code,
			       int off)
{
	if (i->b)
		return insn_jump_reg(code, reg_of(m, i->a), reg_of(m, i->b), off);
	return insn_jump_imm(code, reg_of(m, i->a), (int32_t)i->imm, off);
}

/* Displacement of a memory instruction. */
static int off_of(const struct emitter *m, const struct mach_insn *i)
{
	return i->off + (i->object ? m->c->objects.p[i->object - 1].offset : 0);
}

static void put_alu(struct emitter *m, const struct mach_insn *i, unsigned int dst)
{
	if (i->b)
		put(m, insn_alu(i->code, i->is_32, dst, reg_of(m, i->b)));
	else
		put(m, insn_alu_imm(i->code, i->is_32, dst, (int32_t)i->imm));
}

static void put_memory(struct emitter *m, const struct mach_insn *i)
{
	unsigned int base = reg_of(m, i->a);
	int off = off_of(m, i);

	if (i->op == MACH_LOAD)
		put(m, insn_load(i->size, i->sign, reg_of(m, i->dst), base, off));
	else if (i->op == MACH_ATOMIC)
		put(m, insn_atomic(i->code, i->size, base, off, reg_of(m, i->b)));
	else if (i->b)
		put(m, insn_store(i->size, base, off, reg_of(m, i->b)));
	else
		put(m, insn_store_imm(i->size, base, off, (int32_t)i->imm));
}

static void put_insn(struct emitter *m, const struct mach_insn *i)
{
	unsigned int dst = reg_of(m, i->dst);

	switch ((enum mach_op)i->op) {
	case MACH_MOV:
		if (dst != reg_of(m, i->a))
			put(m, insn_mov(dst, reg_of(m, i->a)));
		break;
	case MACH_IMM:
		put_imm(m, dst, i->imm);
		break;
	case MACH_ADDR:
		put(m, insn_mov(dst, 10));
		put(m, insn_alu_imm(BPF_ADD, false, dst, off_of(m, i)));
		break;
	case MACH_WIDE:
		put_wide(m, i);
		break;
	case MACH_ALU:
		put_alu(m, i, dst);
		break;
	case MACH_NEG:
		put(m, insn_neg(dst));
		break;
	case MACH_SWAP:
		put(m, insn_swap(dst, i->size));
		break;
	case MACH_EXTEND:
		put(m, i->sign ? insn_movsx(dst, reg_of(m, i->a), i->size)
			       : insn_alu(BPF_MOV, true, dst, reg_of(m, i->a)));
		break;
	case MACH_LOAD:
	case MACH_STORE:
		if (i->code == STORE_ELEMENT)
			array_push(m->e->arena, &m->e->elements, m->e->insns.n);
		put_memory(m, i);
		break;
	case MACH_ATOMIC:
		put_memory(m, i);
		break;
	case MACH_SET:
		put(m, insn_mov_imm(dst, 1));
		put(m, compare(m, i, i->code, 1));
		put(m, insn_mov_imm(dst, 0));
		break;
	case MACH_CALL:
		put_call(m, i);
		break;
	case MACH_EXIT:
		put(m, insn_exit());
		break;
	case MACH_BRANCH:
		break;
	}
}

static void put_span(struct emitter *m, struct span span)
{
	bool is_same =
		m->span.file == span.file && m->span.begin == span.begin && m->span.end == span.end;

	if (is_same || !span.end)
		return;
	m->span = span;
	if (m->e->lines.n && m->e->lines.p[m->e->lines.n - 1].insn == m->e->insns.n)
		m->e->lines.p[m->e->lines.n - 1].span = span;
	else
		array_push(m->e->arena, &m->e->lines,
			   ((struct question_line){m->e->insns.n, span}));
}

/* --- jumps */

/* The jump that is taken when `code` is not; 0: there is none. */
static unsigned int inverse(unsigned int code)
{
	static const struct {
		uint8_t code, inverse;
	} pairs[] = {{BPF_JEQ, BPF_JNE},
		     {BPF_JLT, BPF_JGE},
		     {BPF_JLE, BPF_JGT},
		     {BPF_JSLT, BPF_JSGE},
		     {BPF_JSLE, BPF_JSGT}};

	for (size_t k = 0; k < ELEMENTS(pairs); k++) {
		if (pairs[k].code == code)
			return pairs[k].inverse;
		if (pairs[k].inverse == code)
			return pairs[k].code;
	}
	return 0;
}

static void put_jump(struct emitter *m, struct bpf_insn i, uint32_t block)
{
	array_push(m->e->arena, &m->jumps, ((struct jump){m->e->insns.n, block}));
	put(m, i);
}

static bool is_in_version(const struct emitter *m, unsigned int code)
{
	return m->e->o->cpu >= 2 ||
	       (code != BPF_JLT && code != BPF_JLE && code != BPF_JSLT && code != BPF_JSLE);
}

/* The branch at the end of a block, if it has one, and the way on; `follows` comes next. */
static void put_end(struct emitter *m, struct mach_block *block, uint32_t follows)
{
	uint32_t to[2];
	const struct mach_insn *last;
	unsigned int other;

	mach_next(block, to);
	to[0] = landing(m->c, to[0]);
	to[1] = landing(m->c, to[1]);
	if (to[1] != MACH_NOWHERE && to[1] != to[0]) {
		last = &block->insns.p[block->insns.n - 1];
		other = inverse(last->code);
		put_span(m, last->span);
		if (to[1] == follows && other && is_in_version(m, other)) {
			put_jump(m, compare(m, last, other, 0), to[0]);
			return;
		}
		put_jump(m, compare(m, last, last->code, 0), to[1]);
	}
	if (to[0] != MACH_NOWHERE && to[0] != follows)
		put_jump(m, insn_goto(0), to[0]);
}

static bool fix_jumps(struct emitter *m)
{
	for (size_t k = 0; k < m->jumps.n; k++) {
		struct bpf_insn *i = &m->e->insns.p[m->jumps.p[k].insn];
		int64_t off = (int64_t)m->starts[m->jumps.p[k].block] - m->jumps.p[k].insn - 1;

		if (off == (int16_t)off) {
			i->off = (int16_t)off;
		} else if (i->code == (BPF_JMP | BPF_JA) && m->e->o->cpu >= 4) {
			*i = insn_goto_long((int32_t)off);
		} else {
			diag(m->e->diags, D_PROGRAM_TOO_LARGE, m->c->f->span,
			     "The program is too long: a jump over %lld instructions",
			     (long long)(off < 0 ? -off : off));
			return false;
		}
	}
	return true;
}

bool emit_func(struct emit *e, struct mach *c)
{
	struct emitter m = {.e = e, .c = c};

	m.starts = arena_array(e->arena, uint32_t, c->blocks.n);
	place_blocks(&m);
	for (uint32_t k = 0; k < m.n_order; k++) {
		struct mach_block *block = &c->blocks.p[m.order[k]];

		m.starts[m.order[k]] = e->insns.n;
		for (uint32_t i = 0; i < block->insns.n; i++) {
			put_span(&m, block->insns.p[i].span);
			put_insn(&m, &block->insns.p[i]);
		}
		put_end(&m, block, k + 1 < m.n_order ? m.order[k + 1] : MACH_NOWHERE);
	}
	return fix_jumps(&m);
}
